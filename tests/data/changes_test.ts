/** Records of change data capture: the same rows whichever form they come in, deletes told apart, JSON in text (specification D1, D2, D4). */
import assert from "node:assert/strict";
import { createWriter, writtenText } from "../../src/data/bytes.ts";
import type { ChangeRules, DecoderSpec } from "../../src/data/codec.ts";
import { makeMeta } from "../../src/data/columns.ts";
import { compileChangeEncoder, compileJsonDecoder } from "../../src/data/json/mod.ts";
import {
  BOOL,
  DATE,
  decimalOf,
  DOUBLE,
  INT,
  listOf,
  type RecordType,
  STRING,
  TIMESTAMP,
  type Type,
  withNull,
} from "../../src/data/types.ts";
import { fieldsOf, JSON_TYPE, recordsOf, type Rows, rowsOf, specOf } from "./support.ts";

const PLACE: Type = {
  kind: "struct",
  nullable: true,
  fields: [
    { name: "latitude", type: withNull(DOUBLE) },
    { name: "longitude", type: withNull(DOUBLE) },
    { name: "city", type: withNull(STRING) },
    { name: "country", type: withNull(STRING) },
  ],
};
const PAYMENT = fieldsOf({
  id: STRING,
  amount: decimalOf(2),
  exchange_rate: withNull(decimalOf(6)),
  risk_score: withNull(decimalOf(2)),
  transaction_location: PLACE,
  tags: withNull(listOf(STRING)),
  metadata: withNull(JSON_TYPE),
  created_at: TIMESTAMP,
});
/** Section 1.9 of the specification. */
const ROW = {
  id: "0b6a",
  transaction_type: "card_payment",
  status: "completed",
  from_account_id: "a-1",
  to_account_id: null,
  customer_id: "c-1",
  amount: "84.10",
  currency: "USD",
  exchange_rate: null,
  fee_amount: "0.00",
  description: "Acme - Hotel",
  merchant_id: "m-1",
  reference_number: "TXN-0123456789AB",
  authorization_code: "AUTH482913",
  transaction_location: '{"latitude": 1.5, "longitude": -70.2, "city": "Lima", "country": "US"}',
  device_fingerprint: "FP0123456789abcdef",
  ip_address: "203.0.113.9",
  user_agent: "Mozilla/5.0",
  risk_score: "17.25",
  risk_level: "low",
  compliance_flags: "[]",
  processing_time_ms: 812,
  network: "Visa",
  card_last_four: "4242",
  tags: '["card_payment", "low"]',
  metadata: '{"channel": "web", "terminal_id": "T10001", "batch_id": "B1001"}',
  created_at: "2025-01-16T11:23:45.123456Z",
  updated_at: "2025-09-05T06:03:30.617384Z",
  version: 1,
  __deleted: "false",
};
const VALUES = {
  id: "0b6a",
  amount: 8410,
  exchange_rate: null,
  risk_score: 1725,
  transaction_location: { latitude: 1.5, longitude: -70.2, city: "Lima", country: "US" },
  tags: ["card_payment", "low"],
  metadata: { channel: "web", terminal_id: "T10001", batch_id: "B1001" },
  created_at: 1737026625123456,
};
const DROP: ChangeRules = { deletes: "drop", key: null };
const TABLE: ChangeRules = { deletes: "pass", key: "id" };

interface Read {
  readonly rows: Rows;
  /** By row: "" where it is none. */
  readonly deletes: readonly ("" | "passed" | "dropped")[];
}
/** Each record after 40 of the same form, so that what was learned reads it too. */
function read(type: RecordType, changes: ChangeRules, records: readonly unknown[], keys: readonly (string | null)[] = []): Read {
  const spec: DecoderSpec = specOf(type, { changes });
  const decode = compileJsonDecoder(spec);
  const texts = records.map((record) => typeof record === "string" ? record : JSON.stringify(record));
  const learned = texts.flatMap((text) => Array.from({ length: 40 }, () => text));
  decode(recordsOf(learned));
  const keyOf = (row: number) => keys[row] === undefined || keys[row] === null ? null : new TextEncoder().encode(keys[row]);
  const decoded = decode({ ...recordsOf(texts), keyOf });
  const mark = (row: number) => (["", "passed", "dropped"] as const)[decoded.deleted?.[row] ?? 0];
  return { rows: rowsOf(spec, decoded, texts.length), deletes: texts.map((_, row) => mark(row)) };
}

