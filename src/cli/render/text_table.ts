/** Columns of text, numbers to the right. */
const NUMBER = /^-?[\d,]+(\.\d+)?%?$/;

/** Lines without line ends, indented by `indent` blanks. */
export function textTable(columns: readonly string[], rows: readonly (readonly string[])[], indent: number): string[] {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const numeric = columns.map((_, i) => rows.length > 0 && rows.every((row) => row[i] === "" || NUMBER.test(row[i])));
  const line = (cells: readonly string[]): string =>
    (" ".repeat(indent) + cells.map((text, i) => numeric[i] ? text.padStart(widths[i]) : text.padEnd(widths[i])).join("  ")).trimEnd();
  return [line(columns), ...rows.map(line)];
}

/** 1234567 as "1,234,567". */
export function withThousands(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** 83 as "83 ms", 1234 as "1.2 s", 83000 as "1 min 23 s". */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round(ms / 1000) % 60} s`;
}
