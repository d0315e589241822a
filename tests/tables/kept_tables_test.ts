/** Tables that a lane keeps from changes: what look-ups see, what is refused, and that a crash changes nothing. */
import assert from "node:assert/strict";
import { summarize } from "../../src/engine/counters.ts";
import { blueprintOf, differences, faults } from "../windows/support.ts";
import { assertRows, draws, type Row, TestLane } from "./support.ts";

const HEAD = `
[connections.bus]
type = "log"
path = "log"

[sources.payments]
connection = "bus"
topic      = "payments"
fields     = { id = "int", account_id = "string?", other = "int" }

[tables.accounts]
connection = "bus"
topic      = "accounts"
key        = "name"
fields     = { name = "string", balance = "decimal(2)?", open = "bool", note = "string?", place = { type = "json?", fields = { city = "string?" } } }

[tables.owners]
connection = "bus"
topic      = "owners"
key        = "number"
fields     = { number = "int", name = "string", tags = "list<string>", scores = "map<string, int>" }
`;
const LOOKUP = `${HEAD}
[transforms.looked]
type   = "lookup"
inputs = ["payments"]
lookup = { account = "accounts[account_id]", owner = "owners[other]", same = "accounts[owner.name]" }
set    = { there = "account != null", balance = "account.balance", open = "account.open", note = "account.note", city = "account.place.city", whole = "account", tags = "owner.tags", score = "owner != null ? get(owner.scores, 'a', 0) : -1", second = "same.note" }

[sinks.out]
type   = "ndjson"
inputs = ["looked"]
path   = "out"
`;

Deno.test("a look-up sees the row that came last, and none behind a delete; every type comes back", async () => {
  const lane = new TestLane(await blueprintOf(LOOKUP));
  const account = (balance: number | null, note: string | null): Row => ({ name: "a", balance, open: true, note, place: { city: "Troy" } });
  const ask = () => lane.records("payments", [{ id: 1, account_id: "a", other: 7 }]);
  ask();
  lane.changes("accounts", [{ row: account(100, "x") }, { row: account(250, null) }]);
  lane.changes("owners", [{ row: { number: 7, name: "a", tags: ["p", "q"], scores: new Map([["a", 3]]) } }]);
  ask();
  lane.recover();
  ask();
  lane.changes("accounts", [{ row: account(1, null) }, { row: { name: "a" }, deleted: true }]);
  ask();
  const there = { there: true, balance: 250, open: true, note: null, city: "Troy", tags: ["p", "q"], score: 3, second: null };
  const gone = { there: false, balance: null, open: null, note: null, city: null, whole: null, tags: null, score: -1, second: null };
  const whole = { name: "a", balance: 250, open: true, note: null, place: { city: "Troy" } };
  assertRows(lane.rows("out"), [gone, { ...there, whole }, { ...there, whole }, { ...gone, tags: ["p", "q"], score: 3 }]);
  lane.verify("stopped");
  assert.deepEqual(summarize(lane.counters("table:accounts")), {
    ...summarize(lane.counters("table:accounts")),
    in: 4,
    folded: 3,
    deletes: 1,
  });
});

Deno.test("a slot that a deleted row left is another row's, also within one batch", async () => {
  const lane = new TestLane(await blueprintOf(LOOKUP));
  const change = (name: string, balance: number) => ({ row: { name, balance, open: false, note: name, place: null } });
  lane.changes("accounts", [change("a", 1), { row: { name: "a" }, deleted: true }, change("b", 2), { row: { name: "zz" }, deleted: true }]);
  lane.changes("accounts", [change("a", 3), { row: { name: "b" }, deleted: true }]);
  lane.records("payments", ["a", "b"].map((account_id, id) => ({ id, account_id, other: 0 })));
  assertRows(lane.rows("out"), [{ there: true, balance: 3, note: "a" }, { there: false, balance: null, note: null }]);
});

