/**
 * Places in a configuration text: offsets to lines and columns, and a decoded string's offsets back to the file.
 * Invariant: offsets and columns count UTF-16 units; a line ends with LF, a CR before it belongs to the line.
 */
import type { Span } from "../data/fault.ts";

/** A span that lies in no file: an environment variable or an option of the command line, named by `file`. Its line is 0. */
export function outsideSpan(name: string): Span {
  return { file: name, line: 0, column: 0, endLine: 0, endColumn: 0 };
}

/** One configuration file's text with its line starts. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  readonly #lineStarts: number[] = [0];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) this.#lineStarts.push(i + 1);
  }

  /** Offsets [start, end) as a span. O(log lines). */
  span(start: number, end: number): Span {
    const from = this.#position(start);
    const to = this.#position(end);
    return { file: this.file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
  }

  #position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#lineStarts[low] + 1 };
  }
}

const SIMPLE_ESCAPES = 'btnfr"\\e';

/**
 * Offsets in the file for every offset of the decoded `value` of the TOML string that stands at [start, end), its end
 * included. Escapes count from their backslash.
 */
export function decodedOffsets(text: string, start: number, end: number, value: string): Int32Array {
  const quote = text[start];
  const multiline = text.startsWith(quote.repeat(3), start) && end - start >= 6;
  const width = multiline ? 3 : 1;
  const offsets = new Int32Array(value.length + 1);
  const stop = end - width;
  let at = start + width;
  if (multiline) at += text.startsWith("\r\n", at) ? 2 : text[at] === "\n" ? 1 : 0;
  let decoded = 0;
  while (decoded < value.length && at < stop) {
    if (quote === '"' && text[at] === "\\") {
      const trimmed = multiline ? lineEndEscape(text, at, stop) : at;
      if (trimmed > at) {
        at = trimmed;
        continue;
      }
      const next = at + escapeLength(text, at);
      const units = escapeUnits(text, at, next);
      for (let i = 0; i < units; i++) offsets[decoded++] = at;
      at = next;
      continue;
    }
    // A parser may hand on CRLF as LF.
    if (text[at] === "\r" && value[decoded] === "\n") at++;
    offsets[decoded++] = at++;
  }
  offsets.fill(at, decoded);
  return offsets;
}

/** Where text goes on behind a backslash that ends its line; `at` itself when it does not. */
function lineEndEscape(text: string, at: number, stop: number): number {
  let i = at + 1;
  let newlines = 0;
  while (i < stop && (text[i] === " " || text[i] === "\t" || text[i] === "\n" || text[i] === "\r")) {
    if (text[i] === "\n") newlines++;
    i++;
  }
  return newlines > 0 ? i : at;
}

function escapeLength(text: string, at: number): number {
  const letter = text[at + 1];
  if (SIMPLE_ESCAPES.includes(letter)) return 2;
  if (letter === "x") return 4;
  return letter === "u" ? 6 : 10;
}

function escapeUnits(text: string, at: number, next: number): number {
  return next - at === 10 && parseInt(text.slice(at + 2, next), 16) > 0xffff ? 2 : 1;
}
