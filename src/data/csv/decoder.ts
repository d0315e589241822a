/** CSV records to columns, by code generated for the header; what that does not recognise is read by the slow path. */
import type { BadRow, Decoder, DecoderSpec } from "../codec.ts";
import { DecodedColumns } from "../decoded_columns.ts";
import { asWritten } from "../epoch_format.ts";
import { assert } from "../fault.ts";
import { compileFastCsv } from "./fast.ts";
import { rehearse } from "./rehearsal.ts";
import { compileSlowCsv } from "./slow.ts";
import { ROWS_PER_CALL } from "../limits.ts";

/** A batch of so many comes of a file that is large enough for V8 to compile the decoder. */
const REHEARSED_ROWS_MIN = 1024;

/**
 * Compiles a decoder of records whose columns are `header`. Reject codes by priority: `csv` (malformed, not UTF-8, another number of
 * fields than the header), `unknown:F`, then by field in schema order `missing:F` (no such column), `type:F`, `scale:F`,
 * `range:F`, `one_of:F`. An empty field, quoted or not, is null where the type allows it and "" for a string.
 */
export function compileCsvDecoder(wished: DecoderSpec, header: readonly string[]): Decoder {
  const spec = { ...wished, type: asWritten(wished.type) };
  assert(new Set(header).size === header.length, "a CSV header names each column once");
  const fast = compileFastCsv(spec, header);
  const slow = compileSlowCsv(spec, header);
  let isRehearsed = false;
  return (records) => {
    if (!isRehearsed && fast !== null && records.rows >= REHEARSED_ROWS_MIN) {
      rehearse(fast, spec, header);
      isRehearsed = true;
    }
    const columns = new DecodedColumns(spec, records);
    const bad: BadRow[] = [];
    let row = 0;
    while (row < records.rows) {
      const to = Math.min(row + ROWS_PER_CALL, records.rows);
      if (fast !== null) row = fast(columns, row, to);
      if (row === to) continue;
      const reason = slow(columns, row);
      if (reason !== null) bad.push({ row, reason });
      row++;
    }
    return columns.finish(bad);
  };
}
