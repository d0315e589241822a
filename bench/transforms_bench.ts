/**
 * What the transforms of the card rules cost per record, between decoding and encoding: nanoseconds of CPU of the whole process
 * (so other work on the machine matters little), the least of several rounds.
 *
 *   deno run -A bench/transforms_bench.ts
 */
import process from "node:process";
import type { Batch } from "../src/data/batch.ts";
import { batchOf, planContext, type Rows, table } from "../tests/transforms/support.ts";
import { switches, VALIDATE } from "../tests/transforms/cards.ts";
import { settingsOf } from "../tests/support/settings.ts";
import { assert } from "../src/data/fault.ts";
import type { Output } from "../src/engine/contracts.ts";
import { createStateStore } from "../src/engine/state/store.ts";
import { KeyedRows } from "../src/project/table_rows.ts";
import type { TransformSpec } from "../src/component/component.ts";
import type { Plain } from "../tests/support/settings.ts";
import { transforms } from "../src/transforms/mod.ts";

const ROWS = 8192;
const BATCHES = 40;
const ROUNDS = 7;
const KEYS = 10_000;

/** The same numbers on every run. */
let seed = 1;
function below(limit: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed % limit;
}

const TOWNS = ["Troy", "Albany", "New York", "White Plains", "Niagara Falls", "Staten Island"];
const address = (): string =>
  `${1 + below(9999)} ${["Elm", "Main", "Ontario"][below(3)]} Street, ${TOWNS[below(TOWNS.length)]}, NY 1${1000 + below(8999)}`;

function keyed(rows: Rows, key: string) {
  const holder = new KeyedRows(rows.type, key);
  holder.load(rows.type, [batchOf(rows, key, 0, rows.rows.length)]);
  return { name: key, key, type: rows.type, rows: holder, read: new Set<string>() };
}
const cards: Rows = {
  type: table("card_id int | customer_id int | credit_limit decimal(2) | current_balance decimal(2)").type,
  rows: Array.from({ length: KEYS }, (_, index) => [index, index % (KEYS / 2), 100_000 * (1 + below(99)), 0]),
};
const customers: Rows = {
  type: table("customer_id int | address string").type,
  rows: Array.from({ length: KEYS / 2 }, (_, index) => [index, address()]),
};
const paymentType = table(
  "transaction_id int | card_id int | merchant_name string | timestamp int | amount decimal(2) | location string | transaction_type string | related_transaction_id int?",
).type;
const batches: Batch[] = Array.from({ length: BATCHES }, (_, batch) => {
  const rows = Array.from(
    { length: ROWS },
    (_, row) => [batch * ROWS + row, below(KEYS), "Barrett LLC", 0, below(20_000) - 5_000, address(), "purchase", null],
  );
  return batchOf({ type: paymentType, rows }, "payments", 0, ROWS);
});

function measure(title: string, type: string, settings: { readonly [name: string]: Plain }): void {
  const spec = transforms.find((t) => t.type === type) as TransformSpec;
  const faults: string[] = [];
  const plan = spec.plan({
    ...planContext(settingsOf(spec.settings, settings), switches(), faults),
    inputs: [{
      node: "payments",
      type: paymentType,
      timed: true,
      latenessMicros: 0,
      span: { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 },
    }],
    tables: new Map([["cards", keyed(cards, "card_id")], ["customers", keyed(customers, "customer_id")]]),
  });
  assert(plan !== null, faults.join("\n"));
  let passed = 0;
  const out: Output = { epochTimeMicros: 0, emit: (_, batch) => void (passed += batch.rows), reject: () => {}, count: () => {} };
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const operator = plan.create({ lane: 0, state: createStateStore() });
    const start = process.cpuUsage();
    for (const batch of batches) operator.process(0, batch, out);
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, user + system);
  }
  console.log(`${title.padEnd(44)} ${(best * 1e3 / (ROWS * BATCHES)).toFixed(0).padStart(6)} ns/record   ${passed} rows out`);
}

measure("filter amount > 0.00", "filter", { where: "amount > 0.00" });
measure("map with one sum and one comparison", "map", { set: { twice: "amount + amount", large: "amount >= 100.00" } });
measure("dedupe by id within card", "dedupe", { key: "transaction_id", within: "card_id" });
measure("aggregate count and sum by card", "aggregate", { by: ["card_id"], aggregate: { count: "count()", total: "sum(amount)" } });
measure("decide: the card rules, two extracts", "decide", VALIDATE as unknown as { readonly [name: string]: Plain });
measure("decide: the card rules without texts", "decide", {
  ...VALIDATE as unknown as { readonly [name: string]: Plain },
  rules: (VALIDATE.rules as readonly { code: string; when: string }[]).filter(({ code }) => code !== "zip"),
});
