// A list that grows by a page at each press of "Show more".

import { attempt, get } from "./api.js";
import { byId, el } from "./dom.js";

/** Show `address`' items in `node` by `item`; returns a function that begins again. */
export function listing(node, address, item, { limit = 24, empty = "Nothing yet." } = {}) {
  const more = byId("more");
  let cursor = null;
  async function next() {
    const where = address();
    const separator = where.includes("?") ? "&" : "?";
    const from = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await get(`${where}${separator}limit=${limit}${from}`);
    if (cursor === null) node.replaceChildren();
    node.append(...page.items.map(item));
    if (!node.children.length) node.append(el("p", { class: "soft" }, empty));
    cursor = page.next_cursor;
    more.hidden = cursor === null;
  }
  more.addEventListener("click", () => attempt(next));
  return () => { cursor = null; return attempt(next); };
}
