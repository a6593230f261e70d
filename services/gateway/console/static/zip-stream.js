// The PNGs of a ZIP that is still being written: entries are stored, their sizes stand behind them, so
// that a PNG's own chunks say where it ends. APPNOTE.TXT 4.3 (PKWARE); PNG specification (W3C), 5.

const LOCAL_FILE = 0x04034b50;
const PNG_HEAD = 8;

/** `[name, blob]` of each PNG, as soon as all of it is there. */
export async function* pngsOf(stream) {
  const reader = stream.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (value) held = joined(held, value);
    for (let entry; (entry = firstEntry(held)) !== null;) {
      if (entry.png) yield [entry.name, new Blob([held.slice(entry.start, entry.end)], { type: "image/png" })];
      held = held.subarray(entry.end);
    }
    if (done) return;
  }
}

function joined(a, b) {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** The first whole PNG in `bytes`, or what is before it; null: more must come. */
function firstEntry(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = findLocalFile(view);
  if (at === null || at + 30 > bytes.length) return null;
  const [nameLength, extraLength] = [view.getUint16(at + 26, true), view.getUint16(at + 28, true)];
  const start = at + 30 + nameLength + extraLength;
  if (start > bytes.length) return null;
  const name = new TextDecoder().decode(bytes.subarray(at + 30, at + 30 + nameLength));
  if (!name.endsWith(".png")) return { end: start };
  const end = pngEnd(view, start);
  return end === null ? null : { name, png: true, start, end };
}

function findLocalFile(view) {
  for (let at = 0; at + 4 <= view.byteLength; at += 1) {
    if (view.getUint32(at, true) === LOCAL_FILE) return at;
  }
  return null;
}

function pngEnd(view, start) {
  for (let at = start + PNG_HEAD; at + 12 <= view.byteLength;) {
    const end = at + 12 + view.getUint32(at);
    if (view.getUint32(at + 4) === 0x49454e44) return end <= view.byteLength ? end : null; // IEND
    at = end;
  }
  return null;
}
