/** Records whose rows are not there: they wait for them, or come out again with them. */
import assert from "node:assert/strict";
import { HELD_RECORDS_MAX, PENDING_RECORDS_MAX } from "../../src/transforms/missing/limits.ts";
import { blueprintOf, differences, faults } from "../windows/support.ts";
import { assertRows, type Row, TestLane } from "./support.ts";

const head = (missing: string): string => `
[connections.bus]
type = "log"
path = "log"

[sources.payments]
connection = "bus"
topic      = "payments"
fields     = { id = "int", shop = "string?", other = "string?", amount = "decimal(2)" }

[tables.shops]
connection = "bus"
topic      = "shops"
key        = "id"
missing    = "${missing}"
fields     = { id = "string", name = "string", open = "bool?" }

[tables.others]
connection = "bus"
topic      = "others"
key        = "id"
missing    = "${missing}"
fields     = { id = "string", name = "string" }

[sinks.out]
type   = "ndjson"
inputs = ["seen"]
path   = "out"
`;
const lookup = (missing: string): string =>
  `${head(missing)}
[transforms.seen]
type   = "lookup"
inputs = ["payments"]
where  = "shop != null"
lookup = { row = "shops[shop]", second = "others[other]" }
set    = { name = "coalesce(row.name, '?')", second_name = "coalesce(second.name, '?')" }
`;
/** Running totals by shop, as of a merchant's performance. */
const totals = (missing: string): string =>
  `${head(missing)}
[transforms.seen]
type   = "decide"
inputs = ["payments"]
where  = "shop != null"
key    = "shop"
lookup = { row = "shops[shop]" }
before = { count = "count + 1", total = "total + amount" }
match  = "all"
rules  = [{ code = "LARGE", points = 5, when = "total > 30.00" }, { code = "ODD", points = 1, when = "recent.size() == 3" }]

[transforms.seen.state.count]
as      = "int"
initial = "0"
[transforms.seen.state.total]
as      = "decimal(2)"
initial = "0.00"
[transforms.seen.state.recent]
type   = "history"
keep   = { count = 3 }
fields = { id = "id", amount = "amount", other = "other" }

[transforms.seen.let]
average = "round(total / count, 2, 'half_up')"

[transforms.seen.emit]
id      = "id"
shop    = "shop"
count   = "count"
total   = "total"
average = "average"
name    = "coalesce(row.name, 'UNKNOWN')"
open    = "coalesce(row.open, false)"
codes   = "matched"
ids     = "recent.map(e, e.id)"
alike   = "recent.filter(e, e.other == other).size()"
`;
const payment = (id: number, shop: string | null, amount: number, other: string | null = null): Row => ({ id, shop, other, amount });

Deno.test("M2: the row of a key that has records lets the newest come out once more, on the states as they are", async () => {
  const acme = { row: { id: "m1", name: "Acme", open: true } };
  for (const crashes of [false, true]) {
    const lane = new TestLane(await blueprintOf(totals("emit_again")));
    const crash = (): void => void (crashes && lane.recover());
    for (const one of [payment(1, "m1", 1000, "x"), payment(2, "m1", 3000, "y")]) {
      lane.records("payments", [one]);
      crash();
    }
    lane.changes("shops", [acme]);
    crash();
    lane.records("payments", [payment(3, "m1", 2000, "x"), payment(4, null, 500)]);
    lane.changes("shops", [{ row: { id: "m1", name: "Acme & Co", open: true } }]);
    const unknown = { name: "UNKNOWN", open: false };
    assertRows(lane.rows("out"), [
      { id: 1, count: 1, total: 1000, average: 1000, ...unknown, codes: [], ids: [1], alike: 1 },
      { id: 2, count: 2, total: 4000, average: 2000, ...unknown, codes: ["LARGE"], ids: [1, 2], alike: 1 },
      { id: 2, count: 2, total: 4000, average: 2000, name: "Acme", open: true, codes: ["LARGE"], ids: [1, 2], alike: 1 },
      { id: 3, count: 3, total: 6000, average: 2000, name: "Acme", open: true, codes: ["LARGE", "ODD"], ids: [1, 2, 3], alike: 2 },
    ]);
    lane.end();
    lane.verify("ended");
  }
});

Deno.test("in a batch, a key's newest record is the one that comes out again; a deleted and returned row lets nothing come twice", async () => {
  const lane = new TestLane(await blueprintOf(totals("emit_again")));
  lane.records("payments", [payment(1, "a", 100), payment(2, "b", 100), payment(3, "a", 100), payment(4, "a", 100)]);
  const before = lane.rows("out").length;
  lane.changes("shops", [{ row: { id: "a", name: "A" } }, { row: { id: "c", name: "C" } }]);
  lane.changes("shops", [{ row: { id: "a" }, deleted: true }]);
  lane.changes("shops", [{ row: { id: "a", name: "A2" } }]);
  assertRows(lane.rows("out").slice(before), [{ id: 4, count: 3, name: "A" }]);
});

