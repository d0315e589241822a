import assert from "node:assert/strict";
import fc from "fast-check";
import type { DecoderSpec } from "../../src/data/codec.ts";
import { compileJsonDecoder } from "../../src/data/json/mod.ts";
import { compileSlowJson } from "../../src/data/json/slow.ts";
import { decimalOf, DOUBLE, INT, STRING, TIMESTAMP, type Type, withNull } from "../../src/data/types.ts";
import { decodeAll, EVERYTHING, fieldsOf, JSON_TYPE, SEED, slowDecoder, specOf, TRANSACTION } from "./support.ts";

const one = (spec: DecoderSpec, text: string | Uint8Array) => decodeAll(spec, compileJsonDecoder(spec), [text])[0];
/** The reject code or value of a single field `f`. */
function field(type: Parameters<typeof fieldsOf>[0][string], json: string, options: Partial<DecoderSpec> = {}): unknown {
  const result = one(specOf(fieldsOf({ f: type }), options), `{"f":${json}}`);
  return typeof result === "string" ? result : result.f;
}

const PAYMENT =
  '{"transaction_id":7,"card_id":"26","merchant_name":"Barrett, LLC","timestamp":"2025-04-01 01:21:09","amount":"131.7","location":"4395 Brenda","transaction_type":"refund","related_transaction_id":""}';

Deno.test("a transaction is read with numbers and with text for its numbers", () => {
  const wished = {
    transaction_id: 7,
    card_id: 26,
    merchant_name: "Barrett, LLC",
    timestamp: Date.UTC(2025, 3, 1, 1, 21, 9) * 1000,
    amount: 13170,
    location: "4395 Brenda",
    transaction_type: "refund",
    related_transaction_id: null,
  };
  const spec = specOf(TRANSACTION);
  assert.deepEqual(one(spec, PAYMENT), wished);
  assert.deepEqual(one(spec, PAYMENT.replace('"26"', "26").replace('"131.7"', "131.70").replace('""', "null")), wished);
  assert.deepEqual(one(spec, PAYMENT.replace(',"related_transaction_id":""', "")), wished);
  assert.deepEqual(one(spec, PAYMENT.replaceAll('":', '": ').replaceAll(',"', ', "')), wished);
  assert.deepEqual(one(spec, PAYMENT.replaceAll('":', '" \t: ').replace("}", "\r\n}  ")), wished);
});

Deno.test("what is no JSON object is json", () => {
  const spec = specOf(fieldsOf({ f: withNull(STRING) }));
  const refused = [
    "",
    " ",
    "null",
    "1",
    '"f"',
    "[]",
    "{",
    "}",
    "{}x",
    "{,}",
    '{"f"}',
    '{"f":}',
    '{"f":"a",}',
    '{"f":"a" "g":1}',
    '{"f":"a"}{',
    "{'f':1}",
    '{"f":"a',
    '{"f":"\\x"}',
    '{"f":"\\u12g4"}',
    '{"f":"\\',
    '{"f":"a\tb"}',
    '{"f":tru}',
    '{"f":nul}',
    '{"g":01}',
    '{"g":1.}',
    '{"g":.5}',
    '{"g":-}',
    '{"g":1e}',
    '{"g":+1}',
    '{"g":NaN}',
    '{"g":[1,]}',
    '{"g":[1 2]}',
    '{"g":{"a":1,}}',
    '{"f":"\\ud800"}',
    '{"f":"\\udc00"}',
    '{"g":"\\ud800\\u0041"}',
    "\u00a0{}",
    '\ufeff{"f":"a"}',
    '{"f":"a"},',
    `{"g":${"[".repeat(200)}${"]".repeat(200)}}`,
  ];
  for (const text of refused) assert.equal(one(spec, text), "json", text);
  const latin1 = Uint8Array.from('{"f":"\u00e9"}', (char) => char.charCodeAt(0));
  assert.equal(one(spec, latin1), "json");
});

