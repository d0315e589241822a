/**
 * JSON records to columns, by code for the layouts that records have shown so far: at first the compact one in schema order.
 * Invariant: which path read a record cannot be told from the columns.
 */
import type { BadRow, Decoder, DecoderSpec } from "../codec.ts";
import { DecodedColumns } from "../decoded_columns.ts";
import { compileChangeDecoder } from "./change_decoder.ts";
import { CompiledLayouts } from "./compiled_layouts.ts";
import { LearnedLayouts } from "./learned_layouts.ts";
import { compileSlowJson } from "./slow.ts";

/**
 * Compiles a decoder of JSON objects, one per record. Reject codes by priority: `json` (no JSON object, not UTF-8, a key twice),
 * `unknown:F`, then by field in schema order `missing:F`, `type:F`, `scale:F`, `range:F`, `one_of:F`.
 */
export function compileJsonDecoder(wished: DecoderSpec): Decoder {
  if (wished.changes !== undefined) return compileChangeDecoder(wished, wished.changes);
  const compiled = CompiledLayouts.of(wished);
  const { spec } = compiled;
  const slow = compileSlowJson(spec);
  const layouts = new LearnedLayouts(compiled);
  return (records) => {
    const columns = new DecodedColumns(spec, records, new Uint8Array(records.rows));
    const bad: BadRow[] = [];
    let row = 0;
    while ((row = layouts.read(columns, row, records.rows, bad)) < records.rows) {
      const reason = slow(columns, row);
      if (reason === null) layouts.missed(columns, row);
      else {
        bad.push({ row, reason });
        layouts.refused(columns, row, reason);
      }
      row++;
    }
    return columns.finish(bad);
  };
}
