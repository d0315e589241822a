/**
 * What a record costs in a windowed aggregate, apart from the broker: CPU of the whole process, the least of several rounds.
 *
 *   deno run -A bench/windows_bench.ts                    by stage: decode, event time and windows (bench/peer/window.toml)
 *   deno run -A bench/windows_bench.ts open [KEYS]        memory with so many open windows, and what closing them costs
 */
import process from "node:process";
import { buildGraph } from "../src/app/build_plan.ts";
import type { Batch } from "../src/data/batch.ts";
import { columnOf, makeMeta } from "../src/data/columns.ts";
import { compileJsonDecoder, splitLines } from "../src/data/json/mod.ts";
import { LaneGraph } from "../src/engine/lane_graph.ts";
import { createStateStore, type LaneState } from "../src/engine/state/store.ts";
import type { PipelineBlueprint } from "../src/project/contracts.ts";
import { blueprintOf } from "../tests/windows/support.ts";

const ROWS = 5000;
const ROUNDS = 7;
const TYPES = ["purchase", "refund", "atm", "online", "transfer", "fee", "grocery", "fuel"];
const FIRST_MS = 1_760_000_000_000;

/** The same numbers on every run. */
let seed = 1;
function below(limit: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % limit;
}
function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
function graphOf(blueprint: PipelineBlueprint, state: LaneState, write: (rows: number) => void, partitions = [0]): LaneGraph {
  const sinks = blueprint.sinks.map(({ name, inputs }) => ({ name, inputs }));
  const [source] = blueprint.sources;
  return new LaneGraph({
    plan: { pipeline: "bench", ...buildGraph(blueprint), sinks },
    lane: 0,
    state,
    partitions: new Map([[source.name, partitions]]),
    write: (_, batch) => write(batch.rows),
  });
}
function drainAll(graph: LaneGraph): void {
  for (let next = graph.nextDrain(); next; next = graph.nextDrain()) graph.drain(next.operator, 8192);
}

async function stages(): Promise<void> {
  const toml = await Deno.readTextFile(new URL("./peer/window.toml", import.meta.url));
  const blueprint = await blueprintOf(toml, { env: { IN: "in", OUT: "out" } });
  const { schema, needed } = blueprint.sources[0];
  const decode = compileJsonDecoder({ type: schema.type, needed, numericText: schema.numericText, unknownFields: schema.unknownFields });
  const inputs = Array.from({ length: 100 }, (_, batch) => {
    const lines = Array.from({ length: ROWS }, (_, row) => {
      const i = batch * ROWS + row;
      const cents = 100 + below(30000);
      const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
      const at = FIRST_MS + i - below(1900) + 1900;
      return `{"transaction_id":"tx${String(i).padStart(9, "0")}","card_id":"4${
        String(below(10000) * 7919).padStart(15, "0")
      }","amount":"${amount}","merchant_zip":"${10000 + below(90000)}","ts":${at},"type":"${TYPES[below(8)]}"}\n`;
    });
    const bytes = new TextEncoder().encode(lines.join(""));
    return splitLines(bytes, 0, bytes.length, "end", 10_000).records;
  });
  const rows = inputs.length * ROWS;
  let decodeNs = Infinity;
  let windowNs = Infinity;
  let results = 0;
  for (let round = 0; round < ROUNDS; round++) {
    let started = cpuMicros();
    const batches = inputs.map((records, i): Batch => {
      const { columns } = decode(records);
      const position = Float64Array.from({ length: ROWS }, (_, row) => i * ROWS + row);
      return { rows: ROWS, type: schema.type, columns, meta: makeMeta("transactions", 0, position) };
    });
    decodeNs = Math.min(decodeNs, (cpuMicros() - started) * 1000 / rows);
    results = 0;
    const graph = graphOf(blueprint, createStateStore(), (left) => results += left);
    started = cpuMicros();
    for (const batch of batches) {
      graph.feed("transactions", batch, [], ROWS);
      drainAll(graph);
    }
    windowNs = Math.min(windowNs, (cpuMicros() - started) * 1000 / rows);
  }
  console.log(`${rows} records, ${results} results: decode ${decodeNs.toFixed(0)} ns, event time and windows ${windowNs.toFixed(0)} ns`);
}

const OPEN = `
[sources.s]
type   = "ndjson"
path   = "s"
fields = { at = "timestamp", account = "string", amount = "decimal(2)" }
time   = { field = "at" }
[transforms.w]
type      = "aggregate"
inputs    = ["s"]
window    = { type = "tumbling", size = "1m" }
by        = ["account"]
aggregate = { count = "count()", total = "sum(amount)", least = "min(amount)", most = "max(amount)" }
[sinks.out]
type   = "console"
inputs = ["w"]
`;

async function open(keys: number): Promise<void> {
  const blueprint = await blueprintOf(OPEN);
  const { type } = blueprint.sources[0].schema;
  let peak = 0;
  const note = (): void => {
    peak = Math.max(peak, Deno.memoryUsage().rss);
  };
  const state = createStateStore();
  let results = 0;
  const graph = graphOf(blueprint, state, (rows) => results += rows);
  const feed = (from: number, to: number, atMicros: number): void => {
    const rows = to - from;
    const columns = [
      columnOf(type.fields[0].type, new Array(rows).fill(atMicros)),
      columnOf(type.fields[1].type, Array.from({ length: rows }, (_, i) => `account-${String(from + i).padStart(9, "0")}`)),
      columnOf(type.fields[2].type, Array.from({ length: rows }, () => below(100_000))),
    ];
    const position = Float64Array.from({ length: rows }, (_, i) => from + i);
    graph.feed("s", { rows, type, columns, meta: makeMeta("s", 0, position) }, [], rows);
  };
  let epoch = 0;
  const checkpoint = (): number => state.checkpoint(++epoch).sets.reduce((bytes, { value }) => bytes + value.length, 0);
  let started = cpuMicros();
  for (let from = 0; from < keys; from += ROWS) {
    feed(from, Math.min(keys, from + ROWS), FIRST_MS * 1000);
    if (from / ROWS % 10 === 9) checkpoint();
    note();
  }
  checkpoint();
  const opening = (cpuMicros() - started) * 1000 / keys;
  note();
  console.log(`${keys} open windows: ${opening.toFixed(0)} ns each with checkpoints, peak ${(peak / 2 ** 20).toFixed(0)} MB resident`);
  // A few windows beside them close: what stays open must cost nothing.
  started = cpuMicros();
  const few = 1000;
  feed(0, few, (FIRST_MS - 600_000) * 1000);
  for (let next = graph.nextDrain(); next; next = graph.nextDrain()) graph.drain(next.operator, 8192);
  const lateness = (cpuMicros() - started) * 1000 / few;
  console.log(`${few} rows of a window long closed: ${lateness.toFixed(0)} ns each`);
  started = cpuMicros();
  feed(0, 1, (FIRST_MS + 120_000) * 1000);
  let drained = 0;
  for (let next = graph.nextDrain(); next; next = graph.nextDrain()) {
    graph.drain(next.operator, 8192);
    if (++drained % 6 === 0) checkpoint();
    note();
  }
  checkpoint();
  note();
  const closing = (cpuMicros() - started) * 1000 / keys;
  console.log(`${results} closed: ${closing.toFixed(0)} ns each with checkpoints, peak ${(peak / 2 ** 20).toFixed(0)} MB resident`);
}

if (Deno.args[0] === "open") await open(Number(Deno.args[1] ?? 1_000_000));
else await stages();