Deno.test("D1: a row gives the same values alone, in an envelope, behind its schema, and with its JSON as objects", () => {
  const { __deleted: _, ...bare } = ROW;
  const forms = [
    ROW,
    bare,
    { op: "c", before: null, after: ROW },
    { before: ROW, after: bare, source: { table: "t", lsn: 7, nested: [{ a: 1 }] }, op: "u", ts_ms: 5, transaction: null },
    { op: "r", after: bare },
    { schema: { type: "struct", fields: [] }, payload: ROW },
    { schema: null, payload: { op: "c", before: null, after: bare } },
    {
      ...ROW,
      transaction_location: JSON.parse(ROW.transaction_location),
      tags: JSON.parse(ROW.tags),
      metadata: JSON.parse(ROW.metadata),
    },
    { ...ROW, amount: 84.1, risk_score: 17.25 },
  ];
  const { rows, deletes } = read(PAYMENT, DROP, forms);
  for (const [i, row] of rows.entries()) assert.deepEqual(row, VALUES, JSON.stringify(forms[i]));
  assert.deepEqual(deletes, forms.map(() => ""));
});

Deno.test("D2: dates are days since 1970 or text, flags are booleans, decimals are text", () => {
  const type = fieldsOf({ id: STRING, date_of_birth: withNull(DATE), risk_score: withNull(decimalOf(2)), is_active: withNull(BOOL) });
  const customer = { id: "c", date_of_birth: 7300, risk_score: "20.00", is_active: true, __deleted: "false" };
  const days = (date: string) => Date.parse(date) / 86_400_000;
  assert.equal(days("1989-12-27"), 7300);
  const { rows } = read(type, DROP, [
    customer,
    { ...customer, date_of_birth: null },
    { ...customer, date_of_birth: "1989-12-27" },
    { ...customer, date_of_birth: -719_162 },
    { ...customer, date_of_birth: 2_932_897 },
    { ...customer, date_of_birth: 7300.5 },
  ]);
  const values = { id: "c", date_of_birth: 7300, risk_score: 2000, is_active: true };
  assert.deepEqual(rows, [
    values,
    { ...values, date_of_birth: null },
    values,
    { ...values, date_of_birth: days("0001-01-01") },
    "range:date_of_birth",
    "scale:date_of_birth",
  ]);
});

Deno.test("D4: what does not fit is refused with its reason, and the next row is read", () => {
  const { rows } = read(PAYMENT, DROP, [
    { ...ROW, amount: "12x" },
    { ...ROW, created_at: null },
    { ...ROW, transaction_location: "Lima" },
    { ...ROW, transaction_location: "[1]" },
    { ...ROW, transaction_location: '{"latitude": "north"}' },
    { ...ROW, transaction_location: "" },
    { ...ROW, transaction_location: "null" },
    { ...ROW, metadata: "{" },
    { ...ROW, metadata: "" },
    { ...ROW, tags: '["a",' },
    { ...ROW, __deleted: "maybe" },
    "no JSON",
    "[]",
    { op: "x", after: ROW },
    { op: 1, after: ROW },
    { op: "c", before: ROW, after: null },
    { op: "c", after: "row" },
    { schema: {}, payload: 7 },
    ROW,
  ]);
  assert.deepEqual(rows.map((row) => typeof row === "string" ? row : "read"), [
    "type:amount",
    "type:created_at",
    "json:transaction_location",
    "type:transaction_location",
    "type:transaction_location.latitude",
    "read",
    "read",
    "json:metadata",
    "read",
    "json:tags",
    "type:__deleted",
    "json",
    "json",
    "one_of:op",
    "type:op",
    "missing:after",
    "type:after",
    "type:payload",
    "read",
  ]);
  assert.equal((rows[5] as Record<string, unknown>).transaction_location, null);
  assert.equal((rows[8] as Record<string, unknown>).metadata, null);
});

const GONE = { ...ROW, amount: null, created_at: null, __deleted: "true" };
const DELETES = [
  { ...ROW, __deleted: "true" },
  { ...ROW, __deleted: true },
  GONE,
  { op: "d", before: ROW, after: null },
  { op: "d", before: { id: "0b6a", amount: null }, after: null },
  { op: "d", before: null, after: null },
  "null",
  "",
  { schema: {}, payload: null },
  { schema: {}, payload: { op: "d", before: ROW } },
];

Deno.test("every form of delete is dropped and counted, whatever else it tells", () => {
  const { rows, deletes } = read(PAYMENT, DROP, [...DELETES, ROW]);
  assert.deepEqual(deletes, [...DELETES.map(() => "dropped"), ""]);
  assert.ok(rows.every((row) => typeof row !== "string"));
});

Deno.test("a table is told the key of every delete, from the row or from the record's own key, and no more need be there", () => {
  const keys = DELETES.map((_, i) => i < 5 || i === 9 ? null : '{"id":"0b6a"}');
  const { rows, deletes } = read(PAYMENT, TABLE, DELETES, keys);
  assert.deepEqual(deletes, DELETES.map(() => "passed"));
  for (const row of rows) assert.equal((row as Record<string, unknown>).id, "0b6a");
  const forms = ['{"schema":{},"payload":{"id":"k"}}', '"k"', "k", null, '{"other":1}'];
  const told = read(PAYMENT, TABLE, forms.map(() => "null"), forms);
  assert.deepEqual(told.deletes, ["passed", "passed", "passed", "dropped", "dropped"]);
  assert.deepEqual(told.rows.slice(0, 3).map((row) => (row as Record<string, unknown>).id), ["k", "k", "k"]);
  assert.deepEqual(read(PAYMENT, TABLE, [{ ...GONE, id: null }]).rows, ["type:id"]);
});