Deno.test("a look-up lets every record come out again, and for every row that came", async () => {
  const lane = new TestLane(await blueprintOf(lookup("emit_again")));
  lane.records("payments", [payment(1, "a", 1, "x"), payment(2, "a", 1), payment(3, "b", 1, "x"), payment(4, null, 1)]);
  lane.changes("shops", [{ row: { id: "a", name: "A" } }]);
  lane.recover();
  lane.changes("others", [{ row: { id: "x", name: "X" } }]);
  lane.changes("shops", [{ row: { id: "b", name: "B" } }]);
  const seen = lane.rows("out").map(({ id, name, second_name }) => `${id} ${name} ${second_name}`);
  // Record 1 has come out again meanwhile, so record 3 is the older one.
  assert.deepEqual(seen, ["1 ? ?", "2 ? ?", "3 ? ?", "1 A ?", "2 A ?", "3 ? X", "1 A X", "3 B X"]);
  lane.verify("stopped");
});

Deno.test("a record waits for its row, and records of its key behind it; others pass", async () => {
  for (const crashes of [false, true]) {
    const lane = new TestLane(await blueprintOf(totals("wait 10s")));
    const crash = (): void => void (crashes && lane.recover());
    lane.at(0);
    lane.changes("shops", [{ row: { id: "b", name: "B" } }]);
    lane.records("payments", [payment(1, "a", 100), payment(2, "b", 100), payment(3, null, 100)]);
    crash();
    lane.at(4000);
    lane.records("payments", [payment(4, "a", 200), payment(5, "b", 100), payment(6, "c", 100)]);
    crash();
    assertRows(lane.rows("out"), [{ id: 2, name: "B" }, { id: 5, name: "B", count: 2 }]);
    assert.equal(lane.dueMs, 10_000);
    lane.changes("shops", [{ row: { id: "a", name: "A" } }]);
    crash();
    assertRows(lane.rows("out").slice(2), [{ id: 1, name: "A", count: 1 }, { id: 4, name: "A", count: 2, total: 300 }]);
    lane.at(13_999);
    crash();
    assert.equal(lane.rows("out").length, 4);
    lane.at(14_000);
    crash();
    assertRows(lane.rows("out").slice(4), [{ id: 6, name: "UNKNOWN", count: 1 }]);
    assert.equal(lane.dueMs, Infinity);
    lane.end();
    lane.verify("ended");
  }
});

Deno.test("behind a record that has waited in vain the next one of its key waits for its own time", async () => {
  const lane = new TestLane(await blueprintOf(totals("wait 10s")));
  lane.at(0);
  lane.records("payments", [payment(1, "a", 100)]);
  lane.at(6000);
  lane.records("payments", [payment(2, "a", 100)]);
  lane.at(10_000);
  assertRows(lane.rows("out"), [{ id: 1, name: "UNKNOWN" }]);
  lane.at(12_000);
  lane.changes("shops", [{ row: { id: "a", name: "A" } }]);
  assertRows(lane.rows("out").slice(1), [{ id: 2, name: "A", count: 2 }]);
});

Deno.test("who waits for two rows goes on when both are there, or with null for those that it waited for in vain", async () => {
  const lane = new TestLane(await blueprintOf(lookup("wait 10s")));
  lane.at(0);
  lane.records("payments", [payment(1, "a", 1, "x"), payment(2, "b", 1, "x"), payment(3, "c", 1)]);
  lane.changes("shops", [{ row: { id: "b", name: "B" } }]);
  assert.equal(lane.rows("out").length, 0);
  lane.changes("others", [{ row: { id: "x", name: "X" } }]);
  assertRows(lane.rows("out"), [{ id: 2, name: "B", second_name: "X" }]);
  lane.recover();
  lane.at(10_000);
  assertRows(lane.rows("out").slice(1), [{ id: 1, name: "?", second_name: "X" }, { id: 3, name: "?", second_name: "?" }]);
});

Deno.test("the end of the input lets go what still waits, when the tables have ended too", async () => {
  const lane = new TestLane(await blueprintOf(lookup("wait 10s")));
  lane.records("payments", [payment(1, "a", 1), payment(2, "a", 1)]);
  assert.equal(lane.rows("out").length, 0);
  lane.end();
  assertRows(lane.rows("out"), [{ id: 1, name: "?" }, { id: 2, name: "?" }]);
  lane.verify("ended");
});

