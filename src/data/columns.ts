/**
 * Making, reading and rearranging columns and batches. Invariant: no function here changes a column it was given; `select`
 * shares what it was given, `concat` copies them, so that its result keeps no batch alive.
 */
import type { Batch, Column, Meta, NumberColumn, SpelledColumns, TextColumn, ValueColumn } from "./batch.ts";
import { builderOf, TextBuilder } from "./builders.ts";
import { assert } from "./fault.ts";
import { ChosenRows, selectBytes, selectColumn, selectNumbers } from "./selected_columns.ts";
import type { RecordType, Type } from "./types.ts";

export { builderOf, type ColumnBuilder, NumberBuilder, TextBuilder, ValueBuilder } from "./builders.ts";
export { detach, ownText, SharedText, textColumn } from "./text_column.ts";

/** Numbers with an optional validity bitmap (1: there, 0: null). */
export function numberColumn(values: Float64Array, valid: Uint8Array | null = null): NumberColumn {
  return { kind: "number", values, valid };
}
/** Run-time values, null included. */
export function valueColumn(values: readonly unknown[]): ValueColumn {
  return { kind: "value", values };
}
/** A column of run-time values of `type`: bool as boolean, null for null. */
export function columnOf(type: Type, values: readonly unknown[]): Column {
  const builder = builderOf(type);
  for (const value of values) builder.pushValue(value);
  return builder.finish();
}

/** Whether a row holds no value. */
export function isNull(column: Column, row: number): boolean {
  if (column.kind === "value") return column.values[row] === null || column.values[row] === undefined;
  return column.valid !== null && column.valid[row] === 0;
}
/** The run-time value of one row: bool as boolean, null for null. Not for hot loops. */
export function cell(column: Column, type: Type, row: number): unknown {
  switch (column.kind) {
    case "number":
      if (column.valid !== null && column.valid[row] === 0) return null;
      return type.kind === "bool" ? column.values[row] !== 0 : column.values[row];
    case "text":
      return column.at(row);
    case "value":
      return column.values[row] ?? null;
  }
}

/** first, first + 1, ...: the positions of rows that lie one behind the other. */
export function countingFrom(first: number, count: number): Float64Array {
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) numbers[i] = first + i;
  return numbers;
}

/** Where rows came from. `origin` is the position unless a header told otherwise; `raw` is null for made rows. */
export function makeMeta(
  source: string,
  partition: number,
  position: Float64Array,
  origin: Float64Array = position,
  raw: TextColumn | null = null,
  spelled: SpelledColumns | null = null,
): Meta {
  return { source, partition, position, origin, raw, time: null, watermark: null, spelled };
}
/** No rows, with every column there. */
export function emptyBatch(type: RecordType, source: string, partition = 0): Batch {
  const columns = type.fields.map((field) => columnOf(field.type, []));
  return { rows: 0, type, columns, meta: makeMeta(source, partition, new Float64Array(0)) };
}

/** The rows `rows[0, count)` of a batch, in that order; a row may occur more than once. Its columns are gathered where they are first read. */
export function select(batch: Batch, rows: Int32Array, count: number): Batch {
  const chosen = new ChosenRows(rows.slice(0, count));
  const columns = batch.columns.map((column) => column === null ? null : selectColumn(column, chosen));
  const meta = selectMeta(batch.meta, chosen);
  return { rows: count, type: batch.type, columns, meta: { ...meta, spelled: selectSpelled(batch, columns, chosen) } };
}
/** What the raw bytes say of the selected columns; null where one of them is no longer among the columns. */
function selectSpelled(batch: Batch, selected: Batch["columns"], { rows }: ChosenRows): SpelledColumns | null {
  const { spelled } = batch.meta;
  if (spelled === null) return null;
  const columns: (Column | null)[] = [];
  for (const [i, column] of spelled.columns.entries()) {
    // Fields mostly keep their places.
    const at = batch.columns[i] === column ? i : batch.columns.indexOf(column);
    if (column !== null && at < 0) return null;
    columns.push(column === null ? null : selected[at]);
  }
  return { fields: spelled.fields, columns, forms: selectBytes(spelled.forms, rows) };
}
/** Where the chosen rows came from. What raw bytes say is told by columns, which only `select` has. */
function selectMeta(meta: Meta, chosen: ChosenRows): Meta {
  const { rows } = chosen;
  const position = selectNumbers(meta.position, rows);
  const origin = meta.origin === meta.position ? position : selectNumbers(meta.origin, rows);
  return {
    ...meta,
    position,
    origin,
    raw: meta.raw === null ? null : selectColumn(meta.raw, chosen),
    received: meta.received && selectNumbers(meta.received, rows),
    time: meta.time && selectNumbers(meta.time, rows),
    watermark: meta.watermark && selectNumbers(meta.watermark, rows),
    spelled: null,
    deleted: meta.deleted && selectMarks(meta.deleted, rows),
  };
}

