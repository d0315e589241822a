import assert from "node:assert/strict";
import fc from "fast-check";
import { createWriter, written } from "../../src/data/bytes.ts";
import type { DecoderSpec, Split } from "../../src/data/codec.ts";
import { columnOf, makeMeta } from "../../src/data/columns.ts";
import { compileCsvDecoder, compileCsvEncoder, compileCsvRowsEncoder, csvHeader, readCsvHeader, splitCsv } from "../../src/data/csv/mod.ts";
import { compileSlowCsv } from "../../src/data/csv/slow.ts";
import { splitLines } from "../../src/data/json/mod.ts";
import { decimalOf, INT, type RecordType, STRING, withNull } from "../../src/data/types.ts";
import { decodeAll, EVERYTHING, fieldsOf, rowsOf, SEED, slowDecoder, specOf, TRANSACTION } from "./support.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function textsOf({ records }: Split): string[] {
  return Array.from({ length: records.rows }, (_, i) => decoder.decode(records.bytes.subarray(records.start[i], records.end[i])));
}
const HEADER = TRANSACTION.fields.map((field) => field.name);
const one = (spec: DecoderSpec, header: readonly string[], text: string | Uint8Array) =>
  decodeAll(spec, compileCsvDecoder(spec, header), [text])[0];

// ---- splitting ----------------------------------------------------------------------------------------------------------

Deno.test("records end at LF or CRLF, not inside quotes, and empty lines are none", () => {
  const text = 'a,b\r\n\r\n"c\n""d""\r\n",e\n\n\n"",""\r\nx"y\n\n"""",z';
  const bytes = encoder.encode(text);
  const wished = ["a,b", '"c\n""d""\r\n",e', '"",""', 'x"y', '"""",z'];
  assert.deepEqual(textsOf(splitCsv(bytes, 0, bytes.length, "end", 100)), wished);
  const more = splitCsv(bytes, 0, bytes.length, "more", 100);
  assert.deepEqual(textsOf(more), wished.slice(0, 4));
  assert.equal(text.slice(more.consumed), '"""",z');
});

Deno.test("a stray quote spoils its own record only", () => {
  const bytes = encoder.encode('a"b,c\nd,e\n"f"g,h\ni,j\n');
  assert.deepEqual(textsOf(splitCsv(bytes, 0, bytes.length, "end", 100)), ['a"b,c', "d,e", '"f"g,h', "i,j"]);
});

Deno.test("records over the limit are listed as too long", () => {
  for (const split of [splitCsv, splitLines]) {
    const bytes = encoder.encode("abc\nabcd\r\nabcde\nab");
    const { tooLong, records } = split(bytes, 0, bytes.length, "end", 4);
    assert.deepEqual([tooLong, records.rows], [[2], 4]);
  }
});

Deno.test("cutting the input anywhere gives the same records", () => {
  const text = 'id,text\r\n1,"a\r\n""b"",c"\r\n\r\n2,ü\n3,"\n\n"\n"","""",""\n4,"x"';
  const bytes = encoder.encode(`${text}\n${text}`);
  for (const split of [splitCsv, splitLines]) {
    const whole = textsOf(split(bytes, 0, bytes.length, "end", 1000));
    assert.ok(whole.length > 8);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const first = split(bytes, 0, cut, "more", 1000);
      const second = split(bytes, first.consumed, bytes.length, "end", 1000);
      assert.deepEqual([...textsOf(first), ...textsOf(second)], whole, `cut at ${cut}`);
      assert.equal(first.consumed + second.consumed, bytes.length);
    }
  }
});

Deno.test("the header is read behind a byte order mark, quoted or not", () => {
  const read = (text: string, final: "more" | "end" = "more") => {
    const bytes = encoder.encode(text);
    return readCsvHeader(bytes, 0, bytes.length, final);
  };
  assert.deepEqual(read('\ufeffid,"a,b",c\r\n1,2,3\n'), { names: ["id", "a,b", "c"], consumed: 15 });
  assert.deepEqual(read("\r\n\nid\nx"), { names: ["id"], consumed: 6 });
  assert.equal(read("id,name"), null);
  assert.equal(read(""), null);
  assert.equal(read("\n", "end"), null);
  assert.deepEqual(read("id,name", "end"), { names: ["id", "name"], consumed: 7 });
  assert.throws(() => read("id,id\n"), { code: "csv_header", message: 'The CSV header names the column "id" twice.' });
  assert.throws(() => read('id,a"b\n'), { code: "csv_header" });
});

// ---- decoding -----------------------------------------------------------------------------------------------------------

