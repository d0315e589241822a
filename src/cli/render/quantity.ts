/** Numbers, sizes and times in few characters. */

const PREFIXES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const;

/** 1204 is "1,204", 12040 is "12.0k"; "-" for nothing. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return "-";
  const size = Math.abs(value);
  if (size < 10_000) return value.toLocaleString("en-US", { maximumFractionDigits: Number.isInteger(value) || size >= 10 ? 0 : 1 });
  const [unit, prefix] = PREFIXES.find(([unit]) => size >= unit)!;
  const scaled = value / unit;
  return `${scaled.toFixed(Math.abs(scaled) < 10 ? 2 : Math.abs(scaled) < 100 ? 1 : 0)}${prefix}`;
}

export function bytesText(value: number | null | undefined): string {
  if (value === null || value === undefined) return "-";
  for (const [unit, name] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]] as const) {
    if (value >= unit) return `${(value / unit).toFixed(value / unit < 10 ? 1 : 0)} ${name}`;
  }
  return `${value} B`;
}

export function timeText(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "-";
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m ${Math.round(ms % 60_000 / 1000)}s`;
  if (ms < 86_400_000 * 2) return `${Math.floor(ms / 3_600_000)}h ${Math.round(ms % 3_600_000 / 60_000)}m`;
  return `${Math.round(ms / 86_400_000)} days`;
}

const BLOCKS = "▁▂▃▄▅▆▇█";

/** The newest values as blocks, as wide as there is room. */
export function blocks(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const most = Math.max(...shown, 1e-9);
  return shown.map((value) => BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(value / most * BLOCKS.length))]).join("").padStart(width);
}
