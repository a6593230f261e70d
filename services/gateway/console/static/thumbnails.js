// Pictures in a gallery. Stored HU are drawn in their own window; the rest the browser shows itself.

import { path } from "./api.js";
import { el } from "./dom.js";
import { spaced } from "./format.js";
import { draw, fetchPng } from "./png.js";

// Each takes one request: a few at a time leave the page room for others.
const MOST_AT_ONCE = 4;
const waiting = [];
let busy = 0;

function next() {
  while (busy < MOST_AT_ONCE && waiting.length) {
    busy += 1;
    waiting.shift()().catch(() => {}).finally(() => { busy -= 1; next(); });
  }
}

/** A picture of an image of a data set; `deep` says that it may have 16 bits. */
export function picture(dataset, image, deep, alt) {
  const address = path`/datasets/${dataset}/images/${image.index}`;
  if (!deep) return el("img", { class: "picture", src: address, alt, loading: "lazy" });
  const canvas = el("canvas", { class: "picture", role: "img", "aria-label": alt });
  waiting.push(async () => draw(canvas, await fetchPng(address), image.window_hu ?? undefined));
  next();
  return canvas;
}

export function thumbnail(dataset, image, deep, note = null) {
  const what = image.category ? spaced(image.category) : "unlabelled";
  return el("a", { class: "thumbnail", href: path`/console/datasets/${dataset}/images/${image.index}` },
    picture(dataset, image, deep, `${what}, image ${image.index}`),
    el("span", null, note ?? `${what}${image.split ? ` · ${image.split}` : ""}`));
}
