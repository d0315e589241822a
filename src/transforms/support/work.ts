/**
 * What a compiled loop fills and how a batch is made of it. Columns that pass through unchanged are shared when every row
 * passed and gathered once when not; only computed columns are written row by row.
 */
import type { Batch, Column } from "../../data/batch.ts";
import { select } from "../../data/columns.ts";
import { isNumeric, type RecordType, type Type } from "../../data/types.ts";
import type { KeptTable } from "../../engine/contracts.ts";
import type { ProbeAnswers } from "../missing/probe.ts";
import type { LoopBuilder } from "./loop_builder.ts";
import type { ReadAs } from "./read_as.ts";

/** A column under construction, as long as the input batch. `valid` is null where the type has no null. */
export interface MadeColumn {
  readonly values: Float64Array | unknown[];
  readonly valid: Uint8Array | null;
}
/** Shared between a loop and its operator; the arrays of row numbers are used again for the next batch. */
export interface Work {
  /** Input rows that passed, `count` of them. */
  rows: Int32Array;
  count: number;
  /** Input rows that went to the other port (`skipped`, `duplicates`). */
  others: Int32Array;
  otherCount: number;
  /** Rows that ended here without going anywhere. */
  filtered: number;
  /** Of a table's rows: the state slot of the same key, -1 where it is not known. */
  slots: Int32Array;
  /** Means nothing: see LoopBuilder.warm. */
  warmed: number;
  /** By computed output column. */
  made: readonly MadeColumn[];
  /** The lane's tables that the loop looks into: see lookups.ts. */
  tables: readonly KeptTable[];
  /** By watched look-up and row of the batch: the slot that a probe of this batch has found, -2 where it did not look; null: no probe. */
  found: readonly Int32Array[] | null;
  /** Of a loop that looks for missing rows: see missing/probe.ts. */
  readonly probe?: ProbeAnswers;
}

/** Output columns: which input column each one is, or -1 for a computed one. Computed ones are numbered in this order. */
export interface OutputShape {
  readonly type: RecordType;
  readonly inputs: readonly number[];
}

export function newWork(tables: readonly KeptTable[] = []): Work {
  return {
    rows: new Int32Array(0),
    count: 0,
    others: new Int32Array(0),
    otherCount: 0,
    filtered: 0,
    slots: new Int32Array(0),
    // No small integer: V8 would give the object another shape, and compile its readers anew, at the first sum that is none.
    warmed: NaN,
    made: [],
    tables,
    found: null,
  };
}

/** `work.slots` with room for so many rows: tables stay as they are while a pipeline runs. */
export function slotsOfRows(work: Work, rows: number): Int32Array {
  if (work.slots.length !== rows) work.slots = new Int32Array(rows).fill(-1);
  return work.slots;
}

/** Makes room for a batch of `rows`, with fresh computed columns. */
export function prepare(work: Work, shape: OutputShape, rows: number): void {
  if (work.rows.length < rows) {
    work.rows = new Int32Array(rows);
    work.others = new Int32Array(rows);
  }
  work.count = work.otherCount = work.filtered = 0;
  work.made = shape.type.fields.filter((_, k) => shape.inputs[k] < 0).map((field) => makeColumn(field.type, rows));
}

function makeColumn(type: Type, rows: number): MadeColumn {
  if (!isNumeric(type)) return { values: emptyValues(rows), valid: null };
  return { values: new Float64Array(rows), valid: type.nullable ? new Uint8Array(rows) : null };
}

/** Room for values of any kind, said so from the start: an array made for small integers changes its form at the first text, in every batch. */
function emptyValues(rows: number): unknown[] {
  const values: unknown[] = [null];
  values.length = rows;
  return values;
}

/** Statements that write a value as computed column `index` of output row `o`. */
export function writeCode(builder: LoopBuilder, index: number, type: Type, { code, present, isNull }: ReadAs): string {
  const values = builder.hoist("made", `work.made[${index}].values`);
  if (!isNumeric(type)) return `${values}[o] = ${code};`;
  const value = (of: string): string => type.kind === "bool" ? `${of} ? 1 : 0` : of;
  if (!type.nullable) return `${values}[o] = ${value(code)};`;
  const valid = builder.hoist("valid", `work.made[${index}].valid`);
  // The same stores for null: V8 throws compiled code away at the first row for which it comes to a store that it has not seen.
  if (present !== undefined && isNull !== undefined) {
    return `${valid}[o] = ${isNull} ? 0 : 1; ${values}[o] = ${isNull} ? 0 : ${value(present)};`;
  }
  const local = builder.local("value");
  return `${local} = ${code}; ${valid}[o] = ${local} === null ? 0 : 1; ${values}[o] = ${local} === null ? 0 : ${value(local)};`;
}

/** The batch of the rows that passed. */
export function passedBatch(work: Work, shape: OutputShape, batch: Batch): Batch {
  const { rows, count } = work;
  const passed = shape.inputs.map((input) => input < 0 ? null : batch.columns[input]);
  const shared: Batch = { rows: batch.rows, type: shape.type, columns: passed, meta: batch.meta };
  const gathered = count === batch.rows ? shared : select(shared, rows, count);
  let made = 0;
  const columns = shape.inputs.map((input, k) => input < 0 ? finish(work.made[made++], count) : gathered.columns[k]);
  return { rows: count, type: shape.type, columns, meta: gathered.meta };
}

function finish({ values, valid }: MadeColumn, count: number): Column {
  if (values instanceof Float64Array) {
    return { kind: "number", values: values.subarray(0, count), valid: valid && valid.subarray(0, count) };
  }
  values.length = count;
  return { kind: "value", values };
}

/** Some rows of a batch as they came in. */
export function pick(batch: Batch, rows: Int32Array, count: number): Batch {
  return count === batch.rows ? batch : select(batch, rows, count);
}
