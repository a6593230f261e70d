import { all, ask, attempt, query, tell } from "./api.js";
import { showCalls } from "./calls.js";
import { shareBars } from "./chart.js";
import { byId, el, fill, guardForm } from "./dom.js";
import { percent, spaced } from "./format.js";
import { idLink } from "./job-view.js";

const form = byId("classify");
const drop = byId("drop");
let classifiers = [];
// Addresses of the two pictures.
let shown = [];
// The chosen file, and whether it is DICOM.
let sent = null;

const chosen = () => classifiers.find(({ id }) => id === form.elements.classifier.value);
const address = () => `/classify${query({ classifier: form.elements.classifier.value || "clf_…", explain: true,
  box: sent?.dicom ? form.elements.box.value.replaceAll(/\s/g, "") : "" })}`;
// A DICOM file says so behind its preamble; its name may say nothing.
const isDicom = async (file) => await file.slice(128, 132).text() === "DICM";

async function show() {
  classifiers = (await all("/classifiers", 400)).filter(({ weights_sha256: weights }) => weights);
  const wanted = new URLSearchParams(location.search).get("classifier");
  fill(form.elements.classifier, classifiers.map((each) => el("option", { value: each.id, selected: each.id === wanted }, each.name)));
  if (!classifiers.length) tell("There is no classifier yet: train one from a preprocessed data set.");
  changed();
}

function changed() {
  const classifier = chosen();
  byId("takes").textContent = classifier
    ? `It takes DICOM files of one CT slice, and 8-bit PNGs of ${classifier.image_size} × ${classifier.image_size} px, preprocessed as its training images were. It tells apart: ${classifier.categories.map(spaced).join(", ")}.` : "";
  byId("box-label").hidden = !sent?.dicom;
  showCalls([["Classify an image", { method: "POST", path: address(), file: { name: sent?.file.name ?? "lesion.png", type: type() } }]]);
}

const type = () => (sent?.dicom ? "application/dicom" : "image/png");

// Done when `sent` is known of the file that was chosen last.
let choosing = Promise.resolve();

async function choose() {
  const file = form.elements.file.files[0];
  sent = file ? { file, dicom: await isDicom(file) } : null;
  changed();
}

const pngOf = (base64) => new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: "image/png" });

function showPictures(said) {
  shown.forEach((url) => URL.revokeObjectURL(url));
  shown = [said.prepared ? pngOf(said.prepared) : sent.file, pngOf(said.grad_cam)].map((blob) => URL.createObjectURL(blob));
  [byId("given").src, byId("cam").src] = shown;
  byId("given-text").textContent = { slice: "The whole slice, as it was classified", lesion: "The lesion, as it was classified" }[said.crop] ?? "Sent";
}

const WHOLE = "The whole slice was classified. Say where the lesion is: classifiers are trained on lesions.";

async function classify() {
  await choosing;
  byId("state").textContent = "Asking…";
  byId("answer").hidden = true;
  try {
    const answer = await ask("POST", address(), { body: sent.file, headers: { "Content-Type": type() } });
    const said = await answer.json();
    if (answer.status === 202) { fill(byId("state"), "It takes longer than usual: ", idLink(said.id, "see the job")); return; }
    fill(byId("state"), el("p", { class: "summary" }, `${spaced(said.category)}, ${percent(said.probabilities[said.category])}`),
      said.crop === "slice" && !form.elements.box.value ? el("p", { class: "soft" }, WHOLE) : null);
    fill(byId("bars"), shareBars(Object.entries(said.probabilities)));
    showPictures(said);
    byId("answer").hidden = false;
  } catch (error) {
    fill(byId("state"));
    throw error;
  }
}

for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.toggle("over", over); });
}
drop.addEventListener("drop", (event) => {
  form.elements.file.files = event.dataTransfer.files;
  choosing = attempt(choose);
  form.requestSubmit();
});
form.elements.file.addEventListener("change", () => { choosing = attempt(choose); });
form.addEventListener("input", changed);
form.addEventListener("submit", (event) => { event.preventDefault(); attempt(classify); });
guardForm(form);
attempt(show);
