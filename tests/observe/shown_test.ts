/** What people may see of values and records. */
import assert from "node:assert/strict";
import { columnOf, makeMeta } from "../../src/data/columns.ts";
import { type Field, STRING, type Type } from "../../src/data/types.ts";
import { HIDDEN, hideAccounts, shownRecord, shownRow, shownValue, taggedNames } from "../../src/observe/shown.ts";

const PAN = "4111111111111111";
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("a tagged field is hidden, alone and inside a struct, a list of structs and a map", () => {
  const inner: Type = {
    kind: "struct",
    nullable: false,
    fields: [{ name: "pan", type: STRING, tag: "pan" }, { name: "zip", type: STRING }],
  };
  assert.equal(shownValue({ name: "pan", type: STRING, tag: "pan" }, PAN), HIDDEN);
  const nested: Field[] = [
    { name: "a", type: inner },
    { name: "b", type: { kind: "list", item: inner, nullable: false } },
    { name: "c", type: { kind: "map", key: STRING, value: inner, nullable: false } },
  ];
  const value = { pan: "secret-number", zip: "12345" };
  for (const [field, given] of [[nested[0], value], [nested[1], [value]], [nested[2], new Map([["k", value]])]] as const) {
    const text = shownValue(field, given);
    assert.ok(text.includes("12345"), text);
    assert.ok(!text.includes("secret-number"), text);
  }
  assert.deepEqual([...taggedNames({ fields: nested })], ["pan"]);
});

Deno.test("a number that could be an account's is hidden wherever it stands; ids, amounts and times are not", () => {
  assert.equal(hideAccounts(`paid with ${PAN} today`), `paid with ${HIDDEN}1111 today`);
  assert.equal(hideAccounts("4111-1111 1111-1111"), `${HIDDEN}1111`);
  for (
    const text of [
      "4111111111111112",
      "1760000000000000",
      "2026-11-21T18:28:50Z",
      "12345678.90",
      "ACC_25210",
      "0f8fad5b-d9cb-469f-a165-70867728950e",
    ]
  ) {
    assert.equal(hideAccounts(text), text);
  }
});

Deno.test("of a refused record with tagged fields, only what can be taken apart is shown", () => {
  const tagged = new Set(["card_number"]);
  const whole = shownRecord(utf8(`{"id":7,"card_number":"not a number at all","nested":{"card_number":5},"note":"x"}`), tagged);
  assert.ok(whole.includes(`"id":7`) && whole.includes(`"note":"x"`));
  assert.ok(!whole.includes("not a number") && !whole.includes(":5}"), whole);
  const inText = shownRecord(utf8(JSON.stringify({ id: 7, payload: JSON.stringify({ card_number: "abc" }) })), tagged);
  assert.ok(!inText.includes("abc"), inText);
  for (const damaged of [`{"id":7,"card_number":"abc`, `7,abc,1.00`, `{"card\\u005fnumber":"abc"`]) {
    const shown = shownRecord(utf8(damaged), tagged);
    assert.ok(!shown.includes("abc"), shown);
    assert.ok(shown.includes(`${utf8(damaged).length} bytes`), shown);
  }
  assert.equal(shownRecord(utf8(`{"card\\u005fnumber":"abc"}`), tagged), `{"card_number":"${HIDDEN}"}`);
});

Deno.test("a record without tagged fields is shown as it came, cut, without what could be an account", () => {
  assert.equal(shownRecord(utf8("a,b,c"), new Set()), "a,b,c");
  assert.equal(shownRecord(utf8(`x ${PAN}`), new Set()), `x ${HIDDEN}1111`);
  const long = shownRecord(utf8("y".repeat(5_000)), new Set());
  assert.ok(long.length <= 400 && long.endsWith("…"));
});

Deno.test("a row is shown field by field; a field that was not read is empty", () => {
  const fields: Field[] = [{ name: "a", type: { kind: "decimal", scale: 2, nullable: true } }, { name: "b", type: STRING }, {
    name: "c",
    type: STRING,
  }];
  const columns = [columnOf(fields[0].type, [150, null]), columnOf(STRING, ["x", "y"]), null];
  const batch = { rows: 2, type: { fields }, columns, meta: makeMeta("s", 0, Float64Array.of(0, 1)) };
  assert.deepEqual(shownRow(batch, [0, 1, 2], 0), ["1.50", "x", ""]);
  assert.deepEqual(shownRow(batch, [1, 0], 1), ["y", ""]);
});
