import assert from "node:assert/strict";
import fc from "fast-check";
import type { Batch } from "../../src/data/batch.ts";
import { createWriter, writtenText } from "../../src/data/bytes.ts";
import { cell, columnOf, concat, detach, emptyBatch, isNull, makeMeta, select, TextBuilder, textColumn } from "../../src/data/columns.ts";
import { compileJsonDecoder, compileJsonEncoder, rowJson, splitLines } from "../../src/data/json/mod.ts";
import { BOOL, decimalOf, DURATION, INT, listOf, type RecordType, STRING, TIMESTAMP, withNull } from "../../src/data/types.ts";
import { isUtf8 } from "../../src/data/utf8.ts";
import { fieldsOf, rowsOf, SEED, specOf } from "./support.ts";

const run = { seed: SEED, numRuns: 300 };
const encoder = new TextEncoder();
const TYPE: RecordType = fieldsOf({ n: withNull(INT), b: withNull(BOOL), s: withNull(STRING), l: withNull(listOf(INT)) });
const row = fc.tuple(
  fc.option(fc.integer()),
  fc.option(fc.boolean()),
  fc.option(fc.string({ unit: "grapheme", maxLength: 20 })),
  fc.option(fc.array(fc.integer(), { maxLength: 3 })),
);
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

function batchOf(rows: readonly Row[], first: number): Batch {
  const columns = TYPE.fields.map((field, i) => columnOf(field.type, rows.map((each) => each[i])));
  const raw = new TextBuilder();
  for (const each of rows) raw.push(JSON.stringify(each));
  const position = Float64Array.from(rows, (_, i) => first + i);
  return { rows: rows.length, type: TYPE, columns, meta: makeMeta("test", 3, position, position.map((p) => -p), raw.finish()) };
}
function valuesOf(batch: Batch): unknown[] {
  return Array.from({ length: batch.rows }, (_, i) => [
    ...batch.columns.map((column, f) => cell(column!, TYPE.fields[f].type, i)),
    batch.meta.position[i],
    batch.meta.origin[i],
    batch.meta.raw!.at(i),
  ]);
}
const wished = (rows: readonly Row[], first: number) => rows.map((each, i) => [...each, first + i, -first - i, JSON.stringify(each)]);

Deno.test("columns give back the values they were made of", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 100 }), (rows) => {
      const batch = batchOf(rows, 1);
      assert.deepEqual(valuesOf(batch), wished(rows, 1));
      for (const [i, each] of rows.entries()) assert.equal(isNull(batch.columns[2]!, i), each[2] === null);
    }),
    run,
  );
});

Deno.test("select takes rows in any order, more than once, and leaves its batch alone", () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), fc.array(fc.nat(), { maxLength: 60 }), (rows, picks) => {
      const batch = batchOf(rows, 1);
      const indexes = Int32Array.from([...picks, 0], (pick) => pick % rows.length);
      const all = wished(rows, 1);
      assert.deepEqual(valuesOf(select(batch, indexes, picks.length)), [...indexes.subarray(0, picks.length)].map((i) => all[i]));
      assert.deepEqual(valuesOf(batch), all);
    }),
    run,
  );
});

Deno.test("rows keep their mark of being deleted through select and concat, and a batch without a mark has none", () => {
  const marked = (rows: number, deleted: Uint8Array | null): Batch => {
    const batch = batchOf(Array.from({ length: rows }, (_, i): Row => [i, null, null, null]), 1);
    return { ...batch, meta: { ...batch.meta, deleted } };
  };
  const one = marked(3, Uint8Array.of(0, 1, 0));
  assert.deepEqual(select(one, Int32Array.of(1, 2, 1), 3).meta.deleted, Uint8Array.of(1, 0, 1));
  assert.equal(select(one, Int32Array.of(0, 2), 2).meta.deleted, null);
  assert.deepEqual(concat([marked(2, null), one]).meta.deleted, Uint8Array.of(0, 0, 0, 1, 0));
  assert.equal(concat([marked(2, null), marked(1, null)]).meta.deleted, null);
});

Deno.test("concat joins batches, with and without nulls, and keeps none of their bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.array(row, { maxLength: 10 }), { minLength: 1, maxLength: 5 }), (parts) => {
      let first = 1;
      const batches = parts.map((rows) => batchOf(rows, (first += rows.length) - rows.length));
      assert.deepEqual(valuesOf(concat(batches)), wished(parts.flat(), 1));
    }),
    run,
  );
  const mixed = [columnOf(STRING, ["a"]), { kind: "value" as const, values: ["b"] }].map((column) => ({
    ...emptyBatch(fieldsOf({ s: STRING }), "x"),
    rows: 1,
    columns: [column],
  }));
  const joined = concat(mixed.map((batch) => ({ ...batch, meta: makeMeta("x", 0, new Float64Array(1)) })));
  assert.deepEqual([0, 1].map((i) => cell(joined.columns[0]!, STRING, i)), ["a", "b"]);
  assert.throws(() => concat([emptyBatch(TYPE, "a"), emptyBatch(TYPE, "b")]), /one kind and origin/);
});

