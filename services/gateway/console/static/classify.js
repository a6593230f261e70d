import { all, ask, attempt, query, tell } from "./api.js";
import { showCalls } from "./calls.js";
import { shareBars } from "./chart.js";
import { byId, el, fill, guardForm } from "./dom.js";
import { percent, spaced } from "./format.js";
import { idLink } from "./job-view.js";

const form = byId("classify");
const drop = byId("drop");
let classifiers = [];
let shown = null;

const chosen = () => classifiers.find(({ id }) => id === form.elements.classifier.value);
const address = () => `/classify${query({ classifier: form.elements.classifier.value || "clf_…", explain: true })}`;

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
    ? `It takes 8-bit PNGs of ${classifier.image_size} × ${classifier.image_size} px, preprocessed as its training images were, and tells apart: ${classifier.categories.map(spaced).join(", ")}.` : "";
  showCalls([["Classify an image", { method: "POST", path: address(), file: { name: form.elements.file.files[0]?.name ?? "lesion.png", type: "image/png" } }]]);
}

async function classify() {
  const file = form.elements.file.files[0];
  byId("state").textContent = "Asking…";
  byId("answer").hidden = true;
  try {
    const answer = await ask("POST", address(), { body: file, headers: { "Content-Type": "image/png" } });
    const said = await answer.json();
    if (answer.status === 202) { fill(byId("state"), "It takes longer than usual: ", idLink(said.id, "see the job")); return; }
    fill(byId("state"), el("p", { class: "summary" }, `${spaced(said.category)}, ${percent(said.probabilities[said.category])}`));
    fill(byId("bars"), shareBars(Object.entries(said.probabilities)));
    if (shown) URL.revokeObjectURL(shown);
    shown = URL.createObjectURL(file);
    byId("given").src = shown;
    byId("cam").src = URL.createObjectURL(new Blob([Uint8Array.from(atob(said.grad_cam), (c) => c.charCodeAt(0))], { type: "image/png" }));
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
  changed();
  form.requestSubmit();
});
form.addEventListener("input", changed);
form.addEventListener("submit", (event) => { event.preventDefault(); attempt(classify); });
guardForm(form);
attempt(show);
