// A job's server-sent events. The browser connects anew by itself, and says after which event, where a
// connection breaks; it gives up where anything but events is answered, as while a server restarts.

import { path } from "./api.js";

const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60000;
// They have ids: a stream that is opened anew, and not by the browser, begins with all of them.
const NUMBERED = ["metric", "log"];

/** Follow a job; each handler gets an event's data, once. Returns what ends it. */
export function follow(jobId, handlers) {
  let source;
  let timer;
  let pause = FIRST_PAUSE_MS;
  let last = 0;

  const isNew = (name, { lastEventId }) => {
    if (!NUMBERED.includes(name)) return true;
    const before = last;
    last = Math.max(last, Number(lastEventId));
    return last > before;
  };
  const stop = () => {
    clearTimeout(timer);
    source.close();
  };
  const openLater = () => {
    if (source.readyState !== EventSource.CLOSED) return;
    timer = setTimeout(open, pause);
    pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
  };
  const open = () => {
    source = new EventSource(path`/jobs/${jobId}/events`);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => { if (isNew(name, event)) handle(JSON.parse(event.data)); });
    }
    source.addEventListener("completed", stop);
    source.addEventListener("open", () => { pause = FIRST_PAUSE_MS; });
    source.addEventListener("error", openLater);
  };

  open();
  return stop;
}