Deno.test("what `require` of the schema refuses does not come into the table; a delete is not asked", async () => {
  const toml = LOOKUP.replace(/fields {5}= \{ name = "string", balance.*\n/, 'schema = "account"\n') + `
[schemas.account]
require = [{ code = "negative", that = "balance == null || balance >= 0.00" }]
[schemas.account.fields]
name = "string"
balance = "decimal(2)?"
open = "bool"
note = "string?"
place = { type = "json?", fields = { city = "string?" } }
`;
  const lane = new TestLane(await blueprintOf(toml));
  lane.changes("accounts", [
    { row: { name: "a", balance: 5, open: true } },
    { row: { name: "a", balance: -5, open: true } },
    { row: { name: "b", balance: 7, open: true } },
    { row: { name: "b", balance: -1 }, deleted: true },
  ]);
  lane.records("payments", ["a", "b"].map((account_id, id) => ({ id, account_id, other: 0 })));
  assertRows(lane.rows("out"), [{ balance: 5 }, { balance: null }]);
  assertRows(lane.rows("rejects"), [{ source: "accounts", position: 1, reason: "negative", step: "table:accounts" }]);
  lane.verify("stopped");
});

Deno.test("200 random interleavings of rows, deletes, records and crashes look up what a plain map holds", async () => {
  const blueprint = await blueprintOf(LOOKUP);
  for (let seed = 1; seed <= 200; seed++) {
    const draw = draws(seed);
    const lane = new TestLane(blueprint);
    const model = new Map<string, number>();
    const wished: Row[] = [];
    for (let step = 0; step < 40; step++) {
      const what = draw(10);
      if (what === 0) lane.recover();
      else if (what < 5) {
        const changes = Array.from({ length: 1 + draw(6) }, () => {
          const name = `k${draw(8)}`;
          if (draw(4) === 0) return { row: { name }, deleted: true as const };
          return { row: { name, balance: draw(1000), open: false } };
        });
        lane.changes("accounts", changes);
        for (const change of changes) {
          if ("deleted" in change) model.delete(change.row.name);
          else model.set(change.row.name, change.row.balance);
        }
      } else {
        const rows = Array.from({ length: 1 + draw(5) }, () => ({ id: step, account_id: draw(9) === 0 ? null : `k${draw(9)}`, other: 0 }));
        lane.records("payments", rows);
        for (const { account_id } of rows) wished.push({ balance: account_id === null ? null : model.get(account_id) ?? null });
      }
    }
    assertRows(lane.rows("out"), wished);
    lane.verify("stopped");
  }
});

Deno.test("tests give rows of tables and records in any order; given.NAME puts the tables first", async () => {
  const tests = `
[[tests]]
name  = "in arrival order"
given = [
  { payments = { id = 1, account_id = "a", other = 0 } },
  { accounts = { name = "a", balance = 1.50, open = true } },
  { payments = { id = 2, account_id = "a", other = 0 } },
  { accounts = { name = "a" }, deleted = true },
  { payments = { id = 3, account_id = "a", other = 0 } },
]
expect.out = [{ id = 1, there = false }, { id = 2, balance = 1.50 }, { id = 3, there = false }]

[[tests]]
name           = "tables first"
given.payments = [{ id = 1, account_id = "a", other = 0 }]
given.accounts = [{ name = "a", balance = 1.50, open = true }]
expect.out     = [{ id = 1, there = true }]
`;
  assert.equal(await differences(LOOKUP + tests), "");
});

Deno.test("faults of a changelog table point at their place", async () => {
  assert.match(
    await faults(LOOKUP.replace('key        = "number"', 'key = "number"\nmissing = "later"')),
    /does not say what a record does/,
  );
  assert.match(await faults(LOOKUP.replace('key        = "number"', 'key = "number"\nready = "soon"')), /"soon"/);
  assert.match(await faults(LOOKUP.replace('key        = "number"', 'key = "tags"')), /cannot be keyed by "tags"/);
  const csv = LOOKUP.replace('connection = "bus"\ntopic      = "owners"', 'type = "csv"\npath = "o.csv"\nmissing = "null"');
  assert.match(await faults(csv), /no setting "missing"/);
  const test = '[[tests]]\nname = "t"\ngiven = [{ payments = { id = 1 }, deleted = true }]\nexpect.out = []\n';
  assert.match(await faults(LOOKUP + test), /only rows of a table that is kept from changes are deleted/);
});
