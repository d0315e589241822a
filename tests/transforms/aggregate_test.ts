import { deepEqual, equal, throws } from "node:assert/strict";
import { MillraceError } from "../../src/data/fault.ts";
import type { Plain } from "../support/settings.ts";
import { aggregate } from "../../src/transforms/aggregate.ts";
import { batchOf, Collected, faultsOf, formatCell, Lane, lines, planOf, run, table } from "./support.ts";
import { cell } from "../../src/data/columns.ts";
import type { Batch } from "../../src/data/batch.ts";
import type { StateStore } from "../../src/engine/contracts.ts";
import { createStateStore } from "../../src/engine/state/store.ts";

type Settings = { readonly [name: string]: Plain };
const payments = table(`
  account string | amount decimal(2)? | kind string? | ok bool | at int
  b | 1.50  | x    | true  | 30
  a | 2.00  | y    | true  | 10
  b | 0.25  | y    | false | 20
  b | null  | null | true  | 5
  a | -4.00 | x    | true  | 10
`);
const folded = (settings: Settings, inputs = [payments]) => run(aggregate, { inputs, settings }).text;

Deno.test("one row per key, in order of first appearance, and every row counts as folded", () => {
  equal(folded({ by: ["account"], aggregate: { n: "count()", total: "sum(amount)" } }), "b | 3 | 1.75\na | 2 | -2.00\nfolded 5");
});

Deno.test("nulls are skipped and a filter leaves rows out", () => {
  const settings = {
    by: ["account"],
    aggregate: { n: "count(amount != null)", good: "sum(amount, ok)", least: "min(amount)", most: "max(amount, kind == 'y')" },
  };
  equal(folded(settings), "b | 2 | 1.50 | 0.25 | 0.25\na | 2 | -2.00 | -4.00 | 2.00\nfolded 5");
});

Deno.test("avg names its places and its rounding", () => {
  const settings = {
    by: ["account"],
    aggregate: { up: "avg(amount, 2, 'half_up')", even: "avg(amount, 1, 'half_even')", fine: "avg(at, 3, 'down')" },
  };
  equal(folded(settings), "b | 0.88 | 0.9 | 18.333\na | -1.00 | -1.0 | 10.000\nfolded 5");
});

Deno.test("first and last by arrival, first_by and last_by by value, ties to the first to arrive", () => {
  const settings = {
    by: ["account"],
    aggregate: {
      first: "first(kind)",
      last: "last(kind)",
      early: "first_by(amount, at)",
      late: "last_by(amount, at)",
      text: "last_by(at, account)",
    },
  };
  equal(folded(settings), "b | x | y | 0.25 | 1.50 | 30\na | y | x | 2.00 | 2.00 | 10\nfolded 5");
});

Deno.test("min and max of texts and bools", () => {
  const settings = { aggregate: { least: "min(kind)", most: "max(account)", all: "min(ok)", any: "max(ok)" } };
  equal(folded(settings), "x | b | false | true\nfolded 5");
});

Deno.test("count_distinct, counts and mode; of several most frequent values the smallest", () => {
  const settings = {
    by: ["ok"],
    aggregate: {
      kinds: "count_distinct(kind)",
      counts: "counts(kind)",
      mode: "mode(account)",
      top: "mode(kind)",
      flags: "count_distinct(ok)",
    },
  };
  equal(
    folded(settings),
    lines(`
    true | 2 | {x: 2, y: 1} | a | x | 1
    false | 1 | {y: 1} | b | y | 1
    folded 5
  `),
  );
});

Deno.test("functions that count the same values of the same rows share their table, over a recovery and lanes too; others do not", () => {
  const one = {
    by: ["account"],
    aggregate: {
      counts: "counts(kind, ok)",
      kinds: "count_distinct( kind, ok )",
      top: "mode(kind, ok)",
      all: "mode(kind)",
      n: "counts( kind )",
    },
  };
  const { plan } = planOf(aggregate, { inputs: [payments], settings: one });
  const tables: string[] = [];
  const noted = (state: StateStore): StateStore => ({ ...state, table: (spec) => (tables.push(spec.name), state.table(spec)) });
  plan!.create({ lane: 0, state: noted(createStateStore().scope("x")) });
  equal(tables.length, 3, "the groups, kinds of good rows, and those of all");
  const expected = [
    "b | {x: 1} | 1 | x | x | {x: 1, y: 1}",
    "a | {x: 1, y: 1} | 2 | x | x | {x: 1, y: 1}",
  ];
  const [lane, other] = [new Lane(plan!), new Lane(plan!)];
  lane.operator.process(0, batchOf(payments, "in0", 0, 2), new Collected());
  lane.recover();
  lane.operator.process(0, batchOf(payments, "in0", 2, 3), new Collected());
  other.operator.process(0, batchOf(payments, "in0", 3, 5), new Collected());
  lane.operator.absorb!(other.operator);
  deepEqual(shown(lane.operator.peek!()), expected);
});

Deno.test("without by there is exactly one row, for no input too", () => {
  const all = {
    n: "count()",
    total: "sum(amount)",
    least: "min(amount)",
    mean: "avg(amount, 2, 'half_up')",
    last: "last(kind)",
    kinds: "counts(kind)",
    mode: "mode(kind)",
  };
  equal(folded({ aggregate: all }, [{ ...payments, rows: [] }]), "0 | 0.00 | null | null | null | {} | null");
  equal(folded({ aggregate: { n: "count()" } }), "5\nfolded 5");
  equal(folded({ by: ["account"], aggregate: { n: "count()" } }, [{ ...payments, rows: [] }]), "");
});