Deno.test("a key twice is json, at any depth", () => {
  const spec = specOf(fieldsOf({ f: withNull(INT), g: withNull(JSON_TYPE) }));
  for (const text of ['{"f":1,"f":1}', '{"f":1,"\\u0066":2}', '{"x":1,"x":2}', '{"g":{"a":1,"a":2}}', '{"x":[{"a":1,"a":2}]}']) {
    assert.equal(one(spec, text), "json", text);
  }
});

Deno.test("numbers are exact, and say why they are not", () => {
  for (
    const [json, wished] of [["5914.2", 591420], ["5914.200", 591420], ["-0", 0], ["-0.00", 0], ["1e2", 10000], ["1.5e-1", 15], [
      "100E-2",
      100,
    ]] as const
  ) {
    assert.ok(Object.is(field(decimalOf(2), json), wished), json);
  }
  assert.equal(field(decimalOf(2), "1.005"), "scale:f");
  assert.equal(field(decimalOf(2), "1e-3"), "scale:f");
  assert.equal(field(decimalOf(2), "90071992547409.91"), 9007199254740991);
  assert.equal(field(decimalOf(2), "90071992547409.92"), "range:f");
  assert.equal(field(decimalOf(2), "1e300"), "range:f");
  assert.equal(field(INT, "5.0"), 5);
  assert.equal(field(INT, "5.5"), "scale:f");
  assert.equal(field(INT, "9007199254740992"), "range:f");
  assert.equal(field(INT, "-9007199254740991"), -9007199254740991);
  assert.equal(field(DOUBLE, "0.1"), 0.1);
  assert.equal(field(DOUBLE, "1e999"), "range:f");
  assert.equal(field(JSON_TYPE, "[1e999]"), "range:f");
  for (
    const text of ['"1e2"', '"+1"', '" 1"', '"1 "', '"1."', '".5"', '"NaN"', '"inf"', '"1,5"', '"--1"', '"-"', '""', "true", "{}", "null"]
  ) {
    assert.equal(field(decimalOf(2), text), "type:f", text);
  }
  assert.equal(field(decimalOf(2), '"007.5"'), 750);
  for (const type of [INT, decimalOf(2), DOUBLE]) {
    for (const text of ["1.", "-", "01", "-01.5", "1..5", "1.5.", ".5", "1e"]) assert.equal(field(type, text), "json", text);
  }
  assert.equal(field(decimalOf(2), '"1.50"', { numericText: "reject" }), "type:f");
  assert.equal(field(withNull(decimalOf(2)), '""'), null);
  assert.equal(field(withNull(decimalOf(2)), '""', { numericText: "reject" }), "type:f");
});

Deno.test("each type refuses the others, null and absence", () => {
  assert.equal(field(STRING, "5"), "type:f");
  assert.equal(field(STRING, "null"), "type:f");
  assert.equal(field(withNull(STRING), '""'), "");
  assert.equal(field({ type: STRING, oneOf: ["a"] }, '"b"'), "one_of:f");
  assert.equal(field({ type: STRING, oneOf: ["ä"] }, '"\\u00e4"'), "ä");
  assert.equal(field(TIMESTAMP, '"2025-04-01 01:21:09"'), "type:f");
  assert.equal(field(TIMESTAMP, '"3000-04-01T01:21:09Z"'), "range:f");
  assert.equal(field(TIMESTAMP, "0"), "type:f");
  const spec = specOf(fieldsOf({ f: STRING, g: INT }), { unknownFields: "reject" });
  assert.equal(one(spec, '{"g":1}'), "missing:f");
  assert.equal(one(spec, '{"x":1,"g":"?"}'), "unknown:x");
  assert.equal(one(spec, '{"f":1,"g":"?"}'), "type:f");
  assert.equal(one(spec, '{"f":"","g":"?"}'), "type:g");
});

