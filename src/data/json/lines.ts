/** Newline-delimited records: LF or CRLF ends one, a line with nothing in it is none. */
import type { Split } from "../codec.ts";
import { SplitBuilder } from "../split_builder.ts";

const LF = 10;
const CR = 13;

/**
 * Cuts bytes[from, to) into lines. "more": an unfinished last line stays behind `consumed`; "end": it is a record too. A line
 * of more than `recordBytesMax` bytes is a record listed in `tooLong`.
 */
export function splitLines(bytes: Uint8Array, from: number, to: number, final: "more" | "end", recordBytesMax: number): Split {
  const split = new SplitBuilder(bytes, recordBytesMax);
  let start = from;
  while (start < to) {
    let end = bytes.indexOf(LF, start);
    if (end < 0 || end >= to) {
      if (final === "more") break;
      end = to;
    }
    split.add(start, end > start && bytes[end - 1] === CR ? end - 1 : end);
    start = Math.min(end + 1, to);
  }
  return split.finish(start - from);
}
