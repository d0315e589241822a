/**
 * The oracle's own readers and writers: CSV, JSON lines, money as BigInt cents. Deliberately slow and obvious, and sharing
 * nothing with `src/`, so that a mistake there cannot repeat itself here.
 */

/** A field as read: text, or a JSON number by its text. */
export type ReadField = string | { readonly number: string } | null;
/** One record of an input: its number from 1, and its fields by name, or the code of why it could not be read. */
export type ReadRecord =
  | { readonly row: number; readonly fields: ReadonlyMap<string, ReadField> }
  | { readonly row: number; readonly code: string };

/** All fields of a CSV text: RFC 4180, LF or CRLF, empty lines skipped. */
export function csvCells(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  let begun = false;
  const endRow = () => {
    if (begun || row.length > 0) rows.push([...row, cell]);
    row = [];
    cell = "";
    begun = false;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') cell += text[++at];
      else quoted = false;
    } else if (character === '"') {
      quoted = true;
      begun = true;
    } else if (character === ",") {
      row.push(cell);
      cell = "";
      begun = true;
    } else if (character === "\n") {
      endRow();
    } else if (character !== "\r") {
      cell += character;
      begun = true;
    }
  }
  endRow();
  return rows;
}

/** Records of a CSV text with a header. */
export function readCsv(text: string): ReadRecord[] {
  const [header, ...rows] = csvCells(text);
  return rows.map((cells, index) =>
    cells.length === header.length
      ? { row: index + 1, fields: new Map(header.map((name, column) => [name, cells[column]])) }
      : { row: index + 1, code: "csv" }
  );
}

/** Records of JSON lines. Numbers keep their text, so that money is never a float; null and missing are told apart. */
export function readJsonLines(text: string): ReadRecord[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line, index) => {
    const row = index + 1;
    let value: unknown;
    try {
      const keepText = (_: string, parsed: unknown, context?: { source?: string }) =>
        typeof parsed === "number" ? { number: context?.source ?? String(parsed) } : parsed;
      value = JSON.parse(line, keepText as (key: string, value: unknown) => unknown);
    } catch {
      return { row, code: "json" };
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) return { row, code: "json" };
    return { row, fields: new Map(Object.entries(value)) };
  });
}

/** Money text to cents, or why it is not money (C-1). */
export function readCents(text: string): bigint | "type" | "scale" {
  if (!/^-?\d+(\.\d+)?$/.test(text)) return "type";
  const [whole, fraction = ""] = text.replace("-", "").split(".");
  const significant = fraction.replace(/0+$/, "");
  if (significant.length > 2) return "scale";
  const cents = BigInt(whole) * 100n + BigInt(significant.padEnd(2, "0"));
  return text.startsWith("-") ? -cents : cents;
}

/** Cents as text with exactly two decimals (C-27). */
export function centsText(cents: bigint): string {
  const size = cents < 0n ? -cents : cents;
  return `${cents < 0n ? "-" : ""}${size / 100n}.${String(size % 100n).padStart(2, "0")}`;
}

/** Whether the text is a real moment written `YYYY-MM-DD HH:MM:SS`. */
export function isTimestamp(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/.exec(text);
  if (parts === null) return false;
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] && hour < 24 && minute < 60 && second < 60;
}

/** Rows as CSV text: LF, quotes only where needed (C-30). */
export function writeCsv(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  return [header, ...rows].map((row) => row.map(cell).join(",") + "\n").join("");
}
