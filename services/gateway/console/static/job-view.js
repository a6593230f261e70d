// Jobs as people see them: what they do, how far they are, what they made.

import { ask, attempt, path, post } from "./api.js";
import { el, workButton } from "./dom.js";
import { count, duration, since, spaced } from "./format.js";

export const ENDED = new Set(["succeeded", "failed", "cancelled"]);

const PAGES = { ds: "datasets", gan: "gans", exp: "experiments", job: "jobs" };

/** A link to the page of whatever has this id; ids of other kinds are text. */
export function idLink(id, text = id) {
  const folder = PAGES[String(id).split("_")[0]];
  return folder ? el("a", { href: path`/console/${folder}/${id}` }, text) : el("code", null, text);
}

const KINDS = {
  ingest: "Take in", preprocess: "Preprocess", augment: "Augment", subset: "Draw images",
  "pseudo-label": "Label by a classifier",
  "train-gan": "Train GAN", generate: "Generate", "generate-set": "Generate",
  "train-classifier": "Train classifier", experiment: "Compare arms", classify: "Classify",
  "augment-part": "Augment a part", "preprocess-part": "Preprocess a part", "prepare-image": "Read DICOM", "preprocess-preview": "Preview preprocessing", "augment-preview": "Preview augmentation",
  collect: "Collect what has expired",
};

export const jobKind = (job) => KINDS[job.kind] ?? spaced(job.kind);

export function jobTitle(job) {
  const { name, category, n, dataset, architecture, seed } = job.input;
  const kind = jobKind(job);
  if (job.kind === "generate") return `${kind} ${count(n)} × ${spaced(category)}`;
  const what = name ?? (architecture ? `${spaced(architecture)}, seed ${seed}` : dataset);
  return what ? `${kind}: ${what}` : kind;
}

/** Links to what a job made, or is making. */
export function madeBy(job) {
  const made = { ...job.output };
  return ["dataset", "gan", "classifier", "experiment"]
    .filter((kind) => typeof made[kind] === "string")
    .flatMap((kind) => [idLink(made[kind]), " "]);
}

export const statusBadge = (status) => el("span", { class: `status ${status}` }, status);

export function progressBar(job) {
  const { done, total } = job.progress;
  const label = `Progress of ${jobTitle(job)}`;
  return total > 0
    ? el("progress", { max: total, value: Math.min(done, total), "aria-label": label })
    : el("progress", { "aria-label": label, value: job.status === "succeeded" ? 1 : 0, max: 1 });
}

export function progressText({ progress: { done, total, unit }, status }) {
  if (total === 0) return status === "running" ? "under way" : "";
  return `${count(done)} of ${count(total)} ${unit}${total === 1 ? "" : "s"}`;
}

export function etaText(job) {
  if (job.status !== "running") return "";
  const eta = job.progress.eta_seconds;
  return eta === null || eta === undefined ? "" : `${duration(eta)} to go`;
}

export function took(job) {
  if (!job.started_at) return null;
  return job.finished_at ? (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000 : since(job.started_at);
}

export function cancelButton(job, changed) {
  if (ENDED.has(job.status)) return null;
  return workButton("Cancel", () => attempt(async () => {
    await post(path`/jobs/${job.id}/cancel`);
    await changed();
  }), { "aria-label": `Cancel ${jobTitle(job)}` });
}

export function retryButton(job, changed) {
  if (job.status !== "failed" && job.status !== "cancelled") return null;
  return workButton("Retry", () => attempt(async () => {
    await post(path`/jobs/${job.id}/retry`);
    await changed();
  }), { "aria-label": `Retry ${jobTitle(job)}` });
}

export const jobCard = (job, changed) =>
  el("article", { class: "card", "data-job": job.id },
    el("header", null,
      el("h3", null, el("a", { href: path`/console/jobs/${job.id}` }, jobTitle(job))),
      statusBadge(job.status), cancelButton(job, changed), retryButton(job, changed)),
    progressBar(job),
    el("p", { class: "line" },
      el("span", { class: "done" }, progressText(job)),
      el("span", { class: "eta" }, etaText(job)),
      el("span", null, job.started_at ? `${duration(took(job))} so far` : "waits"),
      job.attempts > 1 ? el("span", null, `attempt ${job.attempts}`) : null));

/** Delete something after a question; `ask` is the browser's own dialogue. */
export const deleteButton = (what, address, after) =>
  workButton("Delete", () => attempt(async () => {
    if (!window.confirm(`Delete ${what}? This cannot be undone.`)) return;
    await ask("DELETE", address);
    location.assign(after);
  }));
