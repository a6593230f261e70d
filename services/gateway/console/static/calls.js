// "The same by HTTP": the call behind what a page shows, to copy.

import { byId, el, fill } from "./dom.js";

const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

/** One call as a command for a shell. */
export function curl({ method = "GET", path, json, form, file, output, stream, then }) {
  const lines = ['curl -H "Authorization: Bearer $LESIONGAN_KEY"'];
  if (stream) lines[0] = lines[0].replace("curl", "curl -N");
  if (output) lines[0] += ` -o ${quoted(output)}`;
  if (method !== "GET" && !(method === "POST" && (json ?? form ?? file))) lines[0] += ` -X ${method}`;
  if (json !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(json))}`);
  for (const [name, value] of Object.entries(form ?? {})) lines.push(`-F ${quoted(`${name}=${value}`)}`);
  if (file) lines.push(`-H 'Content-Type: ${file.type}' --data-binary ${quoted(`@${file.name}`)}`);
  lines.push(quoted(location.origin + path));
  return lines.join(" \\\n  ") + (then ? ` \\\n  | ${then}` : "");
}

/** Show calls, each with what it does: `[["List jobs", {path: "/jobs"}], …]`. */
export function showCalls(calls) {
  fill(byId("calls"), calls.map(([what, call]) => {
    const text = curl(call);
    const copy = el("button", { type: "button", class: "quiet" }, "Copy");
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    });
    return el("figure", null,
      el("figcaption", null, what, navigator.clipboard ? copy : null),
      el("pre", { tabindex: "0" }, el("code", null, text)));
  }));
}
