// A graph of things that come of each other, left to right, as SVG.

import { el, svg } from "./dom.js";

const BOX = { width: 180, height: 46, across: 44, between: 14 };

/** `nodes`: `[{id, parents, href, title, text, kind, current}]`. Parents that are not there are left out. */
export function graph(nodes, label) {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const depth = new Map();
  const depthOf = (id, path = new Set()) => {
    if (!depth.has(id)) {
      const parents = path.has(id) ? [] : known.get(id).parents.filter((each) => known.has(each));
      depth.set(id, parents.length ? 1 + Math.max(...parents.map((each) => depthOf(each, new Set([...path, id])))) : 0);
    }
    return depth.get(id);
  };
  const columns = [];
  for (const node of nodes) (columns[depthOf(node.id)] ??= []).push(node);
  place(columns);
  const width = columns.length * (BOX.width + BOX.across) - BOX.across + 4;
  const height = Math.max(...columns.map((each) => each.length)) * (BOX.height + BOX.between) - BOX.between + 4;
  return svg("svg", { class: "graph", width, height, viewBox: `-2 -2 ${width} ${height}`, role: "group", "aria-label": label },
    nodes.flatMap((node) => node.parents.filter((id) => known.has(id)).map((id) => edge(known.get(id), node))),
    nodes.map(box));
}

/** Each column's nodes in the order of their parents, so that few lines cross. */
function place(columns) {
  const at = new Map();
  columns.forEach((column, x) => {
    const middle = (node) => {
      const above = node.parents.filter((id) => at.has(id)).map((id) => at.get(id));
      return above.length ? above.reduce((a, b) => a + b, 0) / above.length : 0;
    };
    [...column].sort((a, b) => middle(a) - middle(b)).forEach((node, y) => {
      at.set(node.id, y);
      node.x = x * (BOX.width + BOX.across);
      node.y = y * (BOX.height + BOX.between);
    });
  });
}

function edge(from, to) {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const bend = (x2 - x1) / 2;
  return svg("path", { class: "edge", d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` });
}

const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function box(node) {
  const attributes = { class: `node ${node.kind ?? ""}${node.current ? " current" : ""}`, "data-id": node.id };
  const inner = [
    svg("title", null, `${node.title}: ${node.text}`),
    svg("rect", { x: node.x, y: node.y, width: BOX.width, height: BOX.height, rx: 5 }),
    node.share === undefined ? null : svg("rect", {
      class: "share", x: node.x, y: node.y + BOX.height - 5, height: 5, width: BOX.width * node.share,
    }),
    svg("text", { x: node.x + 10, y: node.y + 18 }, short(node.title, 24)),
    svg("text", { class: "under", x: node.x + 10, y: node.y + 35 }, short(node.text, 28)),
  ];
  return node.href ? svg("a", { ...attributes, href: node.href }, inner) : svg("g", attributes, inner);
}

export const scrolled = (picture) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": picture.getAttribute("aria-label") }, picture);
