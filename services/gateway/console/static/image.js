import { all, ask, attempt, get, path, query } from "./api.js";
import { showCalls } from "./calls.js";
import { barChart } from "./chart.js";
import { byId, el, facts, fill, guardForm, subject } from "./dom.js";
import { bytes, number, spaced } from "./format.js";
import { DEFAULT_WINDOW_HU, draw, fetchPng, histogram } from "./png.js";
import { thumbnail } from "./thumbnails.js";

const [dataset] = location.pathname.split("/").slice(3);
const index = Number(subject);
const address = path`/datasets/${dataset}/images/${index}`;
const PRESETS = { lung: [-1350, 150], abdomen: [-160, 240], bone: [-500, 1300], mediastinum: [-175, 275], brain: [0, 80] };

function showWindow(png, record) {
  const form = byId("window");
  const own = record.window_hu ?? DEFAULT_WINDOW_HU;
  const presets = { "its own": own, ...PRESETS };
  fill(form.elements.preset, Object.keys(presets).map((name) => el("option", null, name)));
  const redraw = () => {
    const [centre, width] = [form.elements.centre.valueAsNumber, form.elements.width.valueAsNumber];
    form.elements["centre-text"].textContent = `${number(centre)} HU`;
    form.elements["width-text"].textContent = `${number(width)} HU`;
    draw(byId("image"), png, [centre - width / 2, centre + width / 2]);
    if (record.box_px) outline(record.box_px);
  };
  const choose = ([low, high]) => { form.elements.centre.value = (low + high) / 2; form.elements.width.value = high - low; redraw(); };
  form.elements.preset.addEventListener("change", () => choose(presets[form.elements.preset.value]));
  form.addEventListener("input", (event) => { if (event.target.type === "range") redraw(); });
  form.hidden = false;
  choose(own);
}

function outline([left, top, right, bottom]) {
  const context = byId("image").getContext("2d");
  context.strokeStyle = "#ffd34d";
  context.lineWidth = Math.max(1, byId("image").width / 256);
  context.strokeRect(left, top, right - left, bottom - top);
}

function showPreview(data, name) {
  byId("preview-section").hidden = false;
  const form = byId("preview");
  const where = () => `/preprocess/preview${query({ ...Object.fromEntries(new FormData(form)), crop: "slice" })}`;
  let shown = null;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const answer = await ask("POST", where(), { body: data, headers: { "Content-Type": "image/png", Prefer: "wait=60" } });
      if (shown) URL.revokeObjectURL(shown);
      shown = URL.createObjectURL(await answer.blob());
      fill(byId("preview-picture"), el("img", { class: "shown", src: shown, alt: "Before, and after preprocessing" }));
    });
  });
  guardForm(form);
  const calls = () => showCalls([
    ["This image", { path: address, output: name }],
    ["Before and after preprocessing", { method: "POST", path: where(), file: { name, type: "image/png" }, output: "preview.png" }],
  ]);
  form.addEventListener("input", calls);
  calls();
}

/** Images of the same source in the data sets that this one comes of, and that come of it. */
async function showKin(record) {
  const here = await get(path`/datasets/${dataset}`);
  const below = (await all("/datasets", 400)).filter((each) => each.parents.includes(dataset));
  const above = (await Promise.all(here.parents.map((id) => get(path`/datasets/${id}`)))).filter((each) => each.kind !== "synthetic");
  const found = await Promise.all([...above, ...below].map(async (each) => {
    const { items } = await get(path`/datasets/${each.id}/images` + query({ source: record.source, limit: 12 }));
    return items.map((item) => thumbnail(each.id, item, each.kind === "raw", `${each.name}, ${item.index}`));
  }));
  fill(byId("kin"), found.flat().length ? found.flat() : el("p", { class: "soft" }, "No other data set has an image of this source."));
}

async function show() {
  const { items } = await get(path`/datasets/${dataset}/images` + query({ limit: 2, cursor: index }));
  const record = items.find((each) => each.index === index);
  byId("back").href = path`/console/datasets/${dataset}`;
  if (!record) throw new TypeError(`there is no image ${index}`);
  const link = (id, to) => { byId(id).href = path`/console/datasets/${dataset}/images/${to}`; byId(id).hidden = false; };
  if (index > 0) link("before", index - 1);
  if (items.length > 1) link("after", index + 1);
  const png = await fetchPng(address);
  byId("title").textContent = `${record.category ? spaced(record.category) : "unlabelled"}, image ${index}`;
  if (png.depth === 16) showWindow(png, record); else draw(byId("image"), png);
  const chart = histogram(png);
  const unit = png.depth === 16 ? "HU" : "";
  fill(byId("histogram"), barChart(`Histogram from ${number(chart.low)} to ${number(chart.high)} ${unit}`, chart, unit));
  fill(byId("about"), facts([
    ["Category", record.category ? spaced(record.category) : "none"], ["Split", record.split], ["Patient", record.patient],
    ["Source", record.source], ["Size", `${png.width} × ${png.height} px, ${png.depth} bits`], ["Stored", bytes(record.bytes)],
    ["Spacing", record.spacing_mm && `${number(record.spacing_mm)} mm`],
    ["Lesion", record.box_px && record.box_px.map((each) => Math.round(each)).join(", ")],
    ["Window", record.window_hu && `${record.window_hu.map(number).join(" to ")} HU`],
    ["Seed", record.seed === null ? null : String(record.seed)], ["Draw", record.draw],
    ["SHA-256", el("code", null, record.sha256)],
  ]));
  if (png.channels === 1) showPreview(await (await ask("GET", address)).blob(), `${dataset}-${index}.png`);
  else showCalls([["This image", { path: address, output: `${index}.png` }]]);
  await showKin(record);
}

document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select")) return;
  const to = { ArrowLeft: byId("before"), ArrowRight: byId("after") }[event.key];
  if (to && !to.hidden) location.assign(to.href);
});
attempt(show);
