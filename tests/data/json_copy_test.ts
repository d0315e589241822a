/** Rows that are written by copying their bytes: when that happens, and that nobody can tell. */
import assert from "node:assert/strict";
import type { Batch, Column } from "../../src/data/batch.ts";
import { createWriter, writtenText } from "../../src/data/bytes.ts";
import { columnOf, concat, makeMeta, select, textColumn } from "../../src/data/columns.ts";
import {
  compileJsonDecoder,
  compileJsonEncoder,
  compileJsonRecordsEncoder,
  compileJsonRowsEncoder,
  type JsonOptions,
} from "../../src/data/json/mod.ts";
import { DECIMAL_NUMBERS, DECIMAL_STRINGS } from "../../src/data/json/spelling.ts";
import {
  BOOL,
  DATE,
  decimalOf,
  DOUBLE,
  DURATION,
  INT,
  type RecordType,
  STRING,
  TIMESTAMP,
  type Type,
  withNull,
} from "../../src/data/types.ts";
import { fieldsOf, JSON_TYPE, lineWrapper, recordsOf, specOf } from "./support.ts";

const PAYMENT = fieldsOf({ id: STRING, amount: decimalOf(2), note: withNull(STRING), at: TIMESTAMP });
const CANONICAL = '{"id":"ü1","amount":12.50,"note":null,"at":"2025-04-01T01:21:09.5Z"}';
/** Keeps the last record away from the end of the buffer, where templates stop. */
const AFTER = " ".repeat(1000);

function batchOf(type: RecordType, texts: readonly string[], after = AFTER): Batch {
  const records = recordsOf([...texts, after]);
  const { start, end, bytes } = records;
  const read = { bytes: after === "" ? bytes.subarray(0, end[texts.length - 1]) : bytes, start, end, rows: texts.length };
  const { columns, bad, spelled } = compileJsonDecoder(specOf(type))(read);
  assert.deepEqual(bad, []);
  const forms = spelled && { fields: type.fields, columns, forms: spelled };
  const position = Float64Array.from(texts, (_, i) => i);
  const raw = textColumn(read.bytes, start.subarray(0, texts.length), end.subarray(0, texts.length), null);
  return { rows: texts.length, type, columns, meta: makeMeta("in", 0, position, position, raw, forms) };
}
/** Row by row, many rows a call, and as records. */
function written(batch: Batch, options: JsonOptions = {}): string {
  const writer = createWriter(16);
  const encode = compileJsonEncoder(batch.type, options);
  const ends = Array.from({ length: batch.rows }, (_, row) => (encode(batch, row, writer), writer.length));
  const together = createWriter(16);
  const endsTogether = new Uint32Array(batch.rows + 1);
  compileJsonRowsEncoder(batch.type, options)(batch, 0, batch.rows, together, endsTogether, 1);
  assert.equal(writtenText(together), writtenText(writer));
  assert.deepEqual([...endsTogether], [0, ...ends]);
  const records = createWriter(16);
  const recordEnds: number[] = [];
  const rows = Int32Array.from(ends, (_, row) => row);
  const encodeRecords = compileJsonRecordsEncoder(batch.type, options);
  // A call ends behind the record that passes the bound; whoever holds more already gets none.
  for (let at = 0, bytesMax = 0; at < batch.rows; bytesMax += 100) {
    at = encodeRecords(batch, rows, at, batch.rows, records, lineWrapper(recordEnds), bytesMax);
    assert.equal(at, at === batch.rows ? at : ends.findIndex((end) => end > bytesMax) + 1);
  }
  assert.equal(writtenText(records), writtenText(writer));
  assert.deepEqual(recordEnds, ends.map((end) => end - 1));
  return writtenText(writer);
}
/** The same rows where nobody knows how their bytes are spelled. */
const unknown = (batch: Batch): Batch => ({ ...batch, meta: { ...batch.meta, spelled: null } });
function withFields(batch: Batch, fields: Readonly<Record<string, readonly [Type, readonly unknown[]]>>): Batch {
  const made = Object.entries(fields).map(([name, [type, values]]) => ({ field: { name, type }, column: columnOf(type, values) }));
  return {
    ...batch,
    type: { fields: [...batch.type.fields, ...made.map(({ field }) => field)] },
    columns: [...batch.columns, ...made.map(({ column }) => column)],
  };
}
const formsOf = (type: RecordType, text: string): number => batchOf(type, [text]).meta.spelled?.forms[0] ?? 0;

