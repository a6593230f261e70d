// Line charts and bars as SVG. Points are [x, y]; lines differ by dash as well as by colour.

import { el, svg } from "./dom.js";
import { number, spaced } from "./format.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [560, 230, 58, 26, 10];
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4"];

/** Round steps that cut a span into about `parts`. */
function ticks(low, high, parts) {
  const rough = (high - low) / parts || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const found = [];
  for (let t = Math.ceil(low / step) * step; t <= high + step / 1e6; t += step) found.push(Math.abs(t) < step / 1e6 ? 0 : t);
  return found;
}

const thinned = (points, most = 600) => {
  const stride = Math.ceil(points.length / most);
  return stride <= 1 ? points : points.filter((_, i) => i % stride === 0 || i === points.length - 1);
};

/** `series`: `[{name, points}]`. A figure with a legend that says the newest values, or those under the pointer. */
export function lineChart(title, series) {
  const drawn = series.map((each) => ({ ...each, points: thinned(each.points) })).filter((each) => each.points.length);
  const all = drawn.flatMap((each) => each.points);
  const [x0, x1] = [Math.min(...all.map((p) => p[0])), Math.max(...all.map((p) => p[0]))];
  let [y0, y1] = [Math.min(...all.map((p) => p[1])), Math.max(...all.map((p) => p[1]))];
  if (y0 === y1) { y0 -= 0.5; y1 += 0.5; }
  const x = (value) => LEFT + ((value - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - 8);
  const y = (value) => TOP + (1 - (value - y0) / (y1 - y0)) * (HEIGHT - BOTTOM - TOP);
  const rule = svg("line", { class: "pointer", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  const picture = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img",
    "aria-label": `${title}: ${drawn.map((each) => `${spaced(each.name)} ${number(each.points.at(-1)[1])}`).join(", ")}` },
    ticks(y0, y1, 4).map((t) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH - 8, y1: y(t), y2: y(t) }),
      svg("text", { class: "tick left", x: LEFT - 6, y: y(t) + 4 }, number(t))]).flat(),
    ticks(x0, x1, 5).map((t) => svg("text", { class: x(t) > WIDTH - 20 ? "tick left" : "tick", x: Math.min(x(t), WIDTH - 1), y: HEIGHT - 8 }, number(t))),
    drawn.map((each, i) => svg("path", { class: `line s${(i % 5) + 1}`, "stroke-dasharray": DASHES[i % 5],
      d: each.points.map((p, n) => `${n ? "L" : "M"}${x(p[0]).toFixed(1)} ${y(p[1]).toFixed(1)}`).join("") })),
    drawn.filter((each) => each.points.length === 1).map((each, i) =>
      svg("circle", { class: `dot s${(i % 5) + 1}`, cx: x(each.points[0][0]), cy: y(each.points[0][1]), r: 3 })),
    rule);
  const values = drawn.map(() => el("b"));
  const at = el("span", { class: "soft" });
  const tell = (step) => {
    drawn.forEach((each, i) => {
      const near = each.points.reduce((a, b) => (Math.abs(b[0] - step) < Math.abs(a[0] - step) ? b : a));
      values[i].textContent = number(near[1]);
    });
    at.textContent = `step ${number(Math.round(step))}`;
  };
  tell(x1);
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const inside = Math.max(LEFT, Math.min(WIDTH - 8, ((event.clientX - box.left) / box.width) * WIDTH));
    rule.setAttribute("x1", inside); rule.setAttribute("x2", inside); rule.setAttribute("visibility", "visible");
    tell(x0 + ((inside - LEFT) / (WIDTH - LEFT - 8)) * (x1 - x0));
  });
  picture.addEventListener("pointerleave", () => { rule.setAttribute("visibility", "hidden"); tell(x1); });
  return el("figure", { class: "chart-figure" }, el("figcaption", null, el("strong", null, title), " ", at), picture,
    el("ul", { class: "legend" }, drawn.map((each, i) => el("li", null,
      svg("svg", { width: 26, height: 8, "aria-hidden": "true" }, svg("line", { class: `line s${(i % 5) + 1}`, "stroke-dasharray": DASHES[i % 5], x1: 0, x2: 26, y1: 4, y2: 4 })),
      ` ${spaced(each.name)} `, values[i]))));
}

/** Counts of equal parts between `low` and `high`. */
export function barChart(title, { low, high, counts }, unit) {
  const most = Math.max(...counts, 1);
  const wide = (WIDTH - 16) / counts.length;
  return el("figure", { class: "chart-figure" }, svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} 150`, role: "img", "aria-label": title },
    counts.map((n, i) => svg("rect", { class: "bin", x: 8 + i * wide, width: Math.max(wide - 1, 0.5), y: 8 + 114 * (1 - n / most), height: (114 * n) / most })),
    svg("line", { class: "axis", x1: 8, x2: WIDTH - 8, y1: 122, y2: 122 }),
    svg("text", { class: "tick start", x: 8, y: 140 }, `${number(low)} ${unit}`),
    svg("text", { class: "tick left", x: WIDTH - 8, y: 140 }, `${number(high)} ${unit}`)));
}

/** Shares from 0 to 1, one bar each, the highest first: `[[name, share], …]`. */
export const shareBars = (pairs) => el("ul", { class: "shares" }, [...pairs].sort((a, b) => b[1] - a[1]).map(([name, share]) =>
  el("li", null, el("span", null, spaced(name)),
    svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
      svg("rect", { class: "ground", width: 100, height: 10 }), svg("rect", { class: "bin", width: 100 * share, height: 10 })),
    el("b", null, `${(100 * share).toFixed(1)} %`))));