const PAYMENT = '1,26,Barrett LLC,2025-04-01 01:21:09,131.7,"4395 Brenda Lake, ""Queens""",bill_payment,';

Deno.test("a transaction is read from CSV", () => {
  const spec = specOf(TRANSACTION);
  const wished = {
    transaction_id: 1,
    card_id: 26,
    merchant_name: "Barrett LLC",
    timestamp: Date.UTC(2025, 3, 1, 1, 21, 9) * 1000,
    amount: 13170,
    location: '4395 Brenda Lake, "Queens"',
    transaction_type: "bill_payment",
    related_transaction_id: null,
  };
  assert.deepEqual(one(spec, HEADER, PAYMENT), wished);
  assert.deepEqual(one(spec, HEADER, PAYMENT + '"7"'), { ...wished, related_transaction_id: 7 });
  assert.deepEqual(one(spec, HEADER, PAYMENT.replace("1,26,", '"1","26",') + '""'), wished);
  assert.deepEqual(one(spec, ["x", ...HEADER, "y"], `"?",${PAYMENT},`), wished);
});

Deno.test("every reject code of CSV", () => {
  const spec = specOf(fieldsOf({ a: INT, b: withNull(decimalOf(2)), c: { type: withNull(STRING), oneOf: ["x", "y z"] }, d: STRING }));
  const header = ["a", "b", "c", "d"];
  const cases: readonly (readonly [string, unknown])[] = [
    ["1,2,x,d", { a: 1, b: 200, c: "x", d: "d" }],
    ['"1","","","é"', { a: 1, b: null, c: null, d: "é" }],
    ["1,,y z,", { a: 1, b: null, c: "y z", d: "" }],
    ["1,2,x", "csv"],
    ["1,2,x,d,e", "csv"],
    ['1,2,x,"d', "csv"],
    ['1,2,x,"d"e', "csv"],
    ['1,2,x,d"e', "csv"],
    ['1,2,"x" ,d', "csv"],
    ["1,2,x,d\re", "csv"],
    ["1,2,x,d\ne", "csv"],
    [",2,x,d", "type:a"],
    [" 1,2,x,d", "type:a"],
    ["+1,2,x,d", "type:a"],
    ["1.5,2,x,d", "scale:a"],
    ["1.0,2.500,x,d", { a: 1, b: 250, c: "x", d: "d" }],
    ["1,1e2,x,d", "type:b"],
    ["1,5.,x,d", "type:b"],
    ["1,.5,x,d", "type:b"],
    ["1,1.2.3,x,d", "type:b"],
    ["-,1,x,d", "type:a"],
    ["1,NaN,x,d", "type:b"],
    ["1,1.005,x,d", "scale:b"],
    ["1,90071992547409.92,x,d", "range:b"],
    ["1,2,z,d", "one_of:c"],
    ['1,2,"x""",d', "one_of:c"],
  ];
  for (const [text, wished] of cases) assert.deepEqual(one(spec, header, text), wished, text);
  assert.equal(one(spec, header, Uint8Array.of(49, 44, 50, 44, 120, 44, 0xe9)), "csv");
  assert.equal(one(spec, ["a", "b", "c"], "1,2,x"), "missing:d");
  assert.deepEqual(one(spec, ["d", "a"], "d,1"), { a: 1, b: null, c: null, d: "d" });
  const strict = specOf(spec.type, { unknownFields: "reject" });
  assert.equal(one(strict, [...header, "e"], "1,2,x,d,e"), "unknown:e");
  assert.equal(one(strict, [...header, "e"], "1,2,x,d"), "csv");
});

