/** [[tests]] of a pipeline: rows as JSON, completed, in order. */
import type { GivenRow, TestBlueprint } from "../../src/project/contracts.ts";
import assert from "node:assert/strict";
import { loadOne } from "./support.ts";

const PIPELINE = `[sources.facts]
type = "csv"
path = "facts.csv"
[sources.facts.fields]
id = "int"
amount = "decimal(2)"
kind = { type = "string", one_of = ["paid", "sent"] }
note = "string?"
at = { type = "timestamp", format = "yyyy-MM-dd HH:mm:ss", zone = "UTC" }
day = { type = "date", format = "dd.MM.yyyy" }
good = "bool"
tags = "list<string>"
extra = "json"
place = { type = "json?", fields = { city = "string", since = "date" } }
score = "double"
[tables.people]
type = "csv"
path = "people.csv"
key = "id"
fields = { id = "int", name = "string", seen = "timestamp" }
[transforms.t]
type = "map"
inputs = ["facts"]
[sinks.out]
type = "csv"
path = "out.csv"
inputs = ["t"]
`;
const ZEROS =
  '"kind":"paid","note":null,"at":"1970-01-01 00:00:00","day":"01.01.1970","good":false,"tags":[],"extra":{},"place":null,"score":0}';

const rowsGiven = ({ given }: TestBlueprint): GivenRow[] => given.filter((one): one is GivenRow => "node" in one);

Deno.test("rows by node: tables first, then sources in document order, missing fields filled in", async () => {
  const { tests } = await loadOne(`${PIPELINE}[[tests]]
name = "by node"
given.facts = [{ id = 1, amount = 500.00 }, { amount = -1.5, id = 2 }]
given.tables = { people = [{ id = 7, name = "A" }] }
expect.out = [{ id = 1, amount = 500.00 }]
expect.t = []
`);
  const [{ name, span, given, expect }] = tests;
  assert.deepEqual([name, span.line], ["by node", 28]);
  assert.deepEqual(given, [
    { node: "people", json: '{"id":7,"name":"A","seen":"1970-01-01T00:00:00Z"}' },
    { node: "facts", json: `{"id":1,"amount":500.00,${ZEROS}` },
    { node: "facts", json: `{"id":2,"amount":-1.5,${ZEROS}` },
  ]);
  assert.deepEqual([...expect].map(([sink, rows]) => [sink, rows.map(({ fields }) => Object.fromEntries(fields))]), [
    ["out", [{ id: "1", amount: "500.00" }]],
    ["t", []],
  ]);
  assert.equal(expect.get("out")![0].span.line, 32);
});

Deno.test("rows in arrival order, tables and facts mixed, with defaults where a node has the field", async () => {
  const { tests } = await loadOne(`${PIPELINE}[[tests]]
name = "mixed"
defaults = { id = 9, kind = "sent" }
given = [
  { people = { name = "A" } },
  { facts = { amount = 1 } },
  { people = { id = 8, name = "B" } },
]
expect.out = []
`);
  assert.deepEqual(rowsGiven(tests[0]).map(({ node, json }) => `${node} ${json.slice(0, 37)}`), [
    'people {"id":9,"name":"A","seen":"1970-01-01',
    'facts {"id":9,"amount":1,"kind":"sent","not',
    'people {"id":8,"name":"B","seen":"1970-01-01',
  ]);
});

Deno.test("TOML times are written in the field's own form, nested values as JSON", async () => {
  const row =
    'at = 2025-01-31T10:00:00+02:00, day = 2025-01-31, tags = ["a\\"b", "c"], place = { city = "X" }, extra = { a = [1, 2.50], b = true }, score = 1e3, good = true';
  const { tests } = await loadOne(`${PIPELINE}[[tests]]
name = "times"
given.facts = [{ ${row} }, { at = 2025-01-31 10:00:00, amount = "not a number" }]
expect.out = [{ place = { city = "X" }, at = 2025-01-31T10:00:00Z }]
`);
  assert.deepEqual(JSON.parse(rowsGiven(tests[0])[0].json), {
    id: 0,
    amount: 0,
    kind: "paid",
    note: null,
    at: "2025-01-31 08:00:00",
    day: "31.01.2025",
    good: true,
    tags: ['a"b', "c"],
    extra: { a: [1, 2.5], b: true },
    place: { city: "X", since: "1970-01-01" },
    score: 1000,
  });
  assert.ok(rowsGiven(tests[0])[0].json.includes("2.50"), "numbers keep their written digits");
  const second = JSON.parse(rowsGiven(tests[0])[1].json);
  assert.deepEqual([second.at, second.amount], ["2025-01-31 10:00:00", "not a number"]);
  assert.deepEqual([...tests[0].expect.get("out")![0].fields], [["place", '{"city":"X"}'], ["at", '"2025-01-31 10:00:00"']]);
});

Deno.test("rejects can be wished too", async () => {
  const { tests } = await loadOne(`${PIPELINE}[[tests]]
name = "rejects"
given.facts = [{ amount = "x" }]
expect.rejects = [{ reason = "type:amount" }]
`);
  assert.deepEqual([...tests[0].expect.get("rejects")![0].fields], [["reason", '"type:amount"']]);
});

Deno.test("the clock of a test stands at `clock`, moves with `at`, and a time of day is one of the day it shows", async () => {
  const { tests } = await loadOne(`${PIPELINE}[[tests]]
name  = "clock"
clock = 2025-09-05T06:00:00Z
given = [{ at = 06:00:29.999, people = { name = "A" } }, { people = { name = "B" } }, { at = 2025-09-06T00:00:00+02:00 }]
expect.out = []
`);
  const shown = tests[0].given.map((one) => "node" in one ? one.node : new Date(one.clockMicros / 1000).toISOString());
  assert.deepEqual(shown, ["2025-09-05T06:00:00.000Z", "2025-09-05T06:00:29.999Z", "people", "people", "2025-09-05T22:00:00.000Z"]);
});
