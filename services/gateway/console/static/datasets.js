import { CONFIRMATION, attempt, path, query, tell, tellDone, toSignIn } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el, guardForm } from "./dom.js";
import { follow } from "./follow.js";
import { ago, bytes, count } from "./format.js";
import { idLink } from "./job-view.js";
import { listing } from "./listing.js";

const form = byId("upload");
const text = byId("upload-text");
const bar = byId("upload-state").querySelector("progress");

const tile = (dataset) => el("article", { class: "tile", "data-id": dataset.id },
  el("img", { class: "picture", src: path`/datasets/${dataset.id}/contact-sheet.png` + "?n=16", alt: "", loading: "lazy" }),
  el("div", { class: "text" },
    el("h3", null, el("a", { href: path`/console/datasets/${dataset.id}` }, dataset.name)),
    el("p", null, `${dataset.kind}${dataset.phantom ? ", phantoms" : ""} · ${ago(dataset.created_at)}`),
    el("p", null, `${count(dataset.images)} images, ${bytes(dataset.bytes)}`)));

const show = listing(byId("datasets"), () => "/datasets", tile, { empty: "No data set yet: upload an archive." });

/** `fetch` does not say how much of a body has gone; XMLHttpRequest does. */
function send(body, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/datasets");
    for (const [name, value] of Object.entries(CONFIRMATION)) request.setRequestHeader(name, value);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      if (request.status === 401) toSignIn();
      else if (request.status < 300) resolve(request.response);
      else reject(new TypeError(request.response?.detail ?? `the server answered ${request.status}`));
    });
    request.addEventListener("error", () => reject(new TypeError("the upload broke off")));
    request.send(body);
  });
}

async function upload() {
  byId("upload-state").hidden = false;
  bar.value = 0;
  const body = new FormData(form);
  // The file goes last: by then the server knows what it is.
  const file = body.get("file");
  body.delete("file");
  body.append("file", file);
  const job = await send(body, (loaded, total) => {
    bar.max = total; bar.value = loaded;
    text.textContent = `${bytes(loaded)} of ${bytes(total)} sent`;
  });
  bar.removeAttribute("value");
  follow(job.id, {
    progress: ({ done, total }) => {
      text.textContent = `taken in: ${count(done)}${total ? ` of ${count(total)}` : ""} images`;
      if (total) { bar.max = total; bar.value = done; }
    },
    completed: async (ended) => {
      byId("upload-state").hidden = true;
      if (ended.status !== "succeeded") { tell(ended.error?.detail ?? "the job was cancelled", " (", idLink(job.id, "the job"), ")"); return; }
      form.reset();
      await show();
      tellDone("Taken in: ", idLink(ended.output.dataset, body.get("name")));
    },
  });
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  const done = await attempt(async () => { await upload(); return true; });
  if (!done) byId("upload-state").hidden = true;
  button.disabled = false;
});

function calls() {
  const { layout, name, file } = form.elements;
  showCalls([
    ["Take in an archive", { method: "POST", path: "/datasets", form: {
      layout: layout.value, name: name.value || "my data", file: `@${file.files[0]?.name ?? "archive.zip"}` } }],
    ["List data sets", { path: `/datasets${query({ limit: 24 })}` }],
  ]);
}

form.addEventListener("input", calls);
guardForm(form);
calls();
show();