Deno.test("keys may be computed, null and several", () => {
  const settings = { by: { large: "amount != null && amount > 1.00", kind: "kind", part: "at / 10" }, aggregate: { n: "count()" } };
  equal(folded(settings), "true | x | 3 | 1\ntrue | y | 1 | 1\nfalse | y | 2 | 1\nfalse | null | 0 | 1\nfalse | x | 1 | 1\nfolded 5");
});

Deno.test("where ends rows before they are folded", () => {
  equal(folded({ where: "ok", by: ["account"], aggregate: { n: "count()" } }), "b | 2\na | 2\nfiltered 1\nfolded 4");
});

Deno.test("a row whose expression fails is rejected and folded nowhere", () => {
  const settings = { by: ["account"], aggregate: { n: "count()", share: "sum(100 / (at - 20))" } };
  equal(folded(settings), "b | 2 | 4\na | 2 | -20\nfolded 4\nrejected 3: divisor_zero");
  const keyFails = { by: { key: "100 / (at - 20)" }, aggregate: { n: "count()" } };
  equal(folded(keyFails), "10 | 1\n-10 | 2\n-6 | 1\nfolded 4\nrejected 3: divisor_zero");
});

Deno.test("sums are kept wider than 2^53; only a result beyond it is refused, and peek says so", () => {
  const big = table("k string | n int\na | 9007199254740991\nb | 9007199254740991\na | 5\nb | -5\na | -6\nb | 6");
  equal(
    folded({ by: ["k"], aggregate: { total: "sum(n)", most: "max(n)" } }, [big]),
    "a | 9007199254740990 | 9007199254740991\nfolded 6\nrejected 2: range:total",
  );
  const { plan } = planOf(aggregate, { inputs: [big], settings: { by: ["k"], aggregate: { total: "sum(n)" } } });
  const lane = new Lane(plan!);
  lane.operator.process(0, batchOf(big, "in0", 0, 6), new Collected());
  throws(() => lane.operator.peek!(), (error) => error instanceof MillraceError && error.code === "overflow");
});

Deno.test("rows of an aggregate are made here: their source is the node, their position counts from 1", () => {
  deepEqual(run(aggregate, { inputs: [payments], settings: { by: ["account"], aggregate: { n: "count()" } } }).places, [
    "node/0/1/made",
    "node/0/2/made",
  ]);
});

function shown(batch: Batch): string[] {
  return Array.from(
    { length: batch.rows },
    (_, row) => batch.type.fields.map((f, i) => formatCell(cell(batch.columns[i]!, f.type, row), f.type)).join(" | "),
  );
}

Deno.test("peek shows the result so far and changes nothing; absorb adds another lane's", () => {
  const settings = {
    by: ["account"],
    aggregate: {
      n: "count()",
      total: "sum(amount)",
      least: "min(amount)",
      most: "max(kind)",
      mean: "avg(at, 2, 'half_up')",
      first: "first(kind)",
      last: "last(at)",
      early: "first_by(kind, at)",
      late: "last_by(amount, at)",
      kinds: "count_distinct(kind)",
      counts: "counts(kind)",
      mode: "mode(kind)",
    },
  };
  const { plan } = planOf(aggregate, { inputs: [payments], settings });
  const feed = (lane: Lane, from: number, to: number) => lane.operator.process(0, batchOf(payments, "in0", from, to), new Collected());
  const [whole, left, right] = [new Lane(plan!), new Lane(plan!), new Lane(plan!)];
  feed(whole, 0, 5);
  feed(left, 0, 2);
  feed(right, 2, 5);
  const expected = shown(whole.operator.peek!());
  deepEqual(shown(whole.operator.peek!()), expected);
  left.operator.absorb!(right.operator);
  deepEqual(shown(left.operator.peek!()), expected);
  deepEqual(expected, [
    "b | 3 | 1.75 | 0.25 | y | 18.33 | x | 5 | y | 1.50 | 2 | {x: 1, y: 1} | x",
    "a | 2 | -2.00 | -4.00 | y | 10.00 | y | 10 | y | 2.00 | 2 | {x: 1, y: 1} | x",
  ]);
});

Deno.test("result fields taken from rows keep their text form and mask, computed ones do not", () => {
  const type = { fields: payments.type.fields.map((f) => f.name === "kind" ? { ...f, tag: "pan" } : f) };
  const { plan } = planOf(aggregate, {
    inputs: [{ ...payments, type }],
    settings: { by: ["kind"], aggregate: { last: "last(kind)", n: "count_distinct(kind)" } },
  });
  deepEqual(plan!.outputs.get("out")!.fields.map((f) => f.tag), ["pan", "pan", undefined]);
  deepEqual([plan!.keyedBy, plan!.needsEnd], ["*", true]);
  deepEqual([...plan!.needs(new Map())[0]], ["kind"]);
});

Deno.test("faults of an aggregate", () => {
  const fault = (settings: Settings) => faultsOf(aggregate, { inputs: [payments], settings })[0];
  equal(
    fault({ by: ["account"], aggregate: { account: "count()" } }),
    'aggregate.account:1 "account" is already a name of `by` (give the aggregate another name)',
  );
  equal(
    fault({ by: { list: "[at]" }, aggregate: { n: "count()" } }),
    "by.list:1 `by` list cannot be a list<int> (keys are int, decimal, string, bool, timestamp, date or duration)",
  );
  equal(fault({ by: { "a.b": "at" }, aggregate: { n: "count()" } }), 'by.a.b:1 `by` takes plain names, not "a.b" (write a_b)');
  equal(
    fault({ by: { a: "1", b: "2", c: "3", d: "4", e: "5" }, aggregate: { n: "count()" } }),
    "by:1 `by` has 5 parts (at most 4; join the least of them into one text)",
  );
  equal(fault({ aggregate: { n: "cuont()" } }).startsWith("aggregate.n:"), true);
});
