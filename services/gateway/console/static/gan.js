import { ask, attempt, get, path, query } from "./api.js";
import { showCalls } from "./calls.js";
import { lineChart } from "./chart.js";
import { byId, el, facts, fill, subject, workButton } from "./dom.js";
import { follow } from "./follow.js";
import { ago, count, number, percent, spaced } from "./format.js";
import { ENDED, cancelButton, deleteButton, idLink, progressBar, progressText, etaText, statusBadge } from "./job-view.js";

const CHARTS = [
  ["Losses", /loss|wasserstein/], ["Generator's gradient", /generator_gradient/], ["Critic's gradient", /gradient|penalty/], ["KID", /^kid/], ["FID", /^fid/],
  ["Scores", /precision|recall|density|coverage|authenticity/], ["Diversity", /diversity|flat/],
  ["Learning rate", /learning_rate/], ["Rollbacks", /rollback/], ["Images a second", /per_second/],
];
// Redrawing is for people: more often than this is flicker.
const REDRAW_SECONDS = 1;
const points = new Map();
let gan = null;
let steps = [];
let drawing = null;

const add = (step, values) => points.set(step, { ...points.get(step), ...values });

function drawCharts() {
  const series = new Map();
  for (const [step, values] of [...points].sort((a, b) => a[0] - b[0])) {
    for (const [name, value] of Object.entries(values)) {
      if (typeof value !== "number" || !Number.isFinite(value)) continue;
      if (!series.has(name)) series.set(name, []);
      series.get(name).push([step, value]);
    }
  }
  const left = new Set(series.keys());
  const charts = [...CHARTS, ["Other", /./]].map(([title, names]) => {
    const ours = [...left].filter((name) => names.test(name));
    ours.forEach((name) => left.delete(name));
    return [title, ours.map((name) => ({ name, points: series.get(name) }))];
  });
  const drawn = charts.filter(([, each]) => each.length).map(([title, each]) => lineChart(title, each));
  fill(byId("charts"), drawn.length ? drawn : el("p", { class: "soft" }, "No metrics yet."));
}

function redrawSoon() {
  drawing ??= setTimeout(() => { drawing = null; drawCharts(); }, REDRAW_SECONDS * 1000);
}

function showAbout(job) {
  byId("title").textContent = gan.name;
  document.title = `${gan.name} · LesionGAN`;
  const scores = Object.entries(gan.scores).filter(([, value]) => typeof value === "number");
  fill(byId("about"),
    gan.phantom ? el("p", { class: "banner" }, el("strong", null, "Trained on phantoms."), " They were computed, not scanned.") : null,
    progressBar(job),
    facts([
      ["Status", statusBadge(job.status)], ["Progress", progressText(job)], ["To go", etaText(job)],
      ["Data set", idLink(gan.dataset)], ["Images", `${gan.image_size} px, ${gan.channels} channel${gan.channels > 1 ? "s" : ""}`],
      ["Categories", gan.categories.map(spaced).join(", ")], ["Began", ago(gan.created_at)],
      ["Resumed from", gan.resumed_from_step && `step ${count(gan.resumed_from_step)}`], ["Default", gan.default ? "yes" : "no"],
      ["Weights", gan.weights_sha256 && el("code", null, gan.weights_sha256.slice(0, 16))],
      ...scores.map(([name, value]) => [spaced(name), number(value)]), ["Job", idLink(gan.job)],
    ]),
    job.error ? el("p", { class: "banner" }, job.error.detail) : null,
    el("p", null, cancelButton(job, show),
      gan.weights_sha256 ? [
        el("a", { class: "button", href: `/console/generate?gan=${gan.id}` }, "Generate"), " ",
        el("a", { class: "button", href: path`/gans/${gan.id}/weights`, download: true }, "Download weights"), " ",
        gan.default ? null : workButton("Make it the default", () => attempt(async () => { await ask("PUT", path`/gans/${gan.id}/default`); await show(); })), " ",
      ] : null,
      ENDED.has(job.status) ? deleteButton(gan.name, path`/gans/${gan.id}`, "/console/gans") : null),
    el("details", null, el("summary", null, "The command that made it"), el("pre", null, JSON.stringify(gan.command, null, 2))));
}

const slider = byId("step");

async function showSteps() {
  const atEnd = slider.valueAsNumber >= steps.length - 1;
  ({ steps } = await get(path`/gans/${subject}/previews`));
  slider.max = Math.max(0, steps.length - 1);
  slider.disabled = steps.length < 2;
  if (atEnd) slider.value = slider.max;
  await showGrid();
}

