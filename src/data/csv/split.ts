/**
 * Cuts CSV (RFC 4180) into records and reads its header line. LF or CRLF ends a record, but not inside a quoted field; empty lines
 * are none. Invariant: a quote opens a field only at its start, so a stray quote spoils its own record and no other.
 */
import type { Split } from "../codec.ts";
import { MillraceError } from "../fault.ts";
import { SplitBuilder } from "../split_builder.ts";
import { isUtf8 } from "../utf8.ts";
import { splitFields } from "./fields.ts";

const LF = 10;
const CR = 13;
const QUOTE = 34;
const COMMA = 44;

/** Bytes with the words that they lie in, so that most of a record is looked at four bytes at a time. */
interface Scanned {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}
function scanned(bytes: Uint8Array): Scanned {
  return { bytes, words: new Int32Array(bytes.buffer, 0, bytes.buffer.byteLength >> 2) };
}

/** Where LF or a quote stands next, at or behind `at`; `to` when neither comes before. */
function nextLineEndOrQuote({ bytes, words }: Scanned, at: number, to: number): number {
  const shift = bytes.byteOffset;
  const safe = to - 4;
  for (;;) {
    while (at < to && (at + shift & 3) !== 0) {
      if (bytes[at] === LF || bytes[at] === QUOTE) return at;
      at++;
    }
    // A byte is zero where borrowing from it sets its high bit and it had none; false alarms only stand behind a true one.
    while (at <= safe) {
      const word = words[at + shift >> 2];
      const lines = word ^ 0x0a0a0a0a;
      const quotes = word ^ 0x22222222;
      if (((lines - 0x01010101 & ~lines | quotes - 0x01010101 & ~quotes) & 0x80808080) !== 0) break;
      at += 4;
    }
    if (at >= to) return to;
    if (bytes[at] === LF || bytes[at] === QUOTE) return at;
    at++;
  }
}

/** The position of the LF that ends the record starting at `start`, or -1 when it does not end before `to`. */
function recordEnd(text: Scanned, start: number, to: number): number {
  const { bytes } = text;
  let at = start;
  for (;;) {
    at = nextLineEndOrQuote(text, at, to);
    if (at >= to) return -1;
    if (bytes[at] === LF) return at;
    if (at > start && bytes[at - 1] !== COMMA) {
      at++;
      continue;
    }
    // A quoted field: a doubled quote stands for one and does not end it.
    do {
      at++;
      while (at < to && bytes[at] !== QUOTE) at++;
      if (at === to) return -1;
      at++;
    } while (at < to && bytes[at] === QUOTE);
  }
}

/**
 * Cuts bytes[from, to) into records. "more": an unfinished last record stays behind `consumed`; "end": it is a record too. A record
 * of more than `recordBytesMax` bytes is listed in `tooLong`.
 */
export function splitCsv(bytes: Uint8Array, from: number, to: number, final: "more" | "end", recordBytesMax: number): Split {
  const split = new SplitBuilder(bytes, recordBytesMax);
  const text = scanned(bytes);
  let start = from;
  while (start < to) {
    let end = recordEnd(text, start, to);
    if (end < 0) {
      if (final === "more") break;
      end = to;
    }
    split.add(start, end > start && bytes[end - 1] === CR ? end - 1 : end);
    start = Math.min(end + 1, to);
  }
  return split.finish(start - from);
}

/** The columns of a CSV file. */
export interface CsvHeader {
  readonly names: readonly string[];
  /** Bytes up to the first record, a byte order mark included. */
  readonly consumed: number;
}

/**
 * The first line's column names; null when it has no end yet ("end": the end of the bytes ends it, and null means there is no
 * line at all). Throws MillraceError `csv_header` for a line that cannot be a header.
 */
export function readCsvHeader(bytes: Uint8Array, from: number, to: number, final: "more" | "end" = "more"): CsvHeader | null {
  const marked = to - from >= 3 && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf;
  let start = marked ? from + 3 : from;
  while (start < to && (bytes[start] === LF || (bytes[start] === CR && bytes[start + 1] === LF))) start++;
  if (start >= to) return null;
  const lineEnd = recordEnd(scanned(bytes), start, to);
  if (lineEnd < 0 && final === "more") return null;
  const next = lineEnd < 0 ? to : lineEnd + 1;
  let end = lineEnd < 0 ? to : lineEnd;
  if (end > start && bytes[end - 1] === CR) end--;
  return { names: headerNames(bytes, start, end), consumed: next - from };
}

function headerNames(bytes: Uint8Array, start: number, end: number): readonly string[] {
  const fields = isUtf8(bytes, start, end) ? splitFields(bytes, start, end) : null;
  if (fields === null) {
    throw new MillraceError("csv_header", "The first line is not a CSV header: it is not UTF-8 or its quotes do not match.", {
      hint: "The first line of a CSV file names its columns, separated by commas.",
    });
  }
  const names = fields.map(({ bytes, from, to }) => new TextDecoder().decode(bytes.subarray(from, to)));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new MillraceError("csv_header", `The CSV header names the column ${JSON.stringify(twice)} twice.`, {
      hint: "Rename one of the two columns.",
    });
  }
  return names;
}
