// Numbers, times and names as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
export const count = (n) => whole.format(n);
export const spaced = (name) => name.replaceAll("_", " ");

export function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i += 1; }
  return `${n >= 100 || i === 0 ? n.toFixed(0) : n.toFixed(1)} ${units[i]}`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const s = Math.round(seconds);
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

export const since = (time) => (Date.now() - Date.parse(time)) / 1000;

export function ago(time) {
  const s = since(time);
  if (s < 60) return "just now";
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return new Date(time).toLocaleDateString("en-CA");
}

export function number(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0 || Number.isInteger(value)) return count(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? value.toExponential(2) : value.toPrecision(4);
  return text.replace("-", "−");
}

/** With one decimal. A half goes to the even digit, as in reports: 6.25 is 6.2, where toFixed says 6.3. */
function tenths(value) {
  const isHalf = Number.isInteger(4 * value) && !Number.isInteger(2 * value);
  return (isHalf ? 2 * Math.round(5 * value) / 10 : value).toFixed(1);
}

export const percent = (share) => `${tenths(100 * share)} %`;

/** A difference of shares in percentage points, always signed: 0.05 as +5.0. */
export function points(difference) {
  const rounded = tenths(100 * difference);
  if (Number(rounded) === 0) return "0.0";
  return difference > 0 ? `+${rounded}` : rounded.replace("-", "−");
}

export const pValue = (p) => (p < 0.001 ? "< 0.001" : p.toFixed(p < 0.1 ? 3 : 2));