Deno.test("a record is spelled as we write it, or it is not", () => {
  const both = DECIMAL_NUMBERS | DECIMAL_STRINGS;
  const cases: readonly (readonly [Type, number, readonly string[]])[] = [
    [STRING, both, ['""', '"é😀\u007f/"']],
    [STRING, 0, ['"\\u0041"', '"\\/"', '"\\""']],
    [INT, both, ["0", "-1", "999999999999999"]],
    [INT, 0, ["-0", '"1"', "1.0", "1e2", "9007199254740991"]],
    [decimalOf(2), DECIMAL_NUMBERS, ["0.00", "-0.01", "1234567890123.45"]],
    [decimalOf(2), DECIMAL_STRINGS, ['"0.00"', '"-0.01"', '"12.34"']],
    [decimalOf(2), 0, ["1", "1.5", "-0.00", '"-0.00"', '"01.50"', '"1.5"', "1.500", "1e0"]],
    [decimalOf(0), DECIMAL_NUMBERS, ["7"]],
    [DOUBLE, both, ["0", "0.1", "-12.5", "0.000001", "100000"]],
    [DOUBLE, 0, ["-0", "1.0", "0.10", "0.0000001", "1e3", '"0.1"']],
    [BOOL, both, ["true", "false"]],
    [withNull(INT), both, ["null", "1"]],
    [withNull(INT), 0, ['""']],
    [TIMESTAMP, both, ['"2025-04-01T01:21:09Z"', '"2025-04-01T01:21:09.000001Z"']],
    [TIMESTAMP, 0, ['"2025-04-01t01:21:09Z"', '"2025-04-01T01:21:09.10Z"', '"2025-04-01T03:21:09+02:00"']],
    [DATE, both, ['"2025-04-01"']],
    [DURATION, 0, ['"10s"']],
    [JSON_TYPE, 0, ["1"]],
  ];
  for (const [type, forms, values] of cases) {
    for (const value of values) assert.equal(formsOf(fieldsOf({ f: type }), `{"f":${value}}`), forms, `${type.kind} ${value}`);
  }
  const two = fieldsOf({ a: withNull(INT), b: INT });
  assert.equal(formsOf(two, '{"a":1,"b":2}'), both);
  for (const text of ['{"b":2,"a":1}', '{"b":2}', '{"a":1,"b":2,"c":3}', '{"a": 1,"b":2}', '{"a":1,"b":2 }', '{"\\u0061":1,"b":2}']) {
    assert.equal(formsOf(two, text), 0, text);
  }
});

Deno.test("times in a pattern are spelled alike unless a zone or an offset allows two texts for one time", () => {
  const pattern = "yyyy-MM-dd HH:mm:ss.SSS";
  const text = '{"f":"2025-10-26 02:30:00.120"}';
  assert.notEqual(formsOf(fieldsOf({ f: { type: TIMESTAMP, format: pattern, zone: "UTC" } }), text), 0);
  assert.equal(formsOf(fieldsOf({ f: { type: TIMESTAMP, format: pattern, zone: "Europe/Lisbon" } }), text.replace("10-26", "10-27")), 0);
  const offset = fieldsOf({ f: { type: TIMESTAMP, format: "yyyy-MM-dd HH:mm:ssXXX" } });
  assert.equal(formsOf(offset, '{"f":"2025-10-26 02:30:00+01:00"}'), 0);
});

Deno.test("times since 1970 are spelled alike as whole numbers or without zeros at the end", () => {
  const type = fieldsOf({ f: { type: TIMESTAMP, format: "epoch_ms" } });
  for (const text of ["1760000001494", "0", "-1", "1760000001494.5"]) assert.notEqual(formsOf(type, `{"f":${text}}`), 0, text);
  for (const text of ["-0", '"1"', "1.50", "1e3"]) assert.equal(formsOf(type, `{"f":${text}}`), 0, text);
});

Deno.test("copied bytes are those of the record, whatever they are and wherever eight of them begin", () => {
  const type = fieldsOf({ f: STRING });
  // Bytes 7f, and ef or more, beside all others that may stand before or behind them.
  const letters = ["\u007f", "\u0080", "\u00ff", "\uffff", "\u{10000}", "\u{3ffff}", "\u{100000}", "\u{10ffff}"];
  const texts: string[] = [];
  for (let length = 0; length < 40; length++) {
    for (const [i, letter] of letters.entries()) {
      texts.push(`{"f":"${"x".repeat(length)}${letter}${letters[(i + length) % letters.length]}${"y".repeat(length % 3)}"}`);
    }
  }
  const batch = withFields(batchOf(type, texts), { g: [INT, texts.map(() => 7)] });
  assert.ok(batch.meta.spelled?.forms.every((form) => form !== 0));
  assert.equal(written(batch), texts.map((text) => `${text.slice(0, -1)},"g":7}\n`).join(""));
});

