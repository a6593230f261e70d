import { every, get, path } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, facts, fill } from "./dom.js";
import { follow } from "./follow.js";
import { ago, bytes, count, duration, percent } from "./format.js";
import { cancelButton, etaText, idLink, jobCard, jobTitle, progressText } from "./job-view.js";

// A browser opens six connections to a server: streams must leave some of them free.
const MOST_STREAMS = 3;
const MOST_WAITING = 6;
// An experiment makes dozens of data sets: its own result is to be seen beside them.
const MOST_OF_A_KIND = 3;
const streams = new Map();
let shown = null;

async function showRunning() {
  const [running, queued] = await Promise.all(
    ["running", "queued"].map((status) => get(`/jobs?status=${status}&limit=20`)));
  const state = [...running.items, ...queued.items].map((job) => `${job.id} ${job.status} ${job.attempts}`).join();
  if (state !== shown || running.items.length > MOST_STREAMS) {
    // Do not take a button away from under a finger or the keyboard.
    const focused = document.activeElement?.closest?.("[data-job]")?.dataset.job;
    fill(byId("running"), running.items.map((job) => jobCard(job, showRunning)), waiting(queued),
      state ? null : el("p", { class: "soft", id: "idle" }, "Nothing runs and nothing waits."));
    if (focused) card(focused)?.querySelector("button")?.focus();
    shown = state;
  }
  followSome(running.items.slice(0, MOST_STREAMS));
}

function waiting({ items, next_cursor: more }) {
  if (!items.length) return null;
  const rest = items.length - MOST_WAITING;
  return el("article", { class: "card" }, el("h3", null, "Waiting"), el("ul", { class: "rows" },
    items.slice(0, MOST_WAITING).map((job) => el("li", { "data-job": job.id },
      el("a", { href: path`/console/jobs/${job.id}` }, jobTitle(job)), el("span", { class: "soft" }, progressText(job)), cancelButton(job, showRunning))),
    rest > 0 ? el("li", null, el("a", { href: "/console/jobs?status=queued" }, `and ${rest}${more ? " or more" : ""} others`)) : null));
}

const card = (id) => byId("running").querySelector(`[data-job="${CSS.escape(id)}"]`);

function followSome(jobs) {
  const wanted = new Set(jobs.map((job) => job.id));
  for (const [id, stop] of streams) {
    if (!wanted.has(id)) { stop(); streams.delete(id); }
  }
  for (const job of jobs.filter((each) => !streams.has(each.id))) {
    streams.set(job.id, follow(job.id, {
      progress: (data) => update(job.id, data),
      completed: () => { streams.delete(job.id); Promise.all([showRunning(), showLatest()]); },
    }));
  }
}

function update(id, { status, ...progress }) {
  const node = card(id);
  if (!node) return;
  const now = { status, progress };
  const bar = node.querySelector("progress");
  if (!bar) return;
  if (progress.total > 0) { bar.max = progress.total; bar.value = progress.done; }
  node.querySelector(".done").textContent = progressText(now);
  node.querySelector(".eta").textContent = etaText(now);
}

async function showStatus() {
  const status = await get("/status");
  fill(byId("queues").tBodies[0], status.queues.map((queue) => el("tr", null,
    el("th", { scope: "row" }, queue.queue),
    el("td", queue.workers === 0 ? { class: "alarm" } : null, queue.workers ?? "unknown"),
    el("td", null, count(queue.running)), el("td", null, count(queue.ready)),
    el("td", null, count(queue.blocked)),
    el("td", null, queue.ready ? duration(queue.oldest_ready_seconds) : "–"))));
  const { disk, stored } = status;
  fill(byId("machine"),
    disk === null ? null : el("div", null,
      el("meter", {
        min: 0, max: disk.total_bytes, value: disk.total_bytes - disk.free_bytes,
        "aria-label": "Disk in use",
      }),
      el("p", { class: "soft" }, `${bytes(disk.free_bytes)} free of ${bytes(disk.total_bytes)}`)),
    facts([
      ["Data sets", `${count(stored.datasets)}, ${bytes(stored.dataset_bytes)}`],
      ["Models", `${count(stored.models)}, ${bytes(stored.model_bytes)}`],
    ]),
    status.devices.length === 0
      ? el("p", { class: "alarm" }, "No worker is there.")
      : status.devices.map(device));
}

const device = (each) => el("div", { class: "device" },
  el("h3", null, each.device === "cpu" ? "CPU" : each.device),
  el("p", { class: "soft" }, each.workers.join(", "),
    each.memory_share === null ? null : `; ${percent(each.memory_share)} of its memory`,
    each.trainings.length ? ["; trains ", ...each.trainings.flatMap((id) => [idLink(id), " "])] : null));

async function showLatest() {
  const [datasets, gans, experiments] = await Promise.all(
    ["/datasets", "/gans", "/experiments"].map((list) => get(`${list}?limit=12`)));
  const ended = ({ items }) => items.filter((each) => each.status === "succeeded").slice(0, MOST_OF_A_KIND);
  const results = [
    ...datasets.items.slice(0, MOST_OF_A_KIND).map((each) => ({ ...each, what: each.kind, page: path`/console/datasets/${each.id}`,
      picture: path`/datasets/${each.id}/contact-sheet.png` + "?n=16", text: `${count(each.images)} images` })),
    ...ended(gans).map((each) => ({ ...each, what: "GAN",
      page: path`/console/gans/${each.id}`, picture: path`/gans/${each.id}/preview.png`,
      text: `${count(each.step)} steps` })),
    ...ended(experiments).map((each) => ({ ...each,
      what: "experiment", page: path`/console/experiments/${each.id}`, text: each.summary })),
  ].sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
  fill(byId("latest"), results.length ? results.map(tile)
    : el("p", { class: "soft" }, "Nothing yet. Begin with ", el("a", { href: "/console/datasets" }, "a data set"), "."));
}

const tile = (result) => el("article", { class: "tile" },
  result.picture ? el("img", { class: "picture", src: result.picture, alt: "", loading: "lazy" }) : null,
  el("div", { class: "text" },
    el("h3", null, el("a", { href: result.page }, result.name)),
    el("p", null, `${result.what} · ${ago(result.created_at)}`), el("p", null, result.text)));

showCalls([
  ["What runs", { path: "/jobs?status=running" }],
  ["Queues, workers, devices, disk", { path: "/status" }],
  ["Follow a job until it ends", { path: "/jobs/job_…/events", stream: true }],
  ["Cancel it", { method: "POST", path: "/jobs/job_…/cancel" }],
]);
every(3, showRunning);
every(5, showStatus);
every(30, showLatest);