/** A CSV field of any kind, right for its column most of the time. */
function fieldText(good: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const odd = fc.constantFrom(
    "",
    "1",
    "-1.50",
    "1.005",
    "9007199254740993",
    "1e5",
    "0x1",
    "é",
    '"',
    '""',
    '"a""b"',
    '"a"b',
    "a b",
    '"\n"',
    "true",
    "null",
    "[1.5]",
    '"{""p"":1}"',
    "2025-04-01 01:21:09",
    "2025-04-01",
    "1h30m",
    "😀",
    "\ufeff",
    "\t",
  );
  const quoted = good.map((text) => text.startsWith('"') ? text : `"${text}"`);
  return fc.oneof({ weight: 60, arbitrary: good }, { weight: 6, arbitrary: quoted }, { weight: 1, arbitrary: odd });
}
const TEXTS = fc.constantFrom(
  "",
  "Barrett LLC",
  "Müller",
  '"a, b"',
  '"say ""hi"""',
  '"two\nlines"',
  "x".repeat(40),
  '"4395 Brenda Lake, Queens, NY 10859"',
  "'",
);
const GOOD: Readonly<Record<string, fc.Arbitrary<string>>> = {
  i: fc.integer().map(String),
  in: fc.constantFrom("", "7", "-0"),
  d0: fc.constantFrom("0", "12", "3.0"),
  d2: fc.integer({ min: -99999, max: 99999 }).map((n) => (n / 100).toFixed(n % 3 === 0 ? 1 : 2)),
  d2n: fc.constantFrom("", "1.5", "-0.00"),
  x: fc.constantFrom("0.1", "1e-7", "-12.5", "123456789012345678"),
  xn: fc.constantFrom("", "2.5E3"),
  s: TEXTS,
  sn: TEXTS,
  kind: fc.constantFrom("a", "bé", '"c""d"'),
  kindn: fc.constantFrom("", "b"),
  b: fc.constantFrom("true", "false"),
  bn: fc.constantFrom("", "true"),
  t: fc.constantFrom("2025-04-01T01:21:09Z", "2025-04-01 01:21:09.5+02:00"),
  tn: fc.constantFrom("", "2025-04-01 01:21:09", "2025-03-30 02:30:00"),
  day: fc.constantFrom("2025-04-01", "0001-01-01"),
  dayn: fc.constantFrom("", "29.02.2024"),
  span: fc.constantFrom("10s", "1h30m"),
  list: fc.constantFrom("[]", '"[1.5,null]"'),
  map: fc.constantFrom("", '"{""k"":1}"'),
  struct: fc.constantFrom("", '"{""p"":1}"'),
  json: fc.constantFrom("", "7", '"{""a"":[1,2]}"'),
  transaction_id: fc.nat().map(String),
  card_id: fc.nat().map(String),
  merchant_name: TEXTS,
  timestamp: fc.constantFrom("2025-04-01 01:21:09", "1999-12-31 23:59:59"),
  amount: fc.integer({ min: -999999, max: 999999 }).map((n) => (n / 100).toFixed(n % 3 === 0 ? 1 : 2)),
  location: TEXTS,
  transaction_type: fc.constantFrom("refund", "purchase"),
  related_transaction_id: fc.constantFrom("", "12"),
  unknown: TEXTS,
};

function agree(spec: DecoderSpec, header: readonly string[], runs: number): { records: number; accepted: number } {
  const fast = compileCsvDecoder(spec, header);
  const slow = slowDecoder(spec, compileSlowCsv(spec, header));
  const counts = { records: 0, accepted: 0 };
  const record = fc.tuple(...header.map((name) => fieldText(GOOD[name]))).map((fields) => fields.join(","));
  const mutation = fc.tuple(fc.nat(), fc.constantFrom(34, 44, 13, 10, 48, 45, 46, 32, 0xc3, 0xff), fc.nat({ max: 2 }));
  const property = fc.property(fc.array(fc.tuple(record, fc.option(mutation, { freq: 1 })), { minLength: 20, maxLength: 20 }), (batch) => {
    const texts = batch.map(([text, change]) => {
      const bytes = encoder.encode(text);
      if (change === null) return bytes;
      const [at, byte, how] = change;
      const place = at % bytes.length;
      if (how === 0) return bytes.with(place, byte);
      return how === 1 ? bytes.slice(0, place) : Uint8Array.from([...bytes.slice(0, place), byte, ...bytes.slice(place)]);
    });
    const results = decodeAll(spec, fast, texts, '9",');
    assert.deepEqual(results, decodeAll(spec, slow, texts));
    counts.records += results.length;
    counts.accepted += results.filter((row) => typeof row !== "string").length;
  });
  // A large batch first: the decoder then rehearses, and has to forget that.
  const many = fc.sample(record, { seed: SEED, numRuns: 1500 }).map((text) => encoder.encode(text));
  assert.deepEqual(decodeAll(spec, fast, many, '9",'), decodeAll(spec, slow, many));
  fc.assert(property, { seed: SEED, numRuns: runs, endOnFailure: true });
  return counts;
}

Deno.test("the compiled CSV decoder agrees with the rules on generated and mutated records", () => {
  const transactions = agree(specOf(TRANSACTION), ["unknown", ...HEADER], 2500);
  assert.ok(transactions.records === 50000 && transactions.accepted > 12000, JSON.stringify(transactions));
  const names = EVERYTHING.fields.map((field) => field.name);
  const all = agree(specOf(EVERYTHING), names, 1200);
  assert.ok(all.records === 24000 && all.accepted > 3000, JSON.stringify(all));
  const few = specOf(EVERYTHING, { needed: new Set(["kindn", "in", "list"]) });
  const turned = agree(few, names.toReversed(), 500);
  assert.ok(turned.accepted > 1000, JSON.stringify(turned));
});

