/**
 * What the rules of customer screening cost over each customer's histories (the last 100 payments, and a day by time): nanoseconds of CPU per
 * payment between decoding and encoding, where they go, what a customer's memory takes, and what a checkpoint writes of it.
 *
 *   deno run -A bench/fraud_bench.ts
 */
import process from "node:process";
import type { Batch } from "../src/data/batch.ts";
import { assert } from "../src/data/fault.ts";
import type { Output } from "../src/engine/contracts.ts";
import { createStateStore } from "../src/engine/state/store.ts";
import { KeyedRows } from "../src/project/table_rows.ts";
import { decide } from "../src/transforms/decide.ts";
import { type Plain, settingsOf } from "../tests/support/settings.ts";
import { SCREENING } from "../tests/transforms/screening.ts";
import { batchOf, planContext, type Rows, table } from "../tests/transforms/support.ts";

const CUSTOMERS = 2_000;
const ROWS = 4096;
/** Payments per customer until its histories are full, and those that are measured. */
const FILL_EACH = 110;
const MEASURED = 30 * ROWS;
const ROUNDS = 3;
const HOUR_MICROS = 3600e6;
/** 8 payments in the 24 hours, and in the 25 of lateness about as many. */
const PER_HOUR = 8 / 24;

let seed = 1;
function below(limit: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % limit;
}
const hex = (digits: number): string => Array.from({ length: digits }, () => below(16).toString(16)).join("");

const accounts: Rows = {
  type: table("id string | is_active bool? | is_frozen bool? | minimum_balance decimal(2)?").type,
  rows: Array.from({ length: CUSTOMERS }, (_, i) => [`account-${i}`, true, i % 100 === 0, i % 3 === 0 ? 10_000 : 0]),
};
const { type } = table(
  "id string | customer_id string | from_account_id string? | amount decimal(2) | device string? | country string? | created_at timestamp",
);
let made = 0;
/** The next payments: customers in turn at random, ids and devices never twice, an eighth of them an hour late. */
function nextBatch(): Batch {
  const rows = Array.from({ length: ROWS }, () => {
    const customer = below(CUSTOMERS);
    const time = made++ / CUSTOMERS / PER_HOUR * HOUR_MICROS - (below(8) === 0 ? HOUR_MICROS : 0);
    return [
      `${hex(8)}-${hex(4)}-${hex(4)}-${hex(4)}-${hex(12)}`,
      `customer-${customer}`,
      `account-${customer}`,
      100 + below(2_000_000),
      `FP${hex(16)}`,
      "US",
      Math.floor(time),
    ];
  });
  return batchOf({ type, rows }, "payments", 0, ROWS);
}
const filling = Array.from({ length: Math.ceil(CUSTOMERS * FILL_EACH / ROWS) }, nextBatch);
const measured = Array.from({ length: MEASURED / ROWS }, nextBatch);

interface Measured {
  readonly nsPerRecord: number;
  readonly alerts: number;
  readonly bytesPerCustomer: number;
  readonly checkpointBytes: number;
  readonly checkpointNs: number;
}

function measure(settings: { readonly [name: string]: Plain }, rounds = ROUNDS): Measured {
  const holder = new KeyedRows(accounts.type, "id");
  holder.load(accounts.type, [batchOf(accounts, "id", 0, accounts.rows.length)]);
  const faults: string[] = [];
  const params = {
    threshold: { type: { kind: "int", nullable: false } as const, value: 50 },
    always_alert: { type: { kind: "list", item: { kind: "string", nullable: false }, nullable: false } as const, value: [] },
  };
  const plan = decide.plan({
    ...planContext(settingsOf(decide.settings, settings), params, faults),
    inputs: [{
      node: "payments",
      type,
      timed: true,
      latenessMicros: 25 * HOUR_MICROS,
      span: { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 },
    }],
    tables: new Map([["accounts", { name: "accounts", key: "id", type: accounts.type, rows: holder, read: new Set<string>() }]]),
  });
  assert(plan !== null, faults.join("\n"));
  let alerts = 0;
  let best = Infinity;
  let result = { bytesPerCustomer: 0, checkpointBytes: 0, checkpointNs: 0 };
  for (let round = 0; round < rounds; round++) {
    alerts = 0;
    const out: Output = {
      epochTimeMicros: 0,
      emit: (_, batch) => void (alerts += batch.rows),
      reject: () => assert(false, "no rejects"),
      count: () => {},
    };
    const state = createStateStore();
    const operator = plan.create({ lane: 0, state });
    filling.forEach((batch, i) => {
      operator.process(0, batch, out);
      state.checkpoint(i + 1);
    });
    alerts = 0;
    let micros = 0;
    let checkpointMicros = 0;
    let checkpointBytes = 0;
    measured.forEach((batch, i) => {
      micros += timed(() => operator.process(0, batch, out));
      checkpointMicros += timed(() => {
        for (const { value } of state.checkpoint(filling.length + i + 1).sets) checkpointBytes += value.length;
      });
    });
    best = Math.min(best, micros);
    const bytes = state.sizes().reduce((sum, one) => sum + one.bytes, 0);
    result = {
      bytesPerCustomer: bytes / CUSTOMERS,
      checkpointBytes: checkpointBytes / MEASURED,
      checkpointNs: checkpointMicros * 1000 / MEASURED,
    };
  }
  return { nsPerRecord: best * 1000 / MEASURED, alerts, ...result };
}

function timed(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function report(title: string, { nsPerRecord, alerts }: Measured): void {
  console.log(`${title.padEnd(40)} ${nsPerRecord.toFixed(0).padStart(6)} ns/record   ${alerts} alerts`);
}

const only = Deno.args[0];
const whole = measure(SCREENING, only === "whole" ? 8 : ROUNDS);
report("ten rules over two histories", whole);
console.log(
  `${"".padEnd(40)} ${
    whole.bytesPerCustomer.toFixed(0).padStart(6)
  } bytes per customer: 100 payments by arrival, those of 49 hours by time`,
);
console.log(
  `${"".padEnd(40)} ${whole.checkpointBytes.toFixed(0).padStart(6)} bytes and ${whole.checkpointNs.toFixed(0)} ns of checkpoint per record`,
);
if (only !== "whole") {
  const rules = SCREENING.rules as readonly { readonly code: string }[];
  report("histories kept, no rule", measure({ ...SCREENING, rules: [] }));
  const { let: _, state: __, ...stateless } = SCREENING;
  report(
    "no histories, rules of the record",
    measure({ ...stateless, rules: rules.filter(({ code }) => ["HIGH", "FROZEN", "INACTIVE", "EXCESSIVE"].includes(code)) }),
  );
  for (const { code } of rules) report(`without ${code}`, measure({ ...SCREENING, rules: rules.filter((rule) => rule.code !== code) }));
}