async function showGrid() {
  const step = steps[slider.valueAsNumber];
  if (step === undefined) { byId("step-text").textContent = "no preview yet"; return; }
  const text = `step ${count(step)}, preview ${slider.valueAsNumber + 1} of ${steps.length}`;
  byId("step-text").textContent = text;
  slider.setAttribute("aria-valuetext", text);
  byId("grid").src = path`/gans/${subject}/preview.png` + query({ step });
  byId("grid").alt = `Samples at ${text}, one row a category`;
  await showBeside(step);
}

/** The first real training images of a category beside its row of the grid. */
async function showBeside(step) {
  const category = byId("category").value;
  const columns = 8;
  const { items } = await get(path`/datasets/${gan.dataset}/images` + query({ category, split: "train", limit: columns }));
  const strip = (title, cells) => el("figure", null, el("figcaption", { class: "soft" }, title), el("div", { class: "strip" }, cells));
  const grid = new Image();
  grid.src = path`/gans/${subject}/preview.png` + query({ step });
  await grid.decode();
  const [margin, side] = [2, gan.image_size];
  const row = gan.categories.indexOf(category);
  fill(byId("beside"),
    strip("Real, of the training images", items.map((item) => el("img", { class: "picture", src: path`/datasets/${gan.dataset}/images/${item.index}`, alt: `real ${spaced(category)}` }))),
    strip(`Synthetic, at step ${count(step)}`, Array.from({ length: columns }, (_, i) => {
      const canvas = el("canvas", { class: "picture", width: side, height: side, role: "img", "aria-label": `synthetic ${spaced(category)}` });
      canvas.getContext("2d").drawImage(grid, margin + i * (side + margin), margin + row * (side + margin), side, side, 0, 0, side, side);
      return canvas;
    })));
}

/** Whether it gives back what it was trained on: once it is trained. */
function showPairs() {
  const { memorisation: found } = gan.scores;
  byId("pairs-section").hidden = !found;
  if (!found) return;
  const beside = (value, floor) => `${percent(value)}${floor === null ? "" : `; of new real images ${percent(floor)}`}`;
  fill(byId("pairs-text"),
    found.refused ? el("p", { class: "banner" }, "It gives back training images: neither weights nor images leave.") : null,
    el("p", { class: "soft" }, "The samples that come closest to training images, each to the left of its nearest."),
    facts([
      ["Copies", percent(found.copies)], ["Authenticity", beside(found.authenticity, found.authenticity_floor)],
      ["Distance to the nearest, 1 is that of real images", number(found.nearest_ratio)],
      ["Training images told from new ones (AUC, 0.5 is not at all)", found.membership_auc === null ? null : number(found.membership_auc)],
    ]));
  byId("pairs").src = path`/gans/${subject}/pairs.png`;
}

function line({ level = "info", message, ...rest }) {
  byId("no-events").hidden = true;
  byId("events").prepend(el("li", rest.watchdog ? { class: "watchdog" } : null,
    el("span", { class: level === "warning" ? "alarm" : "what" }, rest.watchdog ? "watchdog" : level), el("span", null, message ?? JSON.stringify(rest))));
}

let following = false;
async function show() {
  gan = await get(path`/gans/${subject}`);
  const job = await get(path`/jobs/${gan.job}`);
  showAbout(job);
  showPairs();
  if (!byId("category").options.length) fill(byId("category"), gan.categories.map((each) => el("option", { value: each }, spaced(each))));
  if (following) return;
  following = true;
  for (const point of (await get(path`/gans/${subject}/metrics`)).points) add(point.step, point.values);
  drawCharts();
  let last = 0;
  follow(gan.job, {
    metric: ({ step, ...values }) => {
      add(step, values);
      redrawSoon();
    },
    log: line,
    progress: ({ status, ...progress }) => {
      const now = { ...job, status, progress };
      byId("about").querySelector("progress").replaceWith(progressBar(now));
      if (Date.now() - last > 3000) { last = Date.now(); attempt(async () => { await show(); await showSteps(); }); }
    },
    completed: () => attempt(async () => { await show(); await showSteps(); }),
  });
  await showSteps();
}

slider.addEventListener("input", () => attempt(showGrid));
byId("category").addEventListener("change", () => attempt(showGrid));
byId("category").form.addEventListener("submit", (event) => event.preventDefault());
showCalls([
  ["This GAN", { path: path`/gans/${subject}` }], ["Its metrics", { path: path`/gans/${subject}/metrics` }],
  ["Its samples at a step", { path: path`/gans/${subject}/preview.png` + "?step=250", output: "preview.png" }],
  ["Its samples beside their nearest training images", { path: path`/gans/${subject}/pairs.png`, output: "pairs.png" }],
  ["Sample it", { method: "POST", path: `/generate?category=liver&n=64&gan=${subject}` }],
]);
attempt(show);
