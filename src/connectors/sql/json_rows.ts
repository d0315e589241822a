/** Rows of a table as JSON records, so that the one decoder of all sources judges them, with the same reject codes. */
import { createWriter, writeText, written } from "../../data/bytes.ts";
import type { Records } from "../../data/codec.ts";

/** The first rows of a page, as many as fit `bytesMax` but at least one; `lineOf` gives an object and a line end. */
export function jsonRows(rowsMax: number, bytesMax: number, lineOf: (row: number) => string): Records {
  const writer = createWriter(rowsMax * 128);
  const start = new Int32Array(rowsMax);
  const end = new Int32Array(rowsMax);
  let rows = 0;
  while (rows < rowsMax && (rows === 0 || writer.length < bytesMax)) {
    start[rows] = writer.length;
    writeText(writer, lineOf(rows));
    end[rows] = writer.length - 1;
    rows++;
  }
  return { bytes: written(writer), start: start.subarray(0, rows), end: end.subarray(0, rows), rows };
}

/** Text that should be JSON: itself where it is, else a JSON string, which is refused as what it is. */
export function jsonOrText(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
}
