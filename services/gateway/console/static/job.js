import { all, attempt, every, get, path } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, facts, fill, subject } from "./dom.js";
import { follow } from "./follow.js";
import { duration, number } from "./format.js";
import { scrolled } from "./graph.js";
import { jobGraph } from "./job-graph.js";
import { ENDED, cancelButton, etaText, jobTitle, madeBy, progressBar, progressText, retryButton, statusBadge, took } from "./job-view.js";

let following = false;
const MOST_LINES = 300;

async function show() {
  const job = await get(path`/jobs/${subject}`);
  byId("title").textContent = jobTitle(job);
  fill(byId("job"),
    progressBar(job),
    facts([
      ["Status", statusBadge(job.status)], ["Progress", progressText(job)], ["To go", etaText(job)],
      ["Took", duration(took(job))], ["Attempts", job.attempts], ["Made", job.output ? madeBy(job) : null],
    ]),
    job.error ? el("p", { class: "banner" }, el("strong", null, job.error.title), ": ", job.error.detail) : null,
    el("p", null, cancelButton(job, show), retryButton(job, async () => { following = false; await show(); })));
  byId("input").textContent = JSON.stringify(job.input, null, 2);
  if (job.parents.length) await showGraph(job);
  if (!following) {
    following = true;
    fill(byId("events"));
    follow(subject, { metric: (data) => line("metric", data), log: (data) => line("log", data), completed: () => attempt(show) });
  }
  return job;
}

async function showGraph(job) {
  const jobs = await all(path`/jobs?graph=${job.id}`, 400);
  byId("graph-section").hidden = false;
  fill(byId("graph"), scrolled(jobGraph(jobs, job.id)));
}

function line(what, data) {
  const text = data.message ?? Object.entries(data).map(([name, value]) => `${name} ${typeof value === "number" ? number(value) : JSON.stringify(value)}`).join(" · ");
  byId("events").prepend(el("li", null, el("span", { class: "what" }, what), el("span", null, text)));
  if (byId("events").children.length > MOST_LINES) byId("events").lastElementChild.remove();
}

showCalls([
  ["This job", { path: path`/jobs/${subject}` }],
  ["Its events", { path: path`/jobs/${subject}/events`, stream: true }],
  ["Cancel it", { method: "POST", path: path`/jobs/${subject}/cancel` }],
]);
attempt(show);
every(3, async () => {
  const { status } = await get(path`/jobs/${subject}`);
  if (!ENDED.has(status)) await show();
});
