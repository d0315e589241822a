/**
 * What a kept table costs: memory of a million rows, nanoseconds of CPU per change and its checkpoint, and per look-up beside one
 * in a table that is read once. Rounds of the two alternate, the least of each counts.
 *
 *   deno run -A --v8-flags=--expose-gc bench/tables_bench.ts
 */
import process from "node:process";
import type { Batch } from "../src/data/batch.ts";
import { numberColumn, TextBuilder } from "../src/data/columns.ts";
import { makeMeta } from "../src/data/columns.ts";
import type { MissingRow } from "../src/component/changelog.ts";
import type { TablePlan, TransformPlan } from "../src/component/component.ts";
import type { KeptTable, Output } from "../src/engine/contracts.ts";
import { createStateStore, type LaneState } from "../src/engine/state/store.ts";
import { assert } from "../src/data/fault.ts";
import { KeyedRows } from "../src/project/table_rows.ts";
import { lookup } from "../src/transforms/lookup.ts";
import { TableKeeper } from "../src/transforms/table_keeper.ts";
import { settingsOf } from "../tests/support/settings.ts";
import { planContext, table } from "../tests/transforms/support.ts";

const TABLE_ROWS = 1_000_000;
const ROWS = 8192;
const BATCHES = 40;
const ROUNDS = 7;

const accountType = table("id string | active bool? | frozen bool? | minimum decimal(2)?").type;
const paymentType = table("payment int | account string").type;
/** What look-ups read. */
const KEPT = new Set(["active", "frozen", "minimum"]);

/** As generated ids are: 36 characters. */
const idOf = (number: number): string =>
  `${number.toString(16).padStart(8, "0")}-4f1e-4c7a-9b1d-5e0c2a7f${(number * 7919 % 65536).toString(16).padStart(4, "0")}`;
let seed = 1;
function below(limit: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed % limit;
}

function textsOf(numbers: readonly number[]) {
  const builder = new TextBuilder();
  for (const number of numbers) builder.push(idOf(number));
  return builder.finish();
}
function accounts(numbers: readonly number[]): Batch {
  const count = numbers.length;
  const valid = new Uint8Array(count).fill(1);
  const columns = [
    textsOf(numbers),
    numberColumn(new Float64Array(count).fill(1), valid),
    numberColumn(new Float64Array(count), valid),
    numberColumn(Float64Array.from(numbers, (number) => number % 10_000), valid),
  ];
  return { rows: count, type: accountType, columns, meta: makeMeta("accounts", 0, Float64Array.from(numbers)) };
}
function payments(): Batch {
  const numbers = Array.from({ length: ROWS }, () => below(TABLE_ROWS));
  return {
    rows: ROWS,
    type: paymentType,
    columns: [numberColumn(Float64Array.from(numbers)), textsOf(numbers)],
    meta: makeMeta("payments", 0, Float64Array.from(numbers)),
  };
}

function cpuMicros(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
function usedMb(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

const QUIET: Output = { epochTimeMicros: 1, emit() {}, reject() {}, count() {} };
const all = (): Batch[] =>
  Array.from(
    { length: Math.ceil(TABLE_ROWS / ROWS) },
    (_, batch) => accounts(Array.from({ length: Math.min(ROWS, TABLE_ROWS - batch * ROWS) }, (_, row) => batch * ROWS + row)),
  );

function keeper(): { readonly operator: TableKeeper; readonly tables: Map<string, KeptTable>; readonly state: LaneState } {
  const state = createStateStore();
  const tables = new Map<string, KeptTable>();
  const plan = { table: "accounts", type: accountType, key: "id", kept: KEPT, require: null };
  return { operator: new TableKeeper(plan, { lane: 0, state, tables }), tables, state };
}

function planLookup(rows: TablePlan["rows"], missing?: MissingRow): TransformPlan {
  const faults: string[] = [];
  const settings = { lookup: { row: "accounts[account]" }, set: { minimum: "coalesce(row.minimum, 0.00)" } };
  const plan = lookup.plan({
    ...planContext(settingsOf(lookup.settings, settings), {}, faults),
    inputs: [{
      node: "payments",
      type: paymentType,
      timed: false,
      latenessMicros: 0,
      span: { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 },
    }],
    tables: new Map([["accounts", { name: "accounts", key: "id", type: accountType, rows, missing, read: new Set<string>() }]]),
  });
  assert(plan !== null, faults.join("\n"));
  return plan;
}

const before = usedMb();
const kept = keeper();
let inserts = 0;
let checkpoints = 0;
let bytes = 0;
for (const [epoch, batch] of all().entries()) {
  inserts += cpuMicros(() => kept.operator.process(0, batch, QUIET));
  checkpoints += cpuMicros(() => {
    for (const { value } of kept.state.checkpoint(epoch + 1).sets) bytes += value.length;
  });
}
console.log(`a million rows of four fields, ids of 36 characters: ${(usedMb() - before).toFixed(0)} MB in a kept table`);
console.log(
  `  ${(inserts * 1e3 / TABLE_ROWS).toFixed(0)} ns of CPU for each new row, ${(checkpoints * 1e3 / TABLE_ROWS).toFixed(0)} ns and ${
    (bytes / TABLE_ROWS).toFixed(0)
  } bytes to checkpoint it`,
);
const updates = Array.from({ length: BATCHES }, () => accounts(Array.from({ length: ROWS }, () => below(TABLE_ROWS))));
const updateMicros = cpuMicros(() => updates.forEach((batch) => kept.operator.process(0, batch, QUIET)));
console.log(`  ${(updateMicros * 1e3 / (ROWS * BATCHES)).toFixed(0)} ns for each row that replaces one`);

const beforeSnapshot = usedMb();
const once = new KeyedRows(accountType, "id");
once.load(accountType, all());
console.log(`  ${(usedMb() - beforeSnapshot).toFixed(0)} MB in a table that is read once`);

const batches = Array.from({ length: BATCHES }, payments);
const ways = [
  { title: "read once", operator: planLookup(once).create({ lane: 0, state: createStateStore() }) },
  ...([{ kind: "null" }, { kind: "wait", waitMicros: 1e7 }, { kind: "emit_again" }] as const).map((missing) => ({
    title: `kept, missing = ${missing.kind}`,
    operator: planLookup(null, missing).create({ lane: 0, state: createStateStore(), tables: kept.tables }),
  })),
];
const best = ways.map(() => Infinity);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, { operator }] of ways.entries()) {
    best[i] = Math.min(best[i], cpuMicros(() => batches.forEach((batch) => operator.process(0, batch, QUIET))));
  }
}
for (const [i, { title }] of ways.entries()) {
  console.log(
    `${title.padEnd(30)} ${(best[i] * 1e3 / (ROWS * BATCHES)).toFixed(0).padStart(5)} ns/record   ratio ${(best[i] / best[0]).toFixed(2)}`,
  );
}
