/** The plan's digest: changes with what can change outputs, and with nothing else. */
import assert from "node:assert/strict";
import { GOOD, loadOne, type Setting } from "./support.ts";

const hash = async (text: string, setting: Setting = {}) => (await loadOne(text, setting)).hash;
const PARAMS = '[params]\nx = { type = "int", default = 1 }\nkey = { type = "string", default = "a", secret = true }\n';
const MAP = '[transforms.t]\ntype = "map"\ninputs = ["payments"]\nset = { note = "1", other = "2" }\n';

Deno.test("comments, white space, the order of tables and of keys do not change it", async () => {
  const before = await hash(GOOD + PARAMS + MAP);
  assert.match(before, /^[0-9a-f]{64}$/);
  assert.equal(await hash(`# comment\n${MAP}\n\n${PARAMS}${GOOD}`), before);
  const reordered = GOOD.replace('type = "csv"\npath = "payments.csv"', 'path   =   "payments.csv" # here\ntype = "csv"');
  assert.notEqual(reordered, GOOD);
  assert.equal(await hash(reordered + PARAMS + MAP), before);
});

Deno.test("what is only shown, and how epochs are cut, does not change it", async () => {
  const before = await hash(GOOD);
  const shown =
    '[epoch]\nevery = "1s"\n[[warnings]]\nwhen = "true"\ntext = "x"\n[[tests]]\nname = "t"\ngiven.payments = []\nexpect.result = []\n';
  assert.equal(await hash(GOOD + shown), before);
  assert.equal(await hash(GOOD, { set: { "epoch.records_max": "10" } }), before);
});

Deno.test("a default that is written out does not change it", async () => {
  assert.equal(await hash(`${GOOD}publish = "parts"\n`), await hash(GOOD));
});

Deno.test("secrets do not change it", async () => {
  const before = await hash(GOOD + PARAMS);
  assert.equal(await hash(GOOD + PARAMS, { set: { "params.key": "another" } }), before);
});

for (
  const [what, text, setting] of [
    ["a parameter", GOOD + PARAMS + MAP, { set: { "params.x": "2" } }],
    ["a setting", GOOD.replace("payments.csv", "other.csv") + PARAMS + MAP, {}],
    ["a field's type", GOOD.replace("decimal(2)", "decimal(3)") + PARAMS + MAP, {}],
    ["the order of fields", GOOD.replace('id = "int", amount = "decimal(2)"', 'amount = "decimal(2)", id = "int"') + PARAMS + MAP, {}],
    ["an expression", GOOD + PARAMS + MAP.replace('"1"', '"3"'), {}],
    ["the order of set fields", GOOD + PARAMS + MAP.replace('note = "1", other = "2"', 'other = "2", note = "1"'), {}],
    ["an edge", GOOD + PARAMS + MAP.replace('["payments"]', '["payments.rejected"]'), {}],
    ["a node", `${GOOD}${PARAMS}${MAP}[sinks.more]\ntype = "csv"\npath = "more"\ninputs = ["t"]\n`, {}],
    ["a report, which has state", `${GOOD}${PARAMS}${MAP}[[reports]]\ntitle = "R"\nnode = "t"\naggregate = { n = "count()" }\n`, {}],
  ] as const
) {
  Deno.test(`${what} changes it`, async () => {
    assert.notEqual(await hash(text, setting), await hash(GOOD + PARAMS + MAP));
  });
}