Deno.test("nested values follow their types", () => {
  const spec = specOf(EVERYTHING);
  const base = (EVERYTHING.fields.filter((f) => !f.type.nullable).map((f) => f.name)).join();
  assert.equal(base, "i,d0,d2,x,s,kind,b,t,day,span,list");
  const text =
    '{"i":1,"d0":2,"d2":3,"x":4,"s":"é","kind":"c\\"d","b":true,"t":"2025-04-01T00:00:00Z","day":"2025-04-01","span":"1h30m","list":[1.5,null],' +
    '"map":{"k":1,"__proto__":2},"struct":{"p":1},"json":{"a":[1,{"__proto__":null}]}}';
  const row = one(spec, text) as Record<string, unknown>;
  assert.deepEqual([row.list, row.map, row.struct], [[15, null], new Map([["k", 1], ["__proto__", 2]]), { p: 1, q: null }]);
  assert.equal(JSON.stringify(row.json), '{"a":[1,{"__proto__":null}]}');
  assert.deepEqual([row.s, row.kind, row.day, row.span], ["é", 'c"d', 20179, 5400e6]);
  assert.equal(one(spec, text.replace('{"p":1}', '{"q":"u"}')), "missing:struct.p");
  assert.equal(one(spec, text.replace('{"p":1}', '{"p":1,"q":"v"}')), "one_of:struct.q");
  assert.equal(one(spec, text.replace("1.5,", "1.55,")), "scale:list");
});

Deno.test("escaped text does not disturb its neighbours, and text keeps its bytes", () => {
  const spec = specOf(fieldsOf({ a: STRING, b: STRING }));
  const rows = decodeAll(spec, compileJsonDecoder(spec), [
    '{"a":"x","b":"y"}',
    '{"a":"1\\n\\u00e9\\ud83d\\ude00","b":"ü"}',
    '{"b":"\\/","a":"z"}',
  ]);
  assert.deepEqual(rows, [{ a: "x", b: "y" }, { a: "1\né😀", b: "ü" }, { a: "z", b: "/" }]);
});

Deno.test("fields that are not needed are checked all the same", () => {
  const spec = specOf(TRANSACTION, { needed: new Set(["card_id"]) });
  assert.deepEqual(one(spec, PAYMENT), { card_id: 26 });
  assert.equal(one(spec, PAYMENT.replace('"131.7"', '"131.777"')), "scale:amount");
  assert.equal(one(spec, PAYMENT.replace("4395", "\\q")), "json");
});

Deno.test("another order of keys is learned without changing a result", () => {
  const spec = specOf(fieldsOf({ a: INT, b: withNull(STRING), c: decimalOf(2) }));
  const decode = compileJsonDecoder(spec);
  const orders = ['{"c":1.5,"a":1}', '{"x":[1],"c":1.5,"b":null,"a":1}', '{"a":1,"c":1.50,"z":"\\u0041"}', '{"b":null,"a":1,"c":1.5}'];
  for (let round = 0; round < 60; round++) {
    const texts = Array.from({ length: 50 }, (_, i) => orders[(i * 7 + round) % orders.length]);
    for (const row of decodeAll(spec, decode, texts)) assert.deepEqual(row, { a: 1, b: null, c: 150 });
  }
  assert.equal(decodeAll(spec, decode, ['{"c":1.5,"a":1,"a":1}'])[0], "json");
});

