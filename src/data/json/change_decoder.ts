/**
 * Changes of a table's rows to columns of those rows (change_rows.ts). Rows that stand alone are read by the code that reads any JSON;
 * an envelope costs one look that finds the row in it. Invariant: which path read a record cannot be told from the result.
 */
import { type BadRow, type ChangeRules, type Decoder, type DecoderSpec, DELETE_DROPPED, DELETE_PASSED } from "../codec.ts";
import { DecodedColumns, type Store } from "../decoded_columns.ts";
import { ChangeForms, DELETED } from "./change_rows.ts";
import { CompiledLayouts } from "./compiled_layouts.ts";
import { EnvelopeOpener } from "./envelope_opener.ts";
import { LearnedLayouts } from "./learned_layouts.ts";
import { type ChangeMarks, compileSlowChanges, OPENED_DELETE } from "./slow_changes.ts";

/** Compiles for `spec.changes`. Reject codes as compileJsonDecoder's, and `type`, `missing`, `one_of` of op, before, after and payload. */
export function compileChangeDecoder(wished: DecoderSpec, rules: ChangeRules): Decoder {
  const compiled = CompiledLayouts.of(wished);
  const { spec } = compiled;
  const forms = new ChangeForms(wished.type);
  const slow = compileSlowChanges(spec, rules, forms);
  const layouts = new LearnedLayouts(compiled, (keys) => forms.isNoRow(keys));
  const opener = new EnvelopeOpener(forms);
  const flag = spec.type.fields.findIndex((field) => field.name === DELETED);
  return (records) => {
    const { rows } = records;
    // Copies: an opened envelope's row takes the record's place.
    const own = { ...records, start: records.start.slice(0, rows), end: records.end.slice(0, rows) };
    const columns = new DecodedColumns(spec, own, new Uint8Array(rows));
    const marks: ChangeMarks = { deleted: new Uint8Array(rows), opened: new Uint8Array(rows), any: false };
    const bad: BadRow[] = [];
    let row = 0;
    while ((row = layouts.read(columns, row, rows, bad)) < rows) {
      if (marks.opened[row] === 0 && opener.open(columns, row, marks) > row) continue;
      const reason = slow(columns, row, marks);
      if (reason !== null) bad.push({ row, reason });
      else if (marks.deleted[row] === 0) layouts.missed(columns, row);
      row++;
    }
    markFlagged(columns, columns.stores[flag]!, marks, rules);
    for (const { row } of bad) marks.deleted[row] = 0;
    const decoded = columns.finish(bad);
    const asked = wished.type.fields.map(({ name }, field) => wished.needed.has(name) ? decoded.columns[field] : null);
    return { columns: asked, bad, spelled: null, deleted: marks.any ? marks.deleted : null };
  };
}

/** Rows that were read with "__deleted" set, and those of envelopes that tell a delete. */
function markFlagged(columns: DecodedColumns, flag: Store, marks: ChangeMarks, { deletes }: ChangeRules): void {
  const { deleted, opened } = marks;
  const mark = deletes === "pass" ? DELETE_PASSED : DELETE_DROPPED;
  for (let row = 0; row < deleted.length; row++) {
    if (deleted[row] !== 0 || (opened[row] !== OPENED_DELETE && !isSet(columns, flag, row))) continue;
    deleted[row] = mark;
    marks.any = true;
  }
}
function isSet({ records: { bytes } }: DecodedColumns, flag: Store, row: number): boolean {
  if (flag.kind === "value" || (flag.valid !== null && flag.valid[row] === 0)) return false;
  if (flag.kind === "number") return flag.values[row] !== 0;
  // Nobody writes "true" with escapes; the slow path has marked what was.
  const at = flag.start[row];
  return flag.end[row] - at === 4 && bytes[at] === 116 && bytes[at + 1] === 114 && bytes[at + 2] === 117 && bytes[at + 3] === 101;
}
