import { path } from "./api.js";
import { showCalls } from "./calls.js";
import { byId, el } from "./dom.js";
import { ago, count } from "./format.js";
import { statusBadge } from "./job-view.js";
import { listing } from "./listing.js";

// A step is told of before its preview is drawn, and may be the last: the one after it is proof.
const hasPreview = (gan) => gan.status === "succeeded" || gan.step > (gan.command.preview_every ?? Infinity);

const tile = (gan) => el("article", { class: "tile", "data-id": gan.id },
  hasPreview(gan) ? el("img", { class: "picture", src: path`/gans/${gan.id}/preview.png`, alt: "", loading: "lazy" })
    : el("p", { class: "picture none" }, "no preview yet"),
  el("div", { class: "text" },
    el("h3", null, el("a", { href: path`/console/gans/${gan.id}` }, gan.name)),
    el("p", null, statusBadge(gan.status), gan.default ? " · the default" : null, gan.phantom ? " · phantoms" : null),
    el("p", null, `step ${count(gan.step)} of ${count(gan.steps)} · ${ago(gan.created_at)}`)));

showCalls([
  ["List GANs", { path: "/gans" }],
  ["Train one", { method: "POST", path: "/gans", json: { dataset: "ds_…", steps: 20000 } }],
]);
listing(byId("gans"), () => "/gans", tile, { empty: "No GAN yet." })();
