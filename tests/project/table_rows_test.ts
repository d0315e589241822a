/** Loaded tables: found by key, columns in run-time form, second rows of a key refused. */
import assert from "node:assert/strict";
import { cell, columnOf, makeMeta } from "../../src/data/columns.ts";
import { BOOL, decimalOf, INT, type RecordType, STRING, withNull } from "../../src/data/types.ts";
import { decodeSnapshot, encodeSnapshot } from "../../src/app/snapshot_form.ts";
import { KeyedRows } from "../../src/project/table_rows.ts";

const TYPE: RecordType = {
  fields: [
    { name: "id", type: STRING },
    { name: "money", type: withNull(decimalOf(2)) },
    { name: "good", type: BOOL },
    { name: "note", type: withNull(STRING) },
    { name: "unread", type: INT },
  ],
};
type Row = readonly [string, number | null, boolean, string | null];

function batch(rows: readonly Row[]) {
  const position = Float64Array.from(rows, (_, index) => index + 1);
  const columns = TYPE.fields.map(({ name, type }, index) => name === "unread" ? null : columnOf(type, rows.map((row) => row[index])));
  return { rows: rows.length, type: TYPE, columns, meta: makeMeta("t", 0, position) };
}

Deno.test("rows are found by key over all batches; the first row of a key stays", () => {
  const rows = new KeyedRows(TYPE, "id");
  const columns = rows.columns;
  const first = batch([["a", 150, true, "x"], ["b", null, false, null]]);
  const second = batch([["a", 999, false, "later"], ["c", 7, true, "é"]]);
  assert.deepEqual(rows.load(TYPE, [first, second]), { duplicates: [2] });
  assert.deepEqual(["a", "b", "c", "d", null].map((key) => rows.find(key)), [0, 1, 2, -1, -1]);
  const [, money, good, note] = rows.columns;
  assert.ok(money.kind === "number" && good.kind === "number" && note.kind === "value");
  assert.deepEqual([...money.values], [150, 0, 7]);
  assert.deepEqual([...money.valid!], [1, 0, 1]);
  assert.deepEqual([[...good.values], good.valid], [[1, 0, 1], null]);
  assert.deepEqual(note.values, ["x", null, "é"]);
  assert.equal(rows.columns, columns);
});

Deno.test("loading again replaces everything", () => {
  const rows = new KeyedRows(TYPE, "id");
  rows.load(TYPE, [batch([["a", 1, true, "x"]])]);
  assert.deepEqual(rows.load(TYPE, [batch([["b", 2, true, "y"]])]), { duplicates: [] });
  assert.deepEqual([rows.find("a"), rows.find("b")], [-1, 0]);
});

Deno.test("a table is taken in batch by batch, and is there when all is", () => {
  const rows = new KeyedRows(TYPE, "id");
  const loading = rows.begin(TYPE);
  const many = Array.from({ length: 3000 }, (_, i): Row => [`k${i}`, i % 5 === 0 ? null : i, i % 2 === 0, `note ${i}`]);
  assert.deepEqual(loading.add(batch(many.slice(0, 900))), []);
  assert.deepEqual(loading.add(batch([["k7", 1, true, null], ...many.slice(900, 2500), ["k900", 2, false, null]])), [0, 1601]);
  assert.equal(rows.columns[1].values.length, 0);
  assert.deepEqual(loading.add(batch(many.slice(2500))), []);
  loading.finish();
  const whole = rows.batch("t", new Set(["id", "money", "note"]));
  assert.equal(whole.rows, 3000);
  const read = many.map((_, row) => [0, 1, 3].map((field) => cell(whole.columns[field]!, TYPE.fields[field].type, row)));
  assert.deepEqual(read, many.map(([id, money, , note]) => [id, money, note]));
  assert.deepEqual([whole.columns[2], whole.columns[4]], [null, null]);
  assert.equal(rows.find("k2999"), 2999);
});

Deno.test("a text key that nobody reads stands in the index alone, and a snapshot of the table is the same", () => {
  const texts = ["", "é", "ab", "abc", "a key of some length", "😀".repeat(20), ..."abcdefgh".repeat(40)].map((text, i) =>
    `${text}${i % 7}${i}`
  );
  const parts = [texts.slice(0, 150), texts.slice(150)].map((ids) => batch(ids.map((id, i) => [id, i, true, `note ${id}`])));
  const fields = new Set(["id", "money"]);
  const [inIndex, asStrings] = [new Set(["money", "note"]), new Set(["id", "money", "note"])].map((read) => {
    const rows = new KeyedRows(TYPE, "id", read);
    assert.deepEqual(rows.load(TYPE, parts), { duplicates: [] });
    return rows;
  });
  assert.deepEqual([inIndex.columns[0].values.length, asStrings.columns[0].values.length], [0, texts.length]);
  for (const rows of [inIndex, asStrings]) {
    assert.deepEqual([rows.size, rows.loads], [texts.length, 1]);
    const whole = rows.batch("t", fields);
    assert.deepEqual(texts.map((_, row) => cell(whole.columns[0]!, STRING, row)), texts);
    assert.deepEqual(texts.map((text) => rows.find(text)), texts.map((_, row) => row));
  }
  const [small, large] = [inIndex, asStrings].map((rows) => encodeSnapshot(TYPE, fields, [rows.batch("t", fields)]));
  assert.deepEqual(small, large);
  const again = new KeyedRows(TYPE, "id", new Set(["money"]));
  again.load(TYPE, [decodeSnapshot("t", TYPE, fields, small)]);
  assert.deepEqual(encodeSnapshot(TYPE, fields, [again.batch("t", fields)]), small);
});
