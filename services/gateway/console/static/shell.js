// What every page with a session has: a way out.

import { ask } from "./api.js";
import { byId } from "./dom.js";

byId("sign-out").addEventListener("click", async () => {
  await ask("DELETE", "/console/session");
  location.assign("/console/sign-in");
});
