// A PNG's values as they are stored: browsers show 16 bits as 8, and CT has more to say.
// Grey, or RGB of 8 bits, not interlaced: what this system writes. PNG specification (W3C, third edition).

import { CONFIRMATION } from "./api.js";

/** `{width, height, depth, channels, values}` of the PNG at an address. */
export async function fetchPng(address) {
  const answer = await fetch(address, { headers: CONFIRMATION });
  if (!answer.ok) throw new TypeError((await answer.json()).detail);
  return decodePng(await answer.arrayBuffer());
}

export async function decodePng(buffer) {
  const view = new DataView(buffer);
  const head = { width: view.getUint32(16), height: view.getUint32(20), depth: view.getUint8(24) };
  const channels = { 0: 1, 2: 3 }[view.getUint8(25)];
  if (channels === undefined || view.getUint8(28) !== 0) throw new TypeError("a PNG of a kind that is not shown here");
  const packed = [];
  for (let at = 8; at < buffer.byteLength;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...new Uint8Array(buffer, at + 4, 4));
    if (name === "IDAT") packed.push(new Uint8Array(buffer, at + 8, length));
    at += 12 + length;
  }
  const stream = new Blob(packed).stream().pipeThrough(new DecompressionStream("deflate"));
  const raw = new Uint8Array(await new Response(stream).arrayBuffer());
  return { ...head, channels, values: unfiltered(raw, { ...head, channels }) };
}

/** Section 9: each byte was stored as a difference from its neighbours. */
function unfiltered(raw, { width, height, depth, channels }) {
  const step = (channels * depth) / 8;
  const row = width * step;
  const bytes = new Uint8Array(row * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (row + 1)];
    for (let x = 0; x < row; x += 1) {
      const at = y * row + x;
      const left = x >= step ? bytes[at - step] : 0;
      const up = y > 0 ? bytes[at - row] : 0;
      const corner = x >= step && y > 0 ? bytes[at - row - step] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      bytes[at] = raw[y * (row + 1) + 1 + x] + guess;
    }
  }
  if (depth === 8) return bytes;
  const values = new Uint16Array(width * height * channels);
  for (let i = 0; i < values.length; i += 1) values[i] = (bytes[2 * i] << 8) | bytes[2 * i + 1];
  return values;
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** What is added to Hounsfield units where 16 bits are stored. */
const HU_OFFSET = 32768;
export const DEFAULT_WINDOW_HU = [-160, 240];

/** Draw an image: one of 16 bits through a window, as [lowest, highest] HU. */
export function draw(canvas, png, windowHu = DEFAULT_WINDOW_HU) {
  const { width, height, depth, channels, values } = png;
  Object.assign(canvas, { width, height });
  const [low, high] = windowHu;
  const grey = (value) => (depth === 8 ? value : (255 * (value - HU_OFFSET - low)) / (high - low));
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = grey(values[channels === 3 ? 3 * i + c : i]);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** How often values lie in each of `bins` equal parts: `{low, high, counts}`, in HU or grey levels. */
export function histogram({ depth, values }, bins = 64) {
  const shown = depth === 8 ? values : Int32Array.from(values, (value) => value - HU_OFFSET);
  let [low, high] = depth === 8 ? [0, 256] : [Infinity, -Infinity];
  if (depth !== 8) for (const value of shown) { low = Math.min(low, value); high = Math.max(high, value + 1); }
  const counts = new Array(bins).fill(0);
  for (const value of shown) counts[Math.floor(((value - low) / (high - low)) * bins)] += 1;
  return { low, high, counts };
}