Deno.test("a layout that lacks a field is learned without changing a reason", () => {
  const held: Type = { kind: "struct", nullable: true, fields: [{ name: "x", type: INT }] };
  const type = fieldsOf({ a: INT, b: withNull(STRING), c: decimalOf(2), d: STRING, held });
  const reasons: Readonly<Record<string, string>> = {
    '{"a":1,"b":"x","d":"y"}': "missing:c",
    '{"a":1,"d":"y"}': "missing:c",
    '{"a":1,"b":null,"d":"\\u0041"}': "missing:c",
    '{"b":"x","c":1.5,"d":"y"}': "missing:a",
    '{"a":"x","b":"x","d":"y"}': "type:a",
    '{"a":1,"b":2,"d":"y"}': "type:b",
    '{"a":1,"b":"x","d":2}': "missing:c",
    '{"a":1,"b":"x"}': "missing:c",
    '{"a":1,"b":"x","d":"y",}': "json",
    '{"a":1,"b":"x","d":"y"}}': "json",
    '{"a":1,"b":"x","d":"\u0007"}': "json",
    '{"a":1,"b":"x","d":"y","d":"y"}': "json",
    '{"a":1,"b":"x","c":1.5,"d":"y","held":{}}': "missing:held.x",
    '{"e":[1],"a":1,"b":"x","d":"y"}': "missing:c",
    '{"e":[1,],"a":1,"b":"x","d":"y"}': "json",
  };
  const whole = '{"a":1,"b":"x","c":2.5,"d":"y","held":{"x":7}}';
  for (const unknownFields of ["ignore", "reject"] as const) {
    for (const needed of [["a", "b", "c", "d", "held"], ["d"]]) {
      const spec = specOf(type, { unknownFields, needed: new Set(needed) });
      const decode = compileJsonDecoder(spec);
      const texts = Object.keys(reasons).flatMap((text) => [text, whole]);
      const values = Object.fromEntries(
        Object.entries({ a: 1, b: "x", c: 250, d: "y", held: { x: 7 } }).filter(([name]) => needed.includes(name)),
      );
      for (let round = 0; round < 60; round++) {
        for (const [i, row] of decodeAll(spec, decode, texts).entries()) {
          const isUnknown = unknownFields === "reject" && texts[i].startsWith('{"e":[1],');
          assert.deepEqual(row, texts[i] === whole ? values : isUnknown ? "unknown:e" : reasons[texts[i]], texts[i]);
        }
      }
      // What is missing within a value is not missing in the layout.
      const spaced = whole.replaceAll(",", ", ");
      const lacking = spaced.replace('{"x":7}', "{}");
      const many = <T>(one: T): T[] => Array<T>(100).fill(one);
      const read = decodeAll(spec, compileJsonDecoder(spec), [...many(lacking), ...many(spaced)]);
      assert.deepEqual(read, [...many<unknown>("missing:held.x"), ...many(values)]);
    }
  }
});

Deno.test("what JSON.parse takes is taken, with the same value, and nothing else", () => {
  const bytes = fc.array(fc.constantFrom(...'{}[]",:\\u0aetrufalsn1-+.E \n'), { maxLength: 12 }).map((parts) => parts.join(""));
  const json = fc.json({ maxDepth: 4 });
  const broken = fc.tuple(json, fc.nat(), fc.constantFrom(...'{}[]",:\\0 ')).map(([text, at, char]) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + char + text.slice(place);
  });
  const spec = specOf(fieldsOf({ f: withNull(JSON_TYPE) }));
  const decode = compileJsonDecoder(spec);
  const property = fc.property(fc.array(fc.oneof(bytes, json, broken), { minLength: 20, maxLength: 20 }), (values) => {
    const results = decodeAll(spec, decode, values.map((value) => `{"f":${value}}`));
    for (const [i, value] of values.entries()) {
      const result = results[i];
      let parsed: unknown;
      let finite = true;
      try {
        parsed = JSON.parse(`{"f":${value}}`, (_, each) => (finite &&= typeof each !== "number" || Number.isFinite(each), each)).f;
      } catch {
        assert.equal(result, "json", value);
        continue;
      }
      // The deliberate differences: keys twice and half surrogate pairs, and numbers that no double holds.
      if (result === "json") assert.ok(/\\u|(".*").*\1/s.test(value), value);
      else if (!finite) assert.equal(result, "range:f", value);
      else assert.equal(JSON.stringify((result as { f: unknown }).f), JSON.stringify(parsed), value);
    }
  });
  fc.assert(property, { seed: SEED, numRuns: 1000 });
});

// ---- fast against slow ------------------------------------------------------------------------------------------------

