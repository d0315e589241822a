/**
 * What keyed state costs, in CPU time: nanoseconds per insert and find, and milliseconds per checkpoint against the number of keys held, the
 * keys touched per epoch being the same. The second must stay flat: `deno run -A bench/state_bench.ts`.
 */
import process from "node:process";
import { createStateStore, type LaneState } from "../src/engine/mod.ts";
import type { StateTable, StateTableSpec } from "../src/engine/contracts.ts";

const TOUCHED_PER_EPOCH = 5_000;
const EPOCHS = 40;
const HELD = [10_000, 100_000, 1_000_000];
const COLUMNS = [{ name: "balance", kind: "number" }, { name: "total", kind: "wide" }] as const;
const SPECS: Readonly<Record<string, StateTableSpec>> = {
  number: { name: "t", key: ["number"], columns: COLUMNS, version: 1 },
  text: { name: "t", key: ["text"], columns: COLUMNS, version: 1 },
  "text+number": { name: "t", key: ["text", "number"], columns: COLUMNS, version: 1 },
};
const keyOf: Readonly<Record<string, (i: number) => readonly [number | string, (number | string)?]>> = {
  number: (i) => [i * 7 + 1_000_000],
  text: (i) => [`account-${i}`],
  "text+number": (i) => [`account-${i % 1000}`, i],
};

/** Milliseconds of CPU time, so that a busy machine tells the same. */
function timed(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

for (const kind of Object.keys(SPECS)) {
  const keys = Array.from({ length: 1_000_000 }, (_, i) => keyOf[kind](i));
  const table = createStateStore().table(SPECS[kind]);
  const insertMs = timed(() => {
    for (const [a, b] of keys) table.insert(a, b);
  });
  let found = 0;
  const findMs = timed(() => {
    for (let i = 0; i < keys.length; i++) {
      const [a, b] = keys[(i * 7919) % keys.length];
      found += table.find(a, b);
    }
  });
  console.log(`${kind.padEnd(12)} insert ${insertMs.toFixed(0)} ns, find at random ${findMs.toFixed(0)} ns, of 1,000,000 keys (${found})`);
}

console.log(`\ncheckpoints of ${TOUCHED_PER_EPOCH} touched keys, mean of ${EPOCHS}`);
for (const held of HELD) {
  const state = createStateStore();
  const table = state.table(SPECS.number);
  for (let i = 0; i < held; i++) table.insert(i);
  state.checkpoint(1);
  for (let epoch = 2; epoch < 10; epoch++) touchAndCheckpoint(state, table, held, epoch);
  let bytes = 0;
  let checkpointMs = 0;
  for (let epoch = 10; epoch < 10 + EPOCHS; epoch++) {
    const one = touchAndCheckpoint(state, table, held, epoch);
    bytes += one.bytes;
    checkpointMs += one.ms;
  }
  console.log(`${String(held).padStart(9)} keys held: ${(checkpointMs / EPOCHS).toFixed(2)} ms, ${(bytes / EPOCHS / 1024).toFixed(0)} KiB`);
}

/** The same number of keys, spread over all of them. */
function touchAndCheckpoint(
  state: LaneState,
  table: StateTable,
  held: number,
  epoch: number,
): { readonly ms: number; readonly bytes: number } {
  const { values } = table.number("balance");
  for (let i = 0; i < TOUCHED_PER_EPOCH; i++) {
    const slot = (i * 104_729 + epoch * 31) % held;
    values[slot] += 1;
    table.touch(slot);
  }
  let bytes = 0;
  const ms = timed(() => {
    for (const { value } of state.checkpoint(epoch).sets) bytes += value.length;
  });
  return { ms, bytes };
}
