/** Changes by the rules alone, one record at a time: what the compiled decoder is compared with. */
import type { ChangeRules, Decoder, DecoderSpec } from "../../src/data/codec.ts";
import { DecodedColumns } from "../../src/data/decoded_columns.ts";
import { ChangeForms } from "../../src/data/json/change_rows.ts";
import { CompiledLayouts } from "../../src/data/json/compiled_layouts.ts";
import { compileSlowChanges } from "../../src/data/json/slow_changes.ts";

/** A decoder that never leaves the rules. */
export function byRules(spec: DecoderSpec, rules: ChangeRules): Decoder {
  const seen = CompiledLayouts.of(spec).spec;
  const slow = compileSlowChanges(seen, rules, new ChangeForms(spec.type));
  return (records) => {
    const columns = new DecodedColumns(seen, records);
    const marks = { deleted: new Uint8Array(records.rows), opened: new Uint8Array(records.rows), any: false };
    const bad: { row: number; reason: string }[] = [];
    for (let row = 0; row < records.rows; row++) {
      const reason = slow(columns, row, marks);
      if (reason !== null) bad.push({ row, reason });
    }
    const own = spec.type.fields.length;
    return { ...columns.finish(bad), columns: columns.finish(bad).columns.slice(0, own), deleted: marks.any ? marks.deleted : null };
  };
}
