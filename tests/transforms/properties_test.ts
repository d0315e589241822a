/**
 * What holds for every transform, on generated rows: results depend neither on how the input is cut into batches nor on crashes
 * between them, and no row is lost or invented.
 */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import type { TransformPlan } from "../../src/component/component.ts";
import { transforms } from "../../src/transforms/mod.ts";
import type { Plain } from "../support/settings.ts";
import { switches, TABLES, VALIDATE } from "./cards.ts";
import { type Collected, type Cut, planOf, type Rows, runPlan, table } from "./support.ts";

const SEED = 20_250_401;
const RUNS = 150;
const BATCH_ROWS = [1, 2, 7, 1000] as const;

const PAYMENT = table("id int | card_id int | amount decimal(2) | transaction_type string | location string | note string?").type;
const payment = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 6 }),
  fc.oneof(
    { arbitrary: fc.integer({ min: -9_000, max: 20_000 }), weight: 6 },
    { arbitrary: fc.constantFrom(50_000, 60_000, Number.MAX_SAFE_INTEGER), weight: 1 },
  ),
  fc.constantFrom("purchase", "refund"),
  fc.oneof(
    { arbitrary: fc.constant("1 Elm St, Troy, NY 12180"), weight: 6 },
    { arbitrary: fc.constantFrom("9 Oak Rd, Reno, NV 89501", "", "Zürich 8001"), weight: 1 },
  ),
  fc.option(fc.constantFrom("a", "bb", "ß"), { nil: null }),
);
const payments = fc.array(payment, { maxLength: 40 }).map((rows): Rows => ({ type: PAYMENT, rows }));
const OWNER = table("card_id int | size int | tags list<string> | ok bool?").type;
const owners = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer(), fc.array(fc.constantFrom("x", "y")), fc.option(fc.boolean(), { nil: null })),
  { selector: ([id]) => id, maxLength: 8 },
).map((rows): Rows => ({ type: OWNER, rows }));

/** A transform under test: its settings use every part of it that keeps something or can refuse a row. */
const CASES: Readonly<Record<string, { readonly [name: string]: Plain }>> = {
  map: {
    where: "amount != 0.00",
    let: { share: "1000 / (id - 5)" },
    set: { share: "share", twice: "amount + amount", size: "note != null ? note.size() : null" },
    require: [{ code: "negative", that: "amount > -500.00" }],
  },
  filter: { where: "100 / (id - 5) > 0" },
  lookup: { lookup: { card: "cards[card_id]" }, set: { left: "card != null ? card.credit_limit - amount : null" } },
  dedupe: { where: "transaction_type == 'purchase'", key: "id + 100 / (card_id - 3)", within: "note" },
  decide: VALIDATE as unknown as { readonly [name: string]: Plain },
  aggregate: {
    by: { card_id: "card_id", kind: "transaction_type" },
    aggregate: {
      n: "count()",
      total: "sum(amount)",
      mean: "avg(amount, 1, 'half_even')",
      least: "min(note)",
      most: "max(amount)",
      first: "first(note)",
      last: "last(id)",
      early: "first_by(location, amount)",
      late: "last_by(id, note, note != null)",
      notes: "count_distinct(note)",
      counts: "counts(id)",
      mode: "mode(amount)",
      risky: "sum(10 / (id - 5))",
    },
  },
  repartition: { key: "card_id", lanes: "1" },
  join: { on: ["card_id"], match: "one", set: { size: "right.size", tags: "right.tags", ok: "right.ok", left: "10 / (id - 5)" } },
};

function planCase(type: string): TransformPlan {
  const spec = transforms.find((transform) => transform.type === type)!;
  const inputs = type === "join" ? [{ type: PAYMENT, rows: [] }, { type: OWNER, rows: [] }] : [{ type: PAYMENT, rows: [] }];
  const { plan, faults } = planOf(spec, { inputs, settings: CASES[type], tables: TABLES, params: switches({ sign_rule: true }) });
  deepEqual(faults, []);
  return plan!;
}

/** Everything that may be compared: rows by port with their places, counts and rejects. */
function outcome(out: Collected) {
  return { ports: [...out.ports].toSorted(), places: out.places, counts: out.counts, rejects: out.rejects };
}

Deno.test("every transform is under test here", () => {
  deepEqual(Object.keys(CASES).toSorted(), transforms.map((transform) => transform.type).toSorted());
});

for (const type of Object.keys(CASES)) {
  const plan = planCase(type);
  const inputsOf = type === "join" ? fc.tuple(payments, owners) : fc.tuple(payments);
  const order = fc.constantFrom<readonly number[] | undefined>(undefined, type === "join" ? [0, 1] : [0]);
  const holds = (property: (inputs: readonly Rows[], cut: Cut) => void): void => {
    fc.assert(
      fc.property(inputsOf, order, fc.constantFrom(...BATCH_ROWS), fc.nat(3), (inputs, order, rowsMax, every) => {
        property(inputs, { rowsMax, recovers: (step) => every > 0 && step % every === 0, ...(order === undefined ? {} : { order }) });
      }),
      { seed: SEED, numRuns: RUNS },
    );
  };

  Deno.test(`${type}: the result depends neither on batch sizes nor on recoveries`, () => {
    holds((inputs, cut) => {
      const whole = runPlan(plan, inputs, { rowsMax: 1000, ...(cut.order === undefined ? {} : { order: cut.order }) });
      deepEqual(outcome(runPlan(plan, inputs, cut)), outcome(whole));
    });
  });

  Deno.test(`${type}: every row that came in went out, was counted or rejected`, () => {
    holds((inputs, cut) => {
      const out = runPlan(plan, inputs, cut);
      const came = inputs.reduce((sum, { rows }) => sum + rows.length, 0);
      const went = out.ports.get("out")?.length ?? 0;
      const { filtered, duplicates, folded } = out.counts;
      const made = type === "aggregate" ? went + out.rejects.filter((reject) => reject.includes("range:")).length : 0;
      equal(went + filtered + duplicates + folded + out.rejects.length, came + made);
    });
  });
}
