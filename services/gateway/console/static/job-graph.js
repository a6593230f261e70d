// The graph of what a job waits for.

import { path } from "./api.js";
import { graph } from "./graph.js";
import { jobKind, progressText } from "./job-view.js";

/** In a graph it is the seed that tells jobs of a kind apart. */
function about(job) {
  const { name, seed, command } = job.input;
  const which = name ?? ((seed ?? command?.seed) === undefined ? null : `seed ${seed ?? command.seed}`);
  return [which, job.status === "running" ? progressText(job) : job.status].filter(Boolean).join(" · ");
}

export const jobGraph = (jobs, current) => graph(jobs.map((each) => ({
  id: each.id, parents: each.parents, title: jobKind(each), text: about(each), kind: each.status,
  share: each.status === "running" && each.progress.total ? each.progress.done / each.progress.total : undefined,
  href: path`/console/jobs/${each.id}`, current: each.id === current,
})), "Jobs and what they wait for");
