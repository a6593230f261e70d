import { all, ask, attempt, get, path, post, query, tell, tellDone } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, fill, guardForm } from "./dom.js";
import { follow } from "./follow.js";
import { count } from "./format.js";
import { ENDED, cancelButton, etaText, idLink, progressBar, progressText } from "./job-view.js";
import { pngsOf } from "./zip-stream.js";

const form = byId("generate");
// More than a stream may have goes through a job alone; more than a page can show is counted.
const MOST_STREAMED = 2000;
const MOST_SHOWN = 200;
let leave = () => {};
// Whether the job has said how it ended: then a stream that breaks off says nothing new.
let over = false;

const asked = () => query(Object.fromEntries(new FormData(form)));

async function showModels() {
  const gans = (await all("/gans", 200)).filter((gan) => gan.weights_sha256);
  form.elements.gan.append(...gans.map((gan) => el("option", { value: gan.id }, `${gan.name}${gan.default ? " (the default)" : ""}`)));
  const wanted = new URLSearchParams(location.search).get("gan");
  if (gans.some((gan) => gan.id === wanted)) form.elements.gan.value = wanted;
  calls();
}

function calls() {
  const n = form.elements.n.valueAsNumber;
  const what = `${form.elements.category.value}-${n}.zip`;
  showCalls([
    ...(n <= MOST_STREAMED ? [["Stream a ZIP while the images are made", { path: `/generate${asked()}`, output: what }]] : []),
    ["Make a data set of them", { method: "POST", path: `/generate${asked()}` }],
    ["Fetch it, as PNG or as DICOM", { path: "/datasets/ds_…/archive?format=dicom", output: what }],
  ]);
}

function showState(job) {
  fill(byId("state"), el("div", { class: "card" }, progressBar(job),
    el("p", { class: "line" }, el("span", null, progressText(job)), el("span", null, etaText(job)), idLink(job.id, "the job"),
      el("span", null, "seed ", el("code", null, String(job.input.seed))), cancelButton(job, async () => {}))));
}

const thumbnail = (url, name) => el("a", { class: "thumbnail", href: url, download: name },
  el("img", { class: "picture", src: url, alt: `synthetic image ${name}` }), el("span", null, name));

async function showArriving(answer) {
  let arrived = 0;
  for await (const [name, blob] of pngsOf(answer.body)) {
    arrived += 1;
    if (arrived <= MOST_SHOWN) byId("gallery").append(thumbnail(URL.createObjectURL(blob), name.split("/").at(-1)));
    byId("arrived").textContent = `${count(arrived)} arrived${arrived > MOST_SHOWN ? `, the first ${MOST_SHOWN} are shown` : ""}`;
  }
}

function showEnd(job) {
  over = true;
  showState(job);
  if (job.status === "cancelled") { tellDone("Cancelled. Below is what had arrived."); return; }
  if (job.error) { tell(job.error.detail); return; }
  const archive = path`/datasets/${job.output.dataset}/archive`;
  fill(byId("downloads"),
    el("a", { class: "button", href: archive, download: true }, "Download ZIP"), " ",
    el("a", { class: "button", href: `${archive}?format=dicom`, download: true }, "Download DICOM"), " ",
    idLink(job.output.dataset, "Open the data set"));
}

const watch = (job) => follow(job.id, {
  progress: ({ status, ...progress }) => showState({ ...job, status, progress }),
  completed: showEnd,
});

async function start() {
  leave();
  over = false;
  [...byId("gallery").querySelectorAll("img")].forEach((image) => URL.revokeObjectURL(image.src));
  ["gallery", "downloads", "state", "arrived"].forEach((id) => fill(byId(id)));
  if (form.elements.n.valueAsNumber > MOST_STREAMED) {
    leave = watch(await post(`/generate${asked()}`));
    return;
  }
  const answer = await ask("GET", `/generate${asked()}`);
  const job = await get(path`/jobs/${answer.headers.get("X-Job-Id")}`);
  if (ENDED.has(job.status)) showEnd(job); else leave = watch(job);
  try {
    await showArriving(answer);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    if (!over) tell("The stream broke off: ", idLink(job.id, "see the job"));
  }
}

form.addEventListener("submit", (event) => { event.preventDefault(); attempt(start); });
form.addEventListener("input", calls);
guardForm(form);
attempt(showModels);
