/** Snapshots of reference tables give back what they were made of. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeSnapshot, encodeSnapshot } from "../../src/app/snapshot_form.ts";
import type { Batch, Column } from "../../src/data/batch.ts";
import { cell, columnOf, makeMeta, select, valueColumn } from "../../src/data/columns.ts";
import { BOOL, decimalOf, INT, type RecordType, STRING, withNull } from "../../src/data/types.ts";

const TYPE: RecordType = {
  fields: [
    { name: "id", type: INT },
    { name: "limit", type: withNull(decimalOf(2)) },
    { name: "name", type: STRING },
    { name: "note", type: withNull(STRING) },
    { name: "active", type: withNull(BOOL) },
    { name: "unread", type: STRING },
    { name: "any", type: { kind: "json", nullable: true } },
    { name: "tags", type: { kind: "map", key: STRING, value: decimalOf(2), nullable: false } },
  ],
};
const NEEDED = new Set(TYPE.fields.map(({ name }) => name).filter((name) => name !== "unread"));
const number = fc.maxSafeInteger();
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 8 }));
const row = fc.tuple(
  number,
  fc.option(number),
  text,
  fc.option(text),
  fc.option(fc.boolean()),
  fc.constant("x"),
  fc.option(
    fc.oneof(
      fc.boolean(),
      fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }),
      fc.record({ a: fc.integer() }, { noNullPrototype: true }),
    ),
  ),
  fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.integer())).map((entries) => new Map(entries)),
);
type Row = readonly unknown[];

function batchOf(rows: readonly Row[]): Batch {
  const columns = TYPE.fields.map(({ name, type }, i) => NEEDED.has(name) ? columnOf(type, rows.map((one) => one[i])) : null);
  return { rows: rows.length, type: TYPE, columns, meta: makeMeta("t", 0, new Float64Array(rows.length)) };
}
const valuesOf = (batch: Batch): unknown[][] =>
  Array.from({ length: batch.rows }, (_, i) =>
    TYPE.fields.map(({ type }, f) => {
      const column = batch.columns[f];
      return column === null ? "x" : cell(column, type, i);
    }));

Deno.test("a table's snapshot gives back its needed columns, however its rows were cut into batches", () => {
  const property = fc.property(fc.array(row, { maxLength: 30 }), fc.nat(30), (rows, border) => {
    const batches = [batchOf(rows.slice(0, border)), batchOf(rows.slice(border))];
    const bytes = encodeSnapshot(TYPE, NEEDED, batches);
    const back = decodeSnapshot("t", TYPE, NEEDED, bytes.slice());
    assert.deepEqual(valuesOf(back), rows.map((one) => one.map((value) => Object.is(value, -0) ? 0 : value)));
    assert.deepEqual([...back.meta.position], rows.map((_, i) => i + 1));
    assert.deepEqual(encodeSnapshot(TYPE, NEEDED, [batchOf(rows)]), bytes);
  });
  fc.assert(property, { seed: 20263, numRuns: 300 });
});

Deno.test("what lies behind a null does not show in a snapshot", () => {
  const batch = batchOf([[1, 5, "a", "b", true, "x", null, new Map()], [2, null, "c", null, null, "x", [1], new Map([["k", 150]])]]);
  const dirty = batch.columns.map((column) => {
    if (column?.kind !== "number" || column.valid === null) return column;
    return { ...column, values: column.values.map((value, i) => column.valid![i] === 0 ? 77 : value) };
  });
  assert.deepEqual(encodeSnapshot(TYPE, NEEDED, [{ ...batch, columns: dirty }]), encodeSnapshot(TYPE, NEEDED, [batch]));
  const swapped = select(batch, new Int32Array([1, 0]), 2);
  assert.notDeepEqual(encodeSnapshot(TYPE, NEEDED, [swapped]), encodeSnapshot(TYPE, NEEDED, [batch]));
});

Deno.test("texts kept as strings are written as those kept as bytes are, in rows of any number, ASCII or not", () => {
  const type: RecordType = { fields: [{ name: "name", type: withNull(STRING) }] };
  const needed = new Set(["name"]);
  const written = (column: Column, rows: number): Uint8Array =>
    encodeSnapshot(type, needed, [{ rows, type, columns: [column], meta: makeMeta("t", 0, new Float64Array(rows)) }]);
  for (const rows of [0, 1, 255, 256, 257, 600]) {
    // One row that is not ASCII, in the second of three groups, and in the last; a text that is empty; one that is absent.
    const name = (row: number): string | null =>
      row === 3 ? null : row === 300 || row === 599 ? `Žižkov 🍞 ${row}` : row === 7 ? "" : `name ${row}`;
    const names = Array.from({ length: rows }, (_, row) => name(row));
    assert.deepEqual(written(valueColumn(names), rows), written(columnOf(type.fields[0].type, names), rows), `${rows} rows`);
  }
});
