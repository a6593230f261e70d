import { all, every, get, path } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, facts, fill, subject } from "./dom.js";
import { resultTables } from "./experiment-result.js";
import { ago, count } from "./format.js";
import { scrolled } from "./graph.js";
import { jobGraph } from "./job-graph.js";
import { ENDED, cancelButton, deleteButton, idLink, retryButton, statusBadge } from "./job-view.js";

let ended = false;

function showAbout(experiment, job) {
  byId("title").textContent = experiment.name;
  document.title = `${experiment.name} · LesionGAN`;
  fill(byId("about"),
    experiment.phantom ? el("p", { class: "banner" }, el("strong", null, "Phantom images."), " Nothing here says anything about patients.") : null,
    experiment.summary ? el("p", { class: "summary" }, experiment.summary) : null,
    facts([
      ["Status", statusBadge(experiment.status)], ["Data set", idLink(experiment.dataset)], ["Seeds", experiment.seeds],
      ["Test images", experiment.n_test === null ? null : count(experiment.n_test)], ["Began", ago(experiment.created_at)], ["Job", idLink(experiment.job)],
    ]),
    job.error ? el("p", { class: "banner" }, job.error.detail) : null,
    el("p", null, experiment.arms.length ? [el("a", { class: "button primary", href: path`/experiments/${subject}/report`, target: "_blank", rel: "noopener" }, "Open the report"), " "] : null,
      cancelButton(job, show), retryButton(job, show),
      ENDED.has(job.status) ? deleteButton(experiment.name, path`/experiments/${subject}`, "/console/experiments") : null),
    el("details", null, el("summary", null, "The command that made it"), el("pre", null, JSON.stringify(experiment.command, null, 2))));
}

function showResult(experiment) {
  byId("result").hidden = experiment.arms.length === 0;
  fill(byId("table"), resultTables(experiment));
}

async function showGraph(job) {
  const jobs = await all(path`/jobs?graph=${job.id}`, 400);
  const states = ["running", "queued", "succeeded", "failed", "cancelled"].map((status) => [status, jobs.filter((each) => each.status === status).length]);
  fill(byId("summary"), facts(states.filter(([, n]) => n).map(([status, n]) => [statusBadge(status), count(n)])));
  const old = byId("graph").firstElementChild?.scrollLeft ?? 0;
  fill(byId("graph"), scrolled(jobGraph(jobs, job.id)));
  byId("graph").firstElementChild.scrollLeft = old;
}

async function show() {
  const experiment = await get(path`/experiments/${subject}`);
  const job = await get(path`/jobs/${experiment.job}`);
  showAbout(experiment, job);
  showResult(experiment);
  await showGraph(job);
  ended = ENDED.has(job.status);
}

showCalls([
  ["This experiment", { path: path`/experiments/${subject}` }],
  ["Its report", { path: path`/experiments/${subject}/report`, output: "report.html" }],
]);
every(4, async () => { if (!ended) await show(); });