// ---- encoding -----------------------------------------------------------------------------------------------------------

function encode(
  type: RecordType,
  rows: readonly (readonly unknown[])[],
  lineEnd: "lf" | "crlf" = "lf",
  columns = type.fields.map((f) => f.name),
): string {
  const batch = {
    rows: rows.length,
    type,
    columns: type.fields.map((field, i) => columnOf(field.type, rows.map((row) => row[i]))),
    meta: makeMeta("test", 0, new Float64Array(rows.length)),
  };
  const writer = createWriter(1);
  const encodeRow = compileCsvEncoder(type, columns, { lineEnd });
  for (let row = 0; row < rows.length; row++) encodeRow(batch, row, writer);
  return decoder.decode(written(writer));
}

Deno.test("CSV is written with quotes only where they are needed", () => {
  const rows = [
    [1, 26, "Barrett LLC", Date.UTC(2025, 3, 1, 1, 21, 9) * 1000, 591420, "1 A, B", "refund", null],
    [2, -0, 'say "hi"', 0, -5, "two\nlines", "", 7],
    [9007199254740991, 0, "Müller\r", 0, -9007199254740991, "é", " ", 7],
  ];
  const text = '1,26,Barrett LLC,2025-04-01 01:21:09,5914.20,"1 A, B",refund,\n' +
    '2,0,"say ""hi""",1970-01-01 00:00:00,-0.05,"two\nlines",,7\n' +
    '9007199254740991,0,"Müller\r",1970-01-01 00:00:00,-90071992547409.91,é, ,7\n';
  assert.equal(encode(TRANSACTION, rows), text);
  assert.equal(encode(TRANSACTION, rows.slice(0, 1), "crlf", ["amount", "card_id"]), "5914.20,26\r\n");
  assert.equal(decoder.decode(csvHeader(["id", "a,b"], "crlf")), 'id,"a,b"\r\n');
});

Deno.test("text read from quotes is written with quotes only where it needs them, by rows and by row alike", () => {
  const type = fieldsOf({ a: STRING, b: STRING });
  const text = '"plain","x, y"\n"","say ""hi"""\n"é","",\n"two\nlines","plain too"\nbare,"bare"\n';
  const wished = 'plain,"x, y"\n,"say ""hi"""\n"two\nlines",plain too\nbare,bare\n';
  const bytes = encoder.encode(text);
  const { records } = splitCsv(bytes, 0, bytes.length, "end", 100);
  const { columns, bad } = compileCsvDecoder(specOf(type), ["a", "b"])(records);
  assert.deepEqual(bad, [{ row: 2, reason: "csv" }]);
  const batch = { rows: records.rows, type, columns, meta: makeMeta("s", 0, new Float64Array(records.rows)) };
  const encodeRow = compileCsvEncoder(type, ["a", "b"]);
  const byRow = createWriter(1);
  for (const row of [0, 1, 3, 4]) encodeRow(batch, row, byRow);
  assert.equal(decoder.decode(written(byRow)), wished);
  const encodeRows = compileCsvRowsEncoder(type, ["a", "b"]);
  const byRows = createWriter(1);
  const ends = new Uint32Array(5);
  encodeRows(batch, 0, 2, byRows, ends, 0);
  encodeRows(batch, 3, 5, byRows, ends, 2);
  assert.equal(decoder.decode(written(byRows)), wished);
  const rows = ['plain,"x, y"\n', ',"say ""hi"""\n', '"two\nlines",plain too\n', "bare,bare\n"];
  assert.equal(rows.join(""), wished);
  assert.deepEqual([...ends], [0, 1, 2, 3].map((i) => rows.slice(0, i + 1).join("").length).concat(0));
});