Deno.test("what waits leaves in drains of any size in the same order", async () => {
  const seen: string[][] = [];
  for (const drainRowsMax of [1, 2, 7, 1000]) {
    const lane = new TestLane(await blueprintOf(totals("wait 10s")));
    lane.drainRowsMax = drainRowsMax;
    lane.at(0);
    lane.records("payments", Array.from({ length: 40 }, (_, id) => payment(id, `s${id % 7}`, 100)));
    lane.changes("shops", [3, 1, 5].map((n) => ({ row: { id: `s${n}`, name: `S${n}` } })));
    lane.at(10_000);
    seen.push(
      ["s0", "s1", "s3"].map((shop) => lane.rows("out").filter((row) => row.shop === shop).map(({ id, name }) => `${id} ${name}`).join()),
    );
    assert.equal(lane.rows("out").length, 40);
    lane.verify("stopped");
  }
  for (const one of seen) assert.deepEqual(one, seen[0]);
});

Deno.test("event time behind a transform whose records wait does not go beyond them", async () => {
  const toml =
    lookup("wait 10s").replace('amount = "decimal(2)" }', 'amount = "decimal(2)", at = "timestamp" }\ntime       = { field = "at" }')
      .replace('inputs = ["seen"]', 'inputs = ["windows"]') + `
[transforms.windows]
type      = "aggregate"
inputs    = ["seen"]
by        = ["name"]
window    = { type = "tumbling", size = "10s" }
aggregate = { count = "count()" }
`;
  const lane = new TestLane(await blueprintOf(toml));
  const record = (id: number, shop: string, seconds: number): Row => ({ ...payment(id, shop, 1), at: seconds * 1e6 });
  lane.at(0);
  lane.changes("shops", [{ row: { id: "b", name: "B" } }]);
  lane.records("payments", [record(1, "a", 1), record(2, "b", 2)]);
  lane.records("payments", [record(3, "b", 60)]);
  assert.equal(lane.rows("out").length, 0, "the window of the record that waits is open");
  lane.changes("shops", [{ row: { id: "a", name: "A" } }]);
  lane.records("payments", [record(4, "b", 61)]);
  assert.deepEqual(lane.rows("out").map(({ name, count }) => `${name} ${count}`).sort(), ["A 1", "B 1"]);
});

Deno.test("tests say when rows come: a record waits as the clock says", async () => {
  const tests = `
[[tests]]
name  = "waiting"
clock = 2025-09-05T06:00:00Z
given = [
  { payments = { id = 1, shop = "a", amount = 1.00 } },
  { at = 06:00:09, shops = { id = "a", name = "A" } },
  { payments = { id = 2, shop = "b", amount = 1.00 } },
  { at = 06:00:19 },
]
at_end     = "open"
expect.out = [{ id = 1, name = "A" }, { id = 2, name = "?" }]
`;
  assert.equal(await differences(lookup("wait 10s") + tests), "");
});

Deno.test("what may change while it is waited for is refused", async () => {
  const chain = lookup("wait 10s").replace("others[other]", "others[row.name]");
  assert.match(await faults(chain), /a row of "others" cannot be waited for: its key is known only with the row of "row"/);
  assert.equal(await faults(chain.replaceAll("wait 10s", "null")), "");
  const timed = lookup("emit_again").replace("others[other]", "others[string(meta.epoch_time)]");
  assert.match(await faults(timed), /a key that changes with time cannot be waited by/);
});

Deno.test("what waits and what may come again is bounded: the oldest go on, the oldest do not come again", async () => {
  assert.equal(PENDING_RECORDS_MAX, HELD_RECORDS_MAX);
  const count = HELD_RECORDS_MAX + 3;
  const all = Array.from({ length: count }, (_, id) => payment(id, id < 5 ? "early" : "late", 1));
  for (const missing of ["wait 10s", "emit_again"]) {
    const lane = new TestLane(await blueprintOf(lookup(missing)));
    lane.at(0);
    for (let from = 0; from < count; from += 8192) lane.records("payments", all.slice(from, from + 8192));
    const before = lane.rows("out").length;
    if (missing === "wait 10s") assertRows(lane.rows("out"), [0, 1, 2].map((id) => ({ id, name: "?" })));
    lane.recover();
    lane.changes("shops", [{ row: { id: "early", name: "E" } }]);
    assertRows(lane.rows("out").slice(before), [3, 4].map((id) => ({ id, name: "E" })));
    lane.verify("stopped");
  }
});
