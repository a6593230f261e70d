// By a key, which goes into a header once, or by a link, whose secret stands after `#`.

import { CONFIRMATION, tell } from "./api.js";
import { byId } from "./dom.js";

const asked = new URLSearchParams(location.search).get("next") ?? "/";
// Only a path of this server, or signing in would lead to a stranger.
const next = /^\/(?![/\\])/.test(asked) ? asked : "/";

async function enter(address, headers) {
  const answer = await fetch(address, { method: "POST", headers: { ...CONFIRMATION, ...headers } });
  if (answer.ok) location.replace(next);
  else tell((await answer.json()).detail);
}

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  enter("/console/session", { Authorization: `Bearer ${byId("key").value.trim()}` });
});

const link = location.hash.slice(1);
if (link) {
  history.replaceState(null, "", location.pathname + location.search);
  await enter("/console/session/link", { "X-LesionGAN-Link": link });
} else if ((await (await fetch("/console/session")).json()).signed_in) {
  // The cookie stays away from a page that another site opened, and comes with its questions.
  location.replace(next);
}
byId("key").focus();
