/**
 * Changes of a table's rows to columns of those rows (change_rows.ts). Rows that stand alone are read by the code that reads any JSON;
 * an envelope costs one look that finds the row in it. Invariant: which path read a record cannot be told from the result.
 */
import type { ChangeRules, Decoder, DecoderSpec } from "../codec.ts";
import { DecodedColumns, type Store } from "../decoded_columns.ts";
import { isUtf8 } from "../utf8.ts";
import { ChangeForms, DELETED } from "./change_rows.ts";
import { CompiledLayouts } from "./compiled_layouts.ts";
import { LearnedLayouts } from "./learned_layouts.ts";
import { type ChangeMarks, compileSlowChanges, DROPPED, OPENED, OPENED_DELETE, PASSED } from "./slow_changes.ts";
import { findMembers, met, type Wanted } from "./skip.ts";

/** Compiles for `spec.changes`. Reject codes as compileJsonDecoder's, and `type`, `missing`, `one_of` of op, before, after and payload. */
export function compileChangeDecoder(wished: DecoderSpec, rules: ChangeRules): Decoder {
  const compiled = CompiledLayouts.of(wished);
  const { spec } = compiled;
  const forms = new ChangeForms(wished.type);
  const slow = compileSlowChanges(spec, rules, forms);
  const layouts = new LearnedLayouts(compiled, (keys) => forms.isNoRow(keys));
  const opener = new Opener(forms);
  const flag = spec.type.fields.findIndex((field) => field.name === DELETED);
  return (records) => {
    const { rows } = records;
    // Copies: an opened envelope's row takes the record's place.
    const columns = new DecodedColumns(spec, { ...records, start: records.start.slice(0, rows), end: records.end.slice(0, rows) });
    columns.forms = new Uint8Array(rows);
    const marks: ChangeMarks = { deleted: new Uint8Array(rows), opened: new Uint8Array(rows), any: false };
    const bad: { row: number; reason: string }[] = [];
    let row = 0;
    while ((row = layouts.read(columns, row, rows)) < rows) {
      if (marks.opened[row] === 0 && opener.open(columns, row, marks) > row) continue;
      const reason = slow(columns, row, marks);
      if (reason !== null) bad.push({ row, reason });
      else if (marks.deleted[row] === 0) layouts.missed(columns, row);
      row++;
    }
    markFlagged(columns, columns.stores[flag]!, marks, rules);
    for (const { row } of bad) marks.deleted[row] = 0;
    columns.forms = null;
    const decoded = columns.finish(bad);
    const own = wished.type.fields.map(({ name }, field) => wished.needed.has(name) ? decoded.columns[field] : null);
    return { columns: own, bad, spelled: null, deleted: marks.any ? marks.deleted : null };
  };
}

/** Rows that were read with "__deleted" set, and those of envelopes that tell a delete. */
function markFlagged(columns: DecodedColumns, flag: Store, marks: ChangeMarks, { deletes }: ChangeRules): void {
  const { deleted, opened } = marks;
  const mark = deletes === "pass" ? PASSED : DROPPED;
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

const encoder = new TextEncoder();
const NAMES = ["op", "before", "after", "payload", "schema"] as const;
const [OP, BEFORE, AFTER, PAYLOAD] = NAMES.keys();

/** Finds the rows in envelopes, as long as they are everyday ones. */
class Opener {
  readonly #wanted: Wanted = {
    names: NAMES.map((name) => encoder.encode(name)),
    starts: new Int32Array(NAMES.length),
    ends: new Int32Array(NAMES.length),
  };
  constructor(private readonly forms: ChangeForms) {}

  /** Puts the rows of envelopes in their records' place, from `row` on; gives the first record that it leaves as it is. */
  open({ records, view }: DecodedColumns, row: number, { opened }: ChangeMarks): number {
    const { bytes, start, end } = records;
    for (; row < records.rows; row++) {
      if (findMembers(bytes, view, start[row], end[row], this.#wanted) !== end[row]) return row;
      if (met.high !== 0 && !isUtf8(bytes, start[row], end[row])) return row;
      const { starts, ends } = this.#wanted;
      if (this.forms.isWrapped(this.#has)) {
        if (bytes[starts[PAYLOAD]] !== 123) return row;
        const [from, to] = [starts[PAYLOAD], ends[PAYLOAD]];
        findMembers(bytes, view, from, to, this.#wanted);
        if (!this.forms.isEnvelope(this.#has)) {
          start[row] = from;
          end[row] = to;
          opened[row] = OPENED;
          continue;
        }
      } else if (!this.forms.isEnvelope(this.#has)) return row;
      const op = starts[OP];
      const letter = bytes[op] === 34 && ends[OP] - op === 3 ? bytes[op + 1] : 0;
      const isDelete = letter === 100;
      if (!isDelete && letter !== 99 && letter !== 114 && letter !== 117) return row;
      const side = isDelete ? BEFORE : AFTER;
      if (starts[side] < 0 || bytes[starts[side]] !== 123) return row;
      opened[row] = isDelete ? OPENED_DELETE : OPENED;
      start[row] = starts[side];
      end[row] = ends[side];
    }
    return row;
  }

  readonly #has = (name: string): boolean => this.#wanted.starts[NAMES.indexOf(name as typeof NAMES[number])] >= 0;
}
