import { all, attempt, get, path, post } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, fill, guardForm } from "./dom.js";
import { ago, bytes, count, duration } from "./format.js";
import { statusBadge } from "./job-view.js";

const form = byId("start");

const command = () => {
  const { dataset, seeds, train_per_category: few } = form.elements;
  return { dataset: dataset.value || "ds_…", seeds: seeds.valueAsNumber, ...(few.value ? { train_per_category: few.valueAsNumber } : {}) };
};

function calls() {
  showCalls([
    ["Start this experiment", { method: "POST", path: "/experiments", json: command() }],
    ["What it would cost", { method: "POST", path: "/experiments?dry_run=true", json: command() }],
    ["All experiments", { path: "/experiments" }],
  ]);
}

const row = (experiment) => el("tr", null,
  el("th", { scope: "row" }, el("a", { href: path`/console/experiments/${experiment.id}` }, experiment.name)),
  el("td", { "data-label": "Status" }, statusBadge(experiment.status)),
  el("td", { "data-label": "Seeds" }, String(experiment.seeds)),
  el("td", { "data-label": "Result" }, experiment.summary || "–"),
  el("td", { "data-label": "Began" }, ago(experiment.created_at)));

async function show() {
  const datasets = (await all("/datasets", 400)).filter(({ kind }) => kind === "raw" || kind === "preprocessed");
  fill(form.elements.dataset, datasets.map((each) => el("option", { value: each.id }, `${each.name} (${each.kind}, ${count(each.images)})`)));
  calls();
  const { items } = await get("/experiments?limit=100");
  fill(byId("experiments").tBodies[0], items.length ? items.map(row) : el("tr", null, el("td", { colspan: 5, class: "soft" }, "No experiment yet.")));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const job = await post("/experiments", command());
    location.assign(`/console${job.links.result}`);
  });
});
byId("estimate").addEventListener("click", () => attempt(async () => {
  const cost = await post("/experiments?dry_run=true", command());
  byId("cost").textContent = `About ${duration(cost.device_seconds)} of computing, ${count(cost.images)} images, ${bytes(cost.bytes)}; by ${cost.based_on}.`;
}));
form.addEventListener("input", calls);
guardForm(form);
attempt(show);