Deno.test("a stream that passes deletes on takes only those that fit its schema", () => {
  const { rows, deletes } = read(PAYMENT, { deletes: "pass", key: null }, [{ ...ROW, __deleted: "true" }, GONE, "null", ROW]);
  assert.deepEqual(rows.slice(0, 2), [VALUES, "type:amount"]);
  assert.deepEqual(deletes, ["passed", "", "dropped", ""]);
});

Deno.test("a schema may read __deleted itself, as a text or as a flag", () => {
  for (const [type, no, yes] of [[withNull(STRING), "false", "true"], [withNull(BOOL), false, true]] as const) {
    const own = fieldsOf({ id: STRING, __deleted: type });
    const { rows, deletes } = read(own, { deletes: "pass", key: null }, [ROW, { ...ROW, __deleted: "true" }, { id: "x" }]);
    assert.deepEqual(rows, [{ id: "0b6a", __deleted: no }, { id: "0b6a", __deleted: yes }, { id: "x", __deleted: null }]);
    assert.deepEqual(deletes, ["", "passed", ""]);
  }
});

Deno.test("columns of a table that are called op, before or after make no envelope of its rows", () => {
  const type = fieldsOf({ id: STRING, op: STRING, after: withNull(INT), before: withNull(INT), payload: withNull(INT) });
  const row = { id: "1", op: "c", after: 5, before: 4, payload: 3, schema: "s" };
  assert.deepEqual(read(type, DROP, [row]).rows, [{ id: "1", op: "c", after: 5, before: 4, payload: 3 }]);
});

Deno.test("text that needs escapes twice comes back as it was", () => {
  const inner: Type = {
    kind: "struct",
    nullable: true,
    fields: [{ name: 'a "b"', type: STRING }, { name: "né", type: withNull(listOf(STRING)) }],
  };
  const type = fieldsOf({
    place: { kind: "struct", nullable: true, fields: [{ name: "s", type: withNull(STRING) }, { name: "in", type: inner }] },
  });
  const values = ["", 'quo"te', "back\\slash", "\u0000\u001f\n", "né😀", "\u007f", "</script>", "plain"].map((text) => (
    { place: { s: text, in: { 'a "b"': text, "né": [text, "x"] } } }
  )).concat([{ place: { s: null as unknown as string, in: null as never } }]);
  const column = { kind: "value" as const, values: values.map(({ place }) => place) };
  const batch = { rows: values.length, type, columns: [column], meta: makeMeta("test", 0, new Float64Array(values.length)) };
  const into = createWriter();
  const encode = compileChangeEncoder(type);
  for (let row = 0; row < batch.rows; row++) encode(batch, row, into);
  const lines = writtenText(into).trimEnd().split("\n");
  assert.deepEqual(lines.map((line) => ({ place: JSON.parse(JSON.parse(line).place) })), values);
  assert.deepEqual(read(type, DROP, lines).rows, values);
});

Deno.test("what the encoder writes is what change data capture writes, and is read back", () => {
  const type = fieldsOf({ ...Object.fromEntries(PAYMENT.fields.map((field) => [field.name, field])), born: withNull(DATE) });
  const spec = specOf(type, { changes: { deletes: "pass", key: null } });
  const decode = compileJsonDecoder(spec);
  const texts = [ROW, { ...ROW, born: 7300, __deleted: "true" }].map((row) => JSON.stringify(row));
  const { columns, deleted } = decode(recordsOf(texts));
  const meta = { ...makeMeta("test", 0, new Float64Array(2)), deleted };
  const encode = compileChangeEncoder(type);
  const into = createWriter();
  for (const row of [0, 1]) encode({ rows: 2, type, columns, meta }, row, into);
  const lines = writtenText(into).trimEnd().split("\n");
  assert.equal(
    lines[0],
    `{"id":"0b6a","amount":"84.10","exchange_rate":null,"risk_score":"17.25","transaction_location":"{\\"latitude\\":1.5,\\"longitude\\":-70.2,\\"city\\":\\"Lima\\",\\"country\\":\\"US\\"}","tags":"[\\"card_payment\\",\\"low\\"]","metadata":"{\\"channel\\":\\"web\\",\\"terminal_id\\":\\"T10001\\",\\"batch_id\\":\\"B1001\\"}","created_at":"2025-01-16T11:23:45.123456Z","born":null,"__deleted":"false"}`,
  );
  assert.ok(lines[1].endsWith(`"born":7300,"__deleted":"true"}`));
  const again = decode(recordsOf(lines));
  assert.deepEqual(rowsOf(spec, again, 2), [{ ...VALUES, born: null }, { ...VALUES, born: 7300 }]);
  assert.deepEqual(again.deleted, Uint8Array.of(0, 1));
});