Deno.test("text of any length and bytes is written with quotes exactly where it needs them, however it was read", () => {
  const type = fieldsOf({ a: STRING, b: STRING });
  const decode = compileCsvDecoder(specOf(type), ["a", "b"]);
  const encodeRows = compileCsvRowsEncoder(type, ["a", "b"]);
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;
  const plain = (value: string) => /[",\n\r]/.test(value) ? quoted(value) : value;
  const unit = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(..."abcdefgh") },
    { weight: 1, arbitrary: fc.constantFrom(",", '"', "\n", "\r", "\t", "\b", "\x0f", "\x10", "\x07", "+", "-", "!", "#", "é", "😀") },
  );
  const text = fc.string({ unit, maxLength: 24 });
  const field = fc.tuple(text, fc.boolean());
  const property = fc.property(fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 30 }), (rows) => {
    const read = rows.map((row) => `${row.map(([value, inQuotes]) => inQuotes ? quoted(value) : plain(value)).join(",")}\n`);
    const { records } = splitCsv(encoder.encode(read.join("")), 0, encoder.encode(read.join("")).length, "end", 1 << 20);
    const { columns, bad } = decode(records);
    assert.deepEqual(bad, []);
    const batch = { rows: records.rows, type, columns, meta: makeMeta("s", 0, new Float64Array(records.rows)) };
    const writer = createWriter(1);
    encodeRows(batch, 0, records.rows, writer, new Uint32Array(records.rows), 0);
    assert.equal(decoder.decode(written(writer)), rows.map((row) => `${row.map(([value]) => plain(value)).join(",")}\n`).join(""));
  });
  fc.assert(property, { seed: SEED, numRuns: 3000 });
});

Deno.test("a null alone in its line is still a line", () => {
  const text = encode(fieldsOf({ a: withNull(STRING) }), [[null], ["x"], [""]]);
  assert.equal(text, '""\nx\n""\n');
  const bytes = encoder.encode(text);
  assert.equal(splitCsv(bytes, 0, bytes.length, "end", 100).records.rows, 3);
});

Deno.test("what is written is read back to the same values", () => {
  const type = EVERYTHING;
  const spec = specOf(type);
  const header = type.fields.map((field) => field.name);
  const decode = compileCsvDecoder(spec, header);
  const text = fc.string({ unit: fc.constantFrom("a", ",", '"', "\n", "\r", "é", "😀", " "), minLength: 1, maxLength: 8 });
  const safe = fc.maxSafeInteger();
  const micros = fc.integer({ min: -5_000_000_000, max: 6_000_000_000 }).map((s) => s * 1_000_000);
  const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 3 });
  // tn is written in whole seconds of local time: an hour that Berlin repeats would not read back.
  const winter = fc.integer({ min: 0, max: 50 }).map((n) => Date.UTC(2025, 0, 15) * 1000 + n * 1_000_000);
  const row = fc.tuple(
    safe,
    orNull(safe),
    safe,
    safe,
    orNull(safe),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    orNull(fc.integer()),
    text,
    orNull(text),
    fc.constantFrom("a", "bé", 'c"d'),
    orNull(fc.constant("b")),
    fc.boolean(),
    orNull(fc.boolean()),
    micros,
    orNull(winter),
    fc.integer({ min: -719162, max: 2932896 }),
    orNull(fc.integer({ min: 0, max: 20000 })),
    safe,
    fc.array(orNull(safe), { maxLength: 3 }),
    orNull(fc.dictionary(text, safe, { noNullPrototype: true }).map((each) => new Map(Object.entries(each)))),
    orNull(fc.record({ p: safe, q: orNull(fc.constant("u")) }, { noNullPrototype: true })),
    orNull(fc.constantFrom(1, "x", true, [1])),
  );
  const property = fc.property(
    fc.array(row, { minLength: 1, maxLength: 20 }),
    fc.constantFrom("lf" as const, "crlf" as const),
    (rows, lineEnd) => {
      const bytes = encoder.encode(encode(type, rows, lineEnd));
      const { records, consumed } = splitCsv(bytes, 0, bytes.length, "more", 1 << 20);
      assert.equal(consumed, bytes.length);
      const wished = rows.map((values) => Object.fromEntries(header.map((name, i) => [name, Object.is(values[i], -0) ? 0 : values[i]])));
      assert.deepEqual(rowsOf(spec, decode(records), records.rows), wished);
    },
  );
  fc.assert(property, { seed: SEED, numRuns: 300 });
});

Deno.test("records are the same wherever their bytes lie in memory, and however long their fields are", () => {
  const bytes = encoder.encode('1,"a, b",x"y\n\n22,"c\nd""e",\r\n333,longer than a few words of memory are,"f"\n"",é日,\n');
  const wanted = textsOf(splitCsv(bytes, 0, bytes.length, "end", 1000));
  assert.deepEqual(wanted.length, 4);
  for (let shift = 0; shift < 9; shift++) {
    const moved = new Uint8Array(shift + bytes.length + 3).subarray(shift);
    moved.set(bytes, 2);
    assert.deepEqual(textsOf(splitCsv(moved, 2, 2 + bytes.length, "end", 1000)), wanted, `shift ${shift}`);
  }
});