const string = fc.oneof(
  fc.constantFrom("", "a", "b", "bé", 'c"d', "4395 Brenda Lake, Queens, NY 10859", "\\", "\u0000", "😀", "\ufeff", "{", "x".repeat(40)),
  fc.string({ unit: "grapheme", maxLength: 12 }),
);
const number = fc.oneof(
  fc.integer().map(String),
  fc.integer({ min: -99999999, max: 99999999 }).map((n) => (n / 100).toFixed(2)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => JSON.stringify(n)),
  fc.constantFrom(
    "-0",
    "0",
    "-0.0",
    "1.500",
    "1.005",
    "9007199254740991",
    "9007199254740992",
    "90071992547409.91",
    "1e2",
    "12E-1",
    "00",
    "5.",
    "-",
    "1.2.3",
    "1e400",
  ),
);
const time = fc.constantFrom(
  "2025-04-01 01:21:09",
  "2025-04-01T01:21:09Z",
  "2025-04-01T01:21:09.123456+02:00",
  "2025-03-30 02:30:00",
  "2025-02-29",
  "2024-02-29",
  "29.02.2024",
  "10s",
  "1h30m",
  "7",
  "2025-04-01T24:00:00Z",
  "2300-01-01T00:00:00Z",
  "2025-04-01T01:21:09.1234567Z",
);
const anyJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: number },
  { weight: 3, arbitrary: number.map((n) => `"${n}"`) },
  { weight: 3, arbitrary: string.map((s) => JSON.stringify(s)) },
  { weight: 2, arbitrary: time.map((t) => `"${t}"`) },
  { weight: 1, arbitrary: string.map((s) => `"${[...s].map((c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0")).join("")}"`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("null", "true", "false", "[]", "{}", "[1.5,null]", '{"k":1}', '{"p":1,"q":"u"}', '{"p":null}', "[[1]]"),
  },
);
/** Values of the right type most of the time, so that whole records pass. */
const GOOD: Readonly<Record<string, fc.Arbitrary<string>>> = {
  i: fc.integer().map(String),
  d0: fc.constantFrom("3", '"4"'),
  d2: fc.integer({ min: -9999, max: 9999 }).map((n) => (n / 100).toFixed(2)),
  x: fc.constantFrom("0.5", "1e-7", "123456789.25"),
  s: string.map((s) => JSON.stringify(s)),
  kind: fc.constantFrom('"a"', '"bé"', '"c\\"d"', '"b\\u00e9"'),
  b: fc.constantFrom("true", "false"),
  t: fc.constantFrom('"2025-04-01T01:21:09Z"', '"1999-12-31 23:59:59.5+01:00"'),
  day: fc.constantFrom('"2025-04-01"', '"0001-01-01"'),
  span: fc.constantFrom('"10s"', '"1h30m"'),
  list: fc.constantFrom("[]", "[1.5,null]"),
  in: fc.constantFrom("null", '""', '"12"', "-5"),
  d2n: fc.constantFrom("null", '""', '"12.5"', "-5.25"),
  xn: fc.constantFrom("null", "1.5"),
  sn: fc.constantFrom("null", '""', '"é\\n"'),
  kindn: fc.constantFrom("null", '"b"'),
  bn: fc.constantFrom("null", "true"),
  tn: fc.constantFrom("null", '""', '"2025-04-01 01:21:09"'),
  dayn: fc.constantFrom("null", '"29.02.2024"'),
  map: fc.constantFrom("null", "{}", '{"k":1}'),
  struct: fc.constantFrom("null", '{"p":1}', '{"q":"u","p":2}'),
  json: anyJson,
};
function recordText(names: readonly string[]): fc.Arbitrary<string> {
  const member = (name: string) => {
    const value = fc.oneof({ weight: 80, arbitrary: GOOD[name] }, { weight: 1, arbitrary: anyJson });
    const present = name.endsWith("n") ? 3 : 100;
    return fc.tuple(value, fc.nat({ max: present }), fc.nat({ max: 9 })).map(([json, absent, space]) =>
      absent === 0 ? [] : [`${JSON.stringify(name)}:${space === 0 ? " " : ""}${json}`]
    );
  };
  return fc.tuple(fc.tuple(...names.map(member)), fc.nat({ max: 9 }), fc.nat({ max: 30 })).map(([members, shuffle, extra]) => {
    const parts: string[] = members.flat();
    if (shuffle === 0) parts.reverse();
    if (extra === 0) parts.splice(1, 0, '"unknown":[1,{"a":"\\n"}]');
    if (extra === 1) parts.push(parts[0] ?? "");
    return `{${parts.join(shuffle === 1 ? ", " : ",")}}`;
  });
}

