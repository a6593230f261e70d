// What an experiment found: its arms and their differences, with each number of real images.

import { el } from "./dom.js";
import { count, percent, points, pValue, spaced } from "./format.js";

const ARMS = ["Arm", "Training images", "Accuracy", "Balanced accuracy", "Precision", "Recall"];
const DIFFERENCES = ["Difference in accuracy", "Points", "95 % interval", "p", "p, corrected", "Differs from zero"];

const table = (label, columns, rows) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
  el("table", { class: "plain" },
    el("thead", null, el("tr", null, columns.map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", null, rows.map(([name, ...cells]) =>
      el("tr", null, el("th", { scope: "row" }, name), cells.map((cell) => el("td", null, cell)))))));

const figure = ({ mean, ci }) => [el("b", null, percent(mean)), el("span", { class: "soft" }, ` ${percent(ci[0])} to ${percent(ci[1])}`)];

const armRow = (arm) => [spaced(arm.arm), count(arm.train_images),
  ...["accuracy", "balanced_accuracy", "precision", "recall"].map((name) => figure(arm[name]))];

const differenceRow = ({ a, b, difference, ci, p, p_holm: corrected }) => [
  `${spaced(a)} − ${spaced(b)}`, el("b", null, points(difference)), `${points(ci[0])} to ${points(ci[1])}`,
  pValue(p), corrected === null ? "–" : pValue(corrected), ci[0] <= 0 && ci[1] >= 0 ? "not shown" : "shown"];

function tables({ train_per_category: size, arms, comparisons }, isSweep) {
  const whose = isSweep ? `, ${size} real images of each category` : "";
  return [
    isSweep ? el("h3", null, `With ${size} real images of each category`) : null,
    table(`Arms${whose}`, ARMS, arms.map(armRow)),
    comparisons.length ? table(`Differences${whose}`, DIFFERENCES, comparisons.map(differenceRow)) : null];
}

/** The tables of an experiment that has ended. */
export const resultTables = (experiment) => experiment.sweep
  ? experiment.sweep.points.flatMap((point) => tables(point, true))
  : tables(experiment, false);
