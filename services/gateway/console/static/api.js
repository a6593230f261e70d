// The public HTTP API, with the session's cookie. The header says that the console itself asks.

import { byId, fill } from "./dom.js";

export const CONFIRMATION = { "X-LesionGAN-Console": "1" };

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `the server answered ${status}`);
    this.status = status;
    this.errors = body.errors ?? [];
  }
}

export const path = (strings, ...values) =>
  strings.reduce((all, part, i) => all + encodeURIComponent(values[i - 1]) + part);

export function query(values) {
  const given = Object.entries(values).filter(([, v]) => v !== null && v !== undefined && v !== "");
  return given.length ? `?${new URLSearchParams(given)}` : "";
}

export async function ask(method, address, { json, body, headers } = {}) {
  const response = await fetch(address, {
    method,
    headers: {
      ...CONFIRMATION,
      ...(json === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: json === undefined ? body : JSON.stringify(json),
  });
  if (response.status === 401) toSignIn();
  if (!response.ok) throw new Problem(response.status, await problemIn(response));
  return response;
}

async function problemIn(response) {
  try { return await response.json(); } catch { return {}; }
}

export const get = async (address) => (await ask("GET", address)).json();
export const post = async (address, json) => (await ask("POST", address, { json })).json();

/** All items of a list, page by page, or the first `most` of them. */
export async function all(address, most = 1000) {
  const items = [];
  let cursor = null;
  do {
    const separator = address.includes("?") ? "&" : "?";
    const more = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = await get(`${address}${separator}limit=200${more}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && items.length < most);
  return items;
}

let isLeaving = false;
// A page that comes back from the browser's cache may have to leave again.
addEventListener("pageshow", () => { isLeaving = false; });

/** Once for all requests of a page that are refused: a second navigation would break off the first. */
export function toSignIn() {
  if (isLeaving) return;
  isLeaving = true;
  const here = location.pathname + location.search;
  location.assign(`/console/sign-in${here === "/" ? "" : query({ next: here })}`);
}

export function tell(...message) {
  const notice = byId("notice");
  notice.classList.remove("done");
  fill(notice, ...message);
}

export function tellDone(...message) {
  tell(...message);
  byId("notice").classList.add("done");
}

/** Run `action`, and say at the top of the page what the server did not like. */
export async function attempt(action) {
  try {
    fill(byId("notice"));
    return await action();
  } catch (error) {
    if (!(error instanceof Problem || error instanceof TypeError)) throw error;
    const where = error.errors?.map(({ loc, msg }) => `${loc.slice(1).join(".")}: ${msg}`);
    tell(where?.length ? where.join("; ") : error.message);
    byId("notice").scrollIntoView({ block: "nearest" });
    return undefined;
  }
}

/** Run `action` now and then again, each time `seconds` after it has ended, while anybody looks. */
export async function every(seconds, action) {
  for (;;) {
    if (!document.hidden) {
      try { await action(); } catch (error) {
        if (!(error instanceof Problem || error instanceof TypeError)) throw error;
        tell(`${error.message}: trying again`);
      }
    }
    await new Promise((wake) => { setTimeout(wake, seconds * 1000); });
  }
}
