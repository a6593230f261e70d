import { all, attempt, get, path, post, query, tellDone } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, facts, fill, guardForm, subject } from "./dom.js";
import { ago, bytes, count, spaced } from "./format.js";
import { graph, scrolled } from "./graph.js";
import { deleteButton, idLink } from "./job-view.js";
import { listing } from "./listing.js";
import { thumbnail } from "./thumbnails.js";

const filter = byId("filter");
let deep = false;

const imagesAddress = () => path`/datasets/${subject}/images` + query(Object.fromEntries(new FormData(filter)));

function showAbout(dataset) {
  byId("title").textContent = dataset.name;
  document.title = `${dataset.name} · LesionGAN`;
  fill(byId("about"),
    dataset.phantom ? el("p", { class: "banner" }, el("strong", null, "Phantom images."), " They were computed, not scanned.") : null,
    facts([
      ["Kind", dataset.kind], ["Images", count(dataset.images)], ["Size", bytes(dataset.bytes)],
      ["Made", ago(dataset.created_at)], ["Id", el("code", null, dataset.id)],
      ["From", dataset.parents.length ? dataset.parents.flatMap((id) => [idLink(id), " "]) : null],
    ]),
    el("p", null,
      el("a", { class: "button", href: path`/datasets/${subject}/archive`, download: true }, "Download ZIP"), " ",
      el("a", { class: "button", href: path`/datasets/${subject}/archive` + "?format=dicom", download: true }, "Download DICOM"), " ",
      el("a", { class: "button", href: path`/datasets/${subject}/card`, download: `${subject}.md` }, "Data-set card"), " ",
      deleteButton(dataset.name, path`/datasets/${subject}`, "/console/datasets")),
    dataset.notes.length ? el("ul", { class: "soft" }, dataset.notes.map((note) => el("li", null, note))) : null,
    el("details", null, el("summary", null, "The command that made it"), el("pre", null, JSON.stringify(dataset.command, null, 2))));
}

function showCounts({ counts }) {
  const splits = ["train", "val", "test", "unsplit"].filter((split) => counts[split]);
  const categories = [...new Set(splits.flatMap((split) => Object.keys(counts[split])))];
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const cell = (split, category) => counts[split][category] ?? 0;
  fill(byId("counts"), el("table", { class: "plain figures" },
    el("thead", null, el("tr", null, el("th", { scope: "col" }, "Category"),
      splits.map((split) => el("th", { scope: "col" }, split === "unsplit" ? "no split" : split)), el("th", { scope: "col" }, "All"))),
    el("tbody", null,
      categories.map((category) => el("tr", null, el("th", { scope: "row" }, spaced(category)),
        splits.map((split) => el("td", null, count(cell(split, category)))),
        el("td", null, count(sum(splits.map((split) => cell(split, category))))))),
      el("tr", null, el("th", { scope: "row" }, "all"),
        splits.map((split) => el("td", null, count(sum(Object.values(counts[split]))))),
        el("td", null, count(sum(splits.flatMap((split) => Object.values(counts[split])))))))));
}

async function showChecks() {
  const report = await get(path`/datasets/${subject}/report`);
  const pairs = (what, found) => [what, found && `${count(found.pairs)}${found.complete ? "" : " or more"}, ${count(found.crossing)} across splits`];
  fill(byId("checks"),
    facts([
      ["Patients", count(report.patients)], ["In several splits", count(report.patients_in_several_splits)],
      pairs("Exact duplicates", report.exact_duplicates), pairs("Near duplicates", report.near_duplicates),
    ]),
    report.skipped_total === 0 ? el("p", { class: "soft" }, "Nothing was skipped.")
      : el("table", { class: "plain", id: "skipped" },
        el("thead", null, el("tr", null, ["Why it was skipped", "How many", "First of them"].map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", null, report.skipped.map(({ reason, count: n, places }) =>
          el("tr", null, el("td", null, reason), el("td", null, count(n)), el("td", null, places.join(", ")))))));
}