Deno.test("text of any bytes around it is right, ASCII or not", () => {
  const piece = fc.oneof(fc.constantFrom("abc", "é", "😀", "", "x".repeat(30), "\ufeff"), fc.string({ unit: "grapheme", maxLength: 8 }));
  const noise = fc.uint8Array({ maxLength: 4 }).map((bytes) => Uint8Array.of(...bytes, 10));
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, fc.option(noise)), { minLength: 1, maxLength: 20 }), (pieces) => {
      const chunks: Uint8Array[] = [];
      const start: number[] = [];
      const end: number[] = [];
      let at = 0;
      const add = (chunk: Uint8Array) => (chunks.push(chunk), at += chunk.length);
      for (const [text, bytes] of pieces) {
        if (bytes !== null) add(bytes);
        start.push(at);
        end.push(add(encoder.encode(text)));
      }
      const all = new Uint8Array(at);
      let to = 0;
      for (const chunk of chunks) all.set(chunk, (to += chunk.length) - chunk.length);
      const column = textColumn(all, Int32Array.from(start), Int32Array.from(end), null);
      assert.deepEqual(pieces.map((_, i) => column.at(i)), pieces.map(([text]) => text));
    }),
    { ...run, numRuns: 2000 },
  );
  for (const text of ["", "short", "é".repeat(40), "long enough to be a slice of its parent"]) assert.equal(detach(text), text);
});

Deno.test("UTF-8 is told from what is none", () => {
  const fatal = new TextDecoder("utf-8", { fatal: true });
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.array(fc.constantFrom(0x41, 0xc1, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf), { maxLength: 5 })
      .map((b) => Uint8Array.from(b)),
  );
  fc.assert(
    fc.property(bytes, (bytes) => {
      let valid = true;
      try {
        fatal.decode(bytes);
      } catch {
        valid = false;
      }
      assert.equal(isUtf8(bytes, 0, bytes.length), valid);
    }),
    { ...run, numRuns: 20000 },
  );
});

Deno.test("JSON is written so that it reads back, as numbers or as strings", () => {
  const type = fieldsOf({
    s: STRING,
    sn: withNull(STRING),
    d: withNull(decimalOf(2)),
    t: TIMESTAMP,
    span: DURATION,
    m: { type: listOf(decimalOf(1)) },
  });
  const spec = specOf(type);
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 10 }),
    fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\u0001", "\u001f", "\u007f", "é", "\u2028") }),
  );
  const safe = fc.maxSafeInteger();
  const values = fc.tuple(text, fc.option(text), fc.option(safe), safe, safe, fc.array(safe, { maxLength: 3 }));
  for (const decimals of ["number", "string"] as const) {
    const encode = compileJsonEncoder(type, { decimals });
    const decode = compileJsonDecoder(spec);
    fc.assert(
      fc.property(fc.array(values, { minLength: 1, maxLength: 10 }), fc.boolean(), (rows, asValues) => {
        const columns = type.fields.map((field, i) => {
          const column = rows.map((each) => each[i]);
          return asValues && field.type.kind === "string" ? { kind: "value" as const, values: column } : columnOf(field.type, column);
        });
        const batch = { rows: rows.length, type, columns, meta: makeMeta("test", 0, new Float64Array(rows.length)) };
        const writer = createWriter(1);
        for (let i = 0; i < rows.length; i++) encode(batch, i, writer);
        const lines = writtenText(writer).split("\n");
        for (const [i, each] of rows.entries()) assert.equal(JSON.parse(lines[i]).s, each[0]);
        const { records } = splitLines(writer.bytes, 0, writer.length, "more", 1 << 20);
        const read = rowsOf(spec, decode(records), records.rows);
        assert.deepEqual(read, rows.map((each) => Object.fromEntries(type.fields.map((f, i) => [f.name, each[i] === 0 ? 0 : each[i]]))));
        if (decimals === "number") assert.equal(rowJson(batch, 0), lines[0]);
      }),
      run,
    );
  }
});

Deno.test("JSON is written in one line, exactly", () => {
  const type = fieldsOf({ a: INT, d: decimalOf(2), 'né"': withNull(STRING), t: { type: TIMESTAMP, format: "dd.MM.yyyy", zone: "UTC" } });
  const batch = {
    rows: 1,
    type,
    columns: type.fields.map((f, i) => columnOf(f.type, [[-0, -5, null, 0][i]])),
    meta: makeMeta("x", 0, new Float64Array(1)),
  };
  const write = (options: Parameters<typeof compileJsonEncoder>[1]) => {
    const writer = createWriter();
    compileJsonEncoder(type, options)(batch, 0, writer);
    return writtenText(writer);
  };
  assert.equal(write({}), '{"a":0,"d":-0.05,"né\\"":null,"t":"01.01.1970"}\n');
  assert.equal(
    write({ decimals: "string", timestamps: "yyyy-MM-dd'T'HH:mm:ssXXX" }),
    '{"a":0,"d":"-0.05","né\\"":null,"t":"1970-01-01T00:00:00Z"}\n',
  );
  assert.equal(rowJson({ ...batch, columns: [null, ...batch.columns.slice(1)] }, 0), '{"d":-0.05,"né\\"":null,"t":"01.01.1970"}');
  assert.throws(
    () => compileJsonEncoder(type)({ ...batch, columns: [null, null, null, null] }, 0, createWriter()),
    /field a is written but was not decoded/,
  );
});

Deno.test("texts of a long span are right on both sides of every border, whatever characters lie on it", () => {
  for (const [name, piece] of [["ASCII", "0123456789abcde,"], ["two bytes", "aé,"], ["three and four bytes", "日\u{1F600}x,"]]) {
    const text = piece.repeat(Math.ceil(200_000 / piece.length));
    const bytes = encoder.encode(`..${text}`);
    const start: number[] = [];
    const end: number[] = [];
    const wanted: string[] = [];
    let at = 2;
    for (const word of text.split(",").slice(0, -1)) {
      start.push(at);
      end.push(at += encoder.encode(word).length);
      wanted.push(word);
      at++;
    }
    const column = textColumn(bytes, Int32Array.from(start), Int32Array.from(end), null);
    wanted.forEach((word, row) => assert.equal(column.at(row), word, `${name}, row ${row}`));
  }
});
