import { attempt, every, get, path, query } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, fill } from "./dom.js";
import { ago, duration } from "./format.js";
import { cancelButton, jobTitle, madeBy, progressBar, progressText, retryButton, statusBadge, took } from "./job-view.js";

const filter = byId("filter");
const body = byId("jobs").tBodies[0];
const more = byId("more");
let pages = 1;

for (const [name, value] of new URLSearchParams(location.search)) {
  if (filter.elements[name]) filter.elements[name].value = value;
}

const address = (cursor) => `/jobs${query({ ...Object.fromEntries(new FormData(filter)), limit: 50, cursor })}`;

async function show() {
  const rows = [];
  let cursor = null;
  for (let page = 0; page < pages; page += 1) {
    const found = await get(address(cursor));
    rows.push(...found.items);
    cursor = found.next_cursor;
    if (cursor === null) break;
  }
  const focused = document.activeElement?.getAttribute("aria-label");
  fill(body, rows.length ? rows.map(row) : el("tr", null, el("td", { colspan: 7, class: "soft" }, "No job is like this.")));
  if (focused) body.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  more.hidden = cursor === null;
  showCalls([
    ["This list", { path: address(null) }],
    ["Retry a job that failed", { method: "POST", path: "/jobs/job_…/retry" }],
  ]);
}

const row = (job) => el("tr", { "data-job": job.id },
  el("th", { scope: "row" }, el("a", { href: path`/console/jobs/${job.id}` }, jobTitle(job))),
  el("td", { "data-label": "Status" }, statusBadge(job.status)),
  el("td", { "data-label": "Progress" }, job.status === "running" ? progressBar(job) : null, progressText(job)),
  el("td", { "data-label": "Made" }, madeBy(job)),
  el("td", { "data-label": "Began" }, ago(job.created_at)),
  el("td", { "data-label": "Took" }, duration(took(job))),
  el("td", null, cancelButton(job, show), retryButton(job, show)));

filter.addEventListener("change", () => {
  pages = 1;
  history.replaceState(null, "", `/console/jobs${query(Object.fromEntries(new FormData(filter)))}`);
  attempt(show);
});
filter.addEventListener("submit", (event) => event.preventDefault());
more.addEventListener("click", () => { pages += 1; attempt(show); });
every(4, show);
