/** Numbers and times as people read them. */

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

/** 1204 is "1,204"; 1204000 is "1.20 M". */
export function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size < 10_000) return whole(value);
  for (const [unit, prefix] of PREFIXES) {
    if (size < unit) continue;
    const scaled = value / unit;
    return `${scaled.toFixed(Math.abs(scaled) < 10 ? 2 : Math.abs(scaled) < 100 ? 1 : 0)} ${prefix}`;
  }
  return whole(value);
}

/** With thousands; fractions only where they matter. */
export function whole(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: digits });
}

export function rate(value) {
  return value === null || value === undefined ? "–" : `${short(value >= 10 ? Math.round(value) : value)}/s`;
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1024) return `${value} B`;
  for (const [unit, name] of [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [1024, "KiB"]]) {
    if (value >= unit) return `${(value / unit).toFixed(value / unit < 10 ? 1 : 0)} ${name}`;
  }
  return `${value} B`;
}

/** Milliseconds in the unit that suits them. */
export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  const size = Math.abs(ms);
  if (size === 0) return "0";
  if (size < 1) return `${ms.toFixed(2)} ms`;
  if (size < 1000) return `${size < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (Math.abs(seconds) < 60) return `${seconds.toFixed(1)} s`;
  if (Math.abs(seconds) < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  if (Math.abs(seconds) < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
  const days = Math.round(seconds / 86_400);
  return `${short(days)} day${days === 1 ? "" : "s"}`;
}

const two = (value) => String(value).padStart(2, "0");

/** Of a time in ms: 14:03:22. */
export function clock(ms) {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** A day where it matters. */
export function moment(ms) {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(ms)}`;
}

/** The day is told where it is not today. */
export const clockOrMoment = (ms) => new Date(ms).toDateString() === new Date().toDateString() ? clock(ms) : moment(ms);

/** Labels of a time axis, by how far apart they are. */
export function axisTimes(seconds) {
  const apart = seconds.length > 1 ? seconds[1] - seconds[0] : 0;
  return seconds.map((second) => {
    const date = new Date(second * 1000);
    if (apart >= 86_400) return `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    const minute = `${two(date.getHours())}:${two(date.getMinutes())}`;
    return apart >= 60 ? minute : `${minute}:${two(date.getSeconds())}`;
  });
}

/** A list of texts without its brackets and quotes; everything else as it is. */
export function listed(value) {
  if (!value.startsWith('["')) return value;
  try {
    const items = JSON.parse(value);
    return items.every((item) => typeof item === "string") ? items.join(", ") : value;
  } catch {
    return value; // It was cut.
  }
}