/** All rows of batches of one type, source and partition, one after the other. At least one batch. */
export function concat(batches: readonly Batch[]): Batch {
  assert(batches.length > 0, "concat needs a batch");
  const [first] = batches;
  if (batches.length === 1) return first;
  const sameOrigin = batches.every((b) => b.meta.source === first.meta.source && b.meta.partition === first.meta.partition);
  assert(sameOrigin && batches.every((b) => b.columns.length === first.columns.length), "concat needs batches of one kind and origin");
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  const columns = first.type.fields.map((field, i) => {
    const parts = batches.map((batch) => batch.columns[i]);
    return parts.every((part) => part !== null) ? concatColumns(field.type, parts, batches) : null;
  });
  const position = concatNumbers(batches.map((batch) => batch.meta.position), rows);
  const origin = concatNumbers(batches.map((batch) => batch.meta.origin), rows);
  const raws = batches.map((batch) => batch.meta.raw);
  const raw = raws.every((part) => part !== null) ? concatText(raws, batches) : null;
  const received = concatWhereAll(batches.map((batch) => batch.meta.received ?? null), rows);
  const time = concatWhereAll(batches.map((batch) => batch.meta.time), rows);
  const watermark = concatWhereAll(batches.map((batch) => batch.meta.watermark), rows);
  const meta = { ...first.meta, position, origin, raw, received, time, watermark, spelled: null, deleted: concatMarks(batches, rows) };
  return { rows, type: first.type, columns, meta };
}

function concatColumns(type: Type, parts: readonly Column[], batches: readonly Batch[]): Column {
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  if (parts.every((part) => part.kind === "number")) {
    const valid = parts.some((part) => part.valid !== null) ? new Uint8Array(rows).fill(1) : null;
    let at = 0;
    for (const [i, part] of parts.entries()) {
      if (part.valid !== null) valid!.set(part.valid.subarray(0, batches[i].rows), at);
      at += batches[i].rows;
    }
    return numberColumn(concatNumbers(parts.map((part) => part.values), rows), valid);
  }
  if (parts.every((part) => part.kind === "text")) return concatText(parts, batches);
  const values: unknown[] = [];
  for (const [i, part] of parts.entries()) {
    for (let row = 0; row < batches[i].rows; row++) values.push(cell(part, type, row));
  }
  return valueColumn(values);
}
function concatText(parts: readonly TextColumn[], batches: readonly Batch[]): TextColumn {
  const builder = new TextBuilder();
  for (const [i, part] of parts.entries()) {
    for (let row = 0; row < batches[i].rows; row++) {
      if (part.valid !== null && part.valid[row] === 0) builder.pushNull();
      else builder.pushBytes(part.bytes, part.start[row], part.end[row]);
    }
  }
  return builder.finish();
}
function concatNumbers(parts: readonly Float64Array[], rows: number): Float64Array {
  const all = new Float64Array(rows);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
function concatWhereAll(parts: readonly (Float64Array | null)[], rows: number): Float64Array | null {
  return parts.every((part) => part !== null) ? concatNumbers(parts, rows) : null;
}
/** Batches that mark no row among others that do stand for rows without a mark. */
function concatMarks(batches: readonly Batch[], rows: number): Uint8Array | null {
  if (!batches.some((batch) => batch.meta.deleted)) return null;
  const all = new Uint8Array(rows);
  let at = 0;
  for (const batch of batches) {
    if (batch.meta.deleted) all.set(batch.meta.deleted.subarray(0, batch.rows), at);
    at += batch.rows;
  }
  return all;
}
/** null when none of the chosen rows is marked. */
function selectMarks(marks: Uint8Array, rows: Int32Array): Uint8Array | null {
  const chosen = selectBytes(marks, rows);
  return chosen.some((mark) => mark !== 0) ? chosen : null;
}
