// Elements from data. Text is only ever text: nothing here, nor in any page, parses HTML.

const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const el = (tag, attributes, ...children) =>
  build(document.createElement(tag), attributes, children);

export const svg = (tag, attributes, ...children) =>
  build(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

export const fill = (node, ...children) =>
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));

/** A list of names and values; those that are null or undefined are left out. */
export const facts = (pairs) =>
  el("dl", { class: "facts" }, pairs
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));

/** The id that the page's address names. */
export const subject = document.body.dataset.subject;

const scopes = document.body.dataset.scopes.split(" ");
export const maySubmit = scopes.includes("submit");

/** A button that does work: one for a key of scope read says why it cannot. */
export function workButton(text, action, attributes = {}) {
  const button = el("button", { type: "button", ...attributes }, text);
  if (!maySubmit) return forbidden(button);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await action(); } finally { button.disabled = false; }
  });
  return button;
}

export function forbidden(button) {
  button.disabled = true;
  button.title = "This key has the scope read: it cannot start, cancel or delete anything.";
  return button;
}

/** Disable a form's submit button where the key may not do what it asks for. */
export function guardForm(form) {
  if (!maySubmit) forbidden(form.querySelector("button[type=submit]"));
}
