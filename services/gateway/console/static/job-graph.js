// The graph of what a job waits for.

import { path } from "./api.js";
import { graph } from "./graph.js";
import { jobTitle, progressText } from "./job-view.js";

export const jobGraph = (jobs, current) => graph(jobs.map((each) => ({
  id: each.id, parents: each.parents, title: jobTitle(each),
  text: each.status === "running" ? progressText(each) : each.status, kind: each.status,
  share: each.status === "running" && each.progress.total ? each.progress.done / each.progress.total : undefined,
  href: path`/console/jobs/${each.id}`, current: each.id === current,
})), "Jobs and what they wait for");