/** Checks that the compiled decoder agrees with the rules, for records as generated and with one byte changed. */
function agree(spec: DecoderSpec, text: fc.Arbitrary<string>, runs: number): { records: number; accepted: number } {
  const fast = compileJsonDecoder(spec);
  const slow = slowDecoder(spec, compileSlowJson(spec));
  let records = 0;
  let accepted = 0;
  const mutation = fc.tuple(
    fc.nat(),
    fc.constantFrom(34, 44, 58, 92, 123, 125, 48, 32, 46, 45, 0, 10, 101, 117, 0xc3, 0xff),
    fc.nat({ max: 2 }),
  );
  const property = fc.property(fc.array(fc.tuple(text, fc.option(mutation, { freq: 2 })), { minLength: 20, maxLength: 20 }), (batch) => {
    const texts = batch.map(([json, change]) => {
      const bytes = new TextEncoder().encode(json);
      if (change === null) return bytes;
      const [at, byte, how] = change;
      const place = at % bytes.length;
      if (how === 0) return bytes.with(place, byte);
      return how === 1 ? bytes.slice(0, place) : Uint8Array.from([...bytes.slice(0, place), byte, ...bytes.slice(place)]);
    });
    const results = decodeAll(spec, fast, texts, '}0",');
    assert.deepEqual(results, decodeAll(spec, slow, texts));
    records += results.length;
    accepted += results.filter((row) => typeof row !== "string").length;
  });
  fc.assert(property, { seed: SEED, numRuns: runs, endOnFailure: true });
  return { records, accepted };
}

Deno.test("the compiled decoder agrees with the rules on generated and mutated transactions", () => {
  const value = (good: fc.Arbitrary<string>) => fc.oneof({ weight: 40, arbitrary: good }, { weight: 1, arbitrary: anyJson });
  const id = fc.nat().map((n) => n % 3 === 0 ? `"${n}"` : String(n));
  const text = fc.tuple(
    value(id),
    value(id),
    value(string.map((s) => JSON.stringify(s))),
    value(fc.constant('"2025-04-01 01:21:09"')),
    value(fc.integer({ min: -999999, max: 999999 }).map((n) => n % 2 === 0 ? (n / 100).toFixed(2) : `"${(n / 100).toFixed(1)}"`)),
    value(string.map((s) => JSON.stringify(s))),
    value(fc.constant('"refund"')),
    value(fc.oneof(id, fc.constantFrom('""', "null"))),
  ).map((values) => `{${TRANSACTION.fields.map((f, i) => `"${f.name}":${values[i]}`).join(",")}}`);
  const counts = agree(specOf(TRANSACTION), text, 3000);
  assert.ok(counts.records >= 60000 && counts.accepted > counts.records / 4, JSON.stringify(counts));
});

Deno.test("the compiled decoder agrees with the rules for every type", () => {
  const names = EVERYTHING.fields.map((f) => f.name);
  const counts = agree(specOf(EVERYTHING), recordText(names), 1000);
  assert.ok(counts.records >= 20000 && counts.accepted > counts.records / 20, JSON.stringify(counts));
  const few = specOf(EVERYTHING, { needed: new Set(["d2n", "sn", "map"]), numericText: "reject", unknownFields: "reject" });
  const strict = agree(few, recordText(names), 500);
  assert.ok(strict.accepted > 100, JSON.stringify(strict));
});