Deno.test("a row with more fields is its bytes and a tail, the same as written field by field", () => {
  const others = [
    CANONICAL.replace("12.50", "12.5"),
    CANONICAL.replaceAll(":", ": ").replaceAll("01: 21: 09", "01:21:09"),
    CANONICAL.replace("12.50", '"12.50"'),
    CANONICAL.replace("null", '"a\\tb"'),
    '{"amount":1.00,"id":"x","note":"","at":"2025-04-01T01:21:09Z"}',
  ];
  for (const after of [AFTER, ""]) {
    const batch = batchOf(PAYMENT, [CANONICAL, ...others, CANONICAL, CANONICAL], after);
    const more = withFields(batch, {
      status: [STRING, ["ok", 'a"b', "é\u0001", "\ud800", "x".repeat(100), "", "ok", "no"]],
      balance: [withNull(decimalOf(2)), [1, null, -5, 100, 0, 1, 2, 3]],
      reason: [withNull(STRING), [null, "a", null, "b", "c", "d", "e", "f"]],
      data: [JSON_TYPE, [1, [2], { a: 1 }, null, "x", true, 1.5, ""]],
    });
    for (const options of [{}, { decimals: "string" }, { timestamps: "yyyy-MM-dd" }] as const) {
      assert.equal(written(more, options), written(unknown(more), options));
      assert.equal(written(batch, options), written(unknown(batch), options));
    }
    assert.ok(batch.meta.spelled !== null);
    assert.ok(written(more).startsWith(CANONICAL.slice(0, -1) + ',"status":"ok","balance":0.01,"reason":null,"data":1}\n'));
  }
});

Deno.test("bytes are copied only for columns that they spell: others, older and rearranged ones are written", () => {
  // Bytes that say something else than the columns show whether they were copied.
  const batch = batchOf(PAYMENT, [CANONICAL, CANONICAL.replace("ü1", "second")]);
  const { raw, spelled } = batch.meta;
  const marked = { ...raw!, bytes: raw!.bytes.map((byte) => byte === "5".charCodeAt(0) ? "6".charCodeAt(0) : byte) };
  const lying: Batch = { ...batch, meta: { ...batch.meta, raw: marked, spelled } };
  const isCopied = (some: Batch, options: JsonOptions = {}): boolean => written(some, options).includes("12.60");
  assert.ok(isCopied(lying));
  assert.ok(isCopied(withFields(lying, { more: [INT, [1, 2]] })));
  const picked = select(lying, Int32Array.of(1), 1);
  assert.ok(isCopied(picked) && written(picked).includes("second"));
  assert.ok(isCopied(withFields(picked, { more: [INT, [1]] })));

  const columns = [...lying.columns];
  columns[1] = columnOf(decimalOf(2), [1250, 1250]);
  assert.ok(!isCopied({ ...lying, columns }), "a column that was computed anew");
  const renamed = { fields: PAYMENT.fields.map((field, i) => i === 1 ? { ...field, name: "sum" } : field) };
  assert.ok(!isCopied({ ...lying, type: renamed }), "a field of another name");
  const coarser = { fields: PAYMENT.fields.map((field, i) => i === 3 ? { ...field, format: "yyyy-MM-dd" } : field) };
  assert.ok(!isCopied({ ...lying, type: coarser }), "a field of another format");
  const order = [1, 0, 2, 3];
  const turned = { fields: order.map((i) => PAYMENT.fields[i]) };
  assert.ok(!isCopied({ ...lying, type: turned, columns: order.map((i): Column | null => lying.columns[i]) }), "another order");
  assert.ok(!isCopied({ ...lying, type: { fields: PAYMENT.fields.slice(0, 3) }, columns: lying.columns.slice(0, 3) }), "a field less");
  assert.ok(!isCopied({ ...lying, meta: { ...lying.meta, raw: null } }), "no bytes");
  assert.ok(!isCopied(lying, { decimals: "string" }), "decimals in another form");
  assert.ok(!isCopied(lying, { timestamps: "yyyy-MM-dd" }), "times in another form");
  assert.ok(!isCopied(concat([lying, lying])), "rows of several batches");
  const dropped = select({ ...lying, columns: [null, ...lying.columns.slice(1)] }, Int32Array.of(0), 1);
  assert.equal(dropped.meta.spelled, null);
});
