// A job's server-sent events: the browser reconnects by itself, and says after which event.

import { path } from "./api.js";

/** Follow a job; each handler gets an event's data. Returns what ends it. */
export function follow(jobId, handlers) {
  const source = new EventSource(path`/jobs/${jobId}/events`);
  for (const [name, handle] of Object.entries(handlers)) {
    source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  source.addEventListener("completed", () => source.close());
  return () => source.close();
}