/** What it comes of and what comes of it. */
async function showLineage(dataset) {
  const [datasets, gans, experiments] = await Promise.all(["/datasets", "/gans", "/experiments"].map((list) => all(list, 400)));
  const nodes = [
    ...datasets.map((each) => ({ id: each.id, parents: each.parents.concat(each.command.gan ?? []), title: each.name,
      text: `${each.kind}, ${count(each.images)}`, href: path`/console/datasets/${each.id}` })),
    ...gans.map((each) => ({ id: each.id, parents: [each.dataset], title: each.name, text: `GAN, ${each.status}`, href: path`/console/gans/${each.id}` })),
    ...experiments.map((each) => ({ id: each.id, parents: [each.dataset], title: each.name, text: `experiment, ${each.status}`,
      href: path`/console/experiments/${each.id}` })),
  ];
  const known = new Map(nodes.map((node) => [node.id, node]));
  const kept = new Set([subject]);
  const climb = (id) => known.get(id)?.parents.forEach((each) => { if (!kept.has(each)) { kept.add(each); climb(each); } });
  climb(subject);
  for (let grown = true; grown;) {
    const below = nodes.filter((node) => !kept.has(node.id) && node.parents.some((id) => kept.has(id) && reaches(known, id, dataset.id)));
    below.forEach((node) => kept.add(node.id));
    grown = below.length > 0;
  }
  fill(byId("lineage"), scrolled(graph(
    nodes.filter((node) => kept.has(node.id)).map((node) => ({ ...node, current: node.id === subject })), "Lineage of the data set")));
}

function reaches(known, id, goal, seen = new Set()) {
  if (id === goal) return true;
  seen.add(id);
  return (known.get(id)?.parents ?? []).some((each) => !seen.has(each) && reaches(known, each, goal, seen));
}

/** A form that submits a job about this data set, and says how it is asked for by HTTP. */
function action(title, address, fields, body, [what]) {
  const form = el("form", { class: "inline" }, fields, el("button", { type: "submit", class: "primary" }, title));
  const json = () => body(Object.fromEntries(new FormData(form)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const job = await post(address, json());
      tellDone(`${what}: `, idLink(job.id, "see the job"));
    });
  });
  guardForm(form);
  return { form, call: () => [title, { method: "POST", path: address, json: json() }] };
}

const field = (label, input) => el("label", null, label, input);
const options = (name, values) => el("select", { name }, values.map((value) => el("option", null, value)));
const given = (name) => (name ? { name } : {});

function actions(dataset) {
  const name = () => field("Name", el("input", { name: "name", maxlength: 200, placeholder: "as it is called now" }));
  if (dataset.kind === "raw") {
    return [action("Preprocess", "/preprocess", [
      field("Contrast", options("contrast", ["window", "gray_bands", "clahe", "lesiongan"])),
      field("Crop", options("crop", ["lesion", "slice"])), field("Size", options("size", [64, 32, 128, 256])), name(),
    ], (v) => ({ dataset: subject, contrast: v.contrast, crop: v.crop, size: Number(v.size), ...given(v.name) }), ["Preprocessing"])];
  }
  const train = action("Train a GAN", "/gans", [
    field("Steps", el("input", { name: "steps", type: "number", min: 1, value: 20000 })),
    field("Seed", el("input", { name: "seed", type: "number", min: 0, value: 0 })), name(),
  ], (v) => ({ dataset: subject, steps: Number(v.steps), seed: Number(v.seed), ...given(v.name) }), ["Training"]);
  const classify = action("Train a classifier", "/classifiers", [
    field("Architecture", options("architecture", ["small_cnn", "resnet18", "mobilenet_v2", "convnext_tiny"])),
    field("Epochs", el("input", { name: "epochs", type: "number", min: 1, value: 30 })), name(),
  ], (v) => ({ datasets: [subject], architecture: v.architecture, epochs: Number(v.epochs), ...given(v.name) }), ["Training"]);
  const augment = action("Augment", "/augment", [
    field("Copies of each", el("input", { name: "copies", type: "number", min: 1, max: 20, value: 3 })), name(),
  ], (v) => ({ dataset: subject, copies: Number(v.copies), ...given(v.name) }), ["Augmentation"]);
  return { preprocessed: [train, classify, augment], augmented: [classify], synthetic: [] }[dataset.kind];
}

async function show() {
  const dataset = await get(path`/datasets/${subject}`);
  deep = dataset.kind === "raw";
  showAbout(dataset);
  showCounts(dataset);
  const offered = actions(dataset);
  fill(byId("next"), offered.length ? offered.map(({ form }) => form) : el("p", { class: "soft" }, "Synthetic images train a classifier beside real ones: start an experiment."));
  const calls = () => showCalls([
    ["This data set", { path: path`/datasets/${subject}` }], ["Its images", { path: imagesAddress() }],
    ["All of it as a ZIP", { path: path`/datasets/${subject}/archive`, output: `${subject}.zip` }],
    ...offered.map(({ call }) => call()),
  ]);
  byId("next").addEventListener("input", calls);
  filter.addEventListener("change", calls);
  calls();
  await Promise.all([begin(), showChecks(), showLineage(dataset)]);
}

const begin = listing(byId("gallery"), imagesAddress, (image) => thumbnail(subject, image, deep), { limit: 36, empty: "No image is like this." });
filter.addEventListener("change", begin);
filter.addEventListener("submit", (event) => event.preventDefault());
attempt(show);
