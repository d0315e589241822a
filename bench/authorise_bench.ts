/**
 * Where the time of workload A goes in this process, apart from the broker, sockets and the checkpoint store: bench/peer/authorise.toml
 * from record batches to record batches, stage by stage. Prints nanoseconds per record of this thread: `deno run -A bench/authorise_bench.ts [records] [rounds]`.
 * With `watched` behind them, every other round is watched as under --dashboard, and what that costs is printed too: the rounds
 * compared, and, more exactly, the time that listening itself takes.
 */
import process from "node:process";
import { buildGraph } from "../src/app/build_plan.ts";
import { sinkName } from "../src/project/hidden.ts";
import { collectorOptions } from "../src/app/watch/shape.ts";
import { Collector } from "../src/observe/collector.ts";
import { KeyPartitioner } from "../src/connectors/key_partitioner.ts";
import { PartitionBatches, type PreparedBatch, stampBatch } from "../src/connectors/kafka/batch_writer.ts";
import { readRecordBatches } from "../src/connectors/kafka/record_batches.ts";
import type { RecordSlices } from "../src/connectors/kafka/record_collector.ts";
import { sourceBatch } from "../src/connectors/source_batch.ts";
import type { RowExpression } from "../src/connectors/row_expressions.ts";
import type { Batch } from "../src/data/batch.ts";
import type { Edge } from "../src/engine/contracts.ts";
import type { EpochTimes, LaneView, Spectator } from "../src/engine/run_contracts.ts";
import type { Decoder } from "../src/data/codec.ts";
import { compileJsonDecoder, compileJsonRecordsEncoder, splitLines } from "../src/data/json/mod.ts";
import { LaneGraph } from "../src/engine/lane_graph.ts";
import { createStateStore } from "../src/engine/state/store.ts";
import { batchTools } from "../tests/connectors/kafka/support/batch_tools.ts";
import { blueprintOf } from "../tests/windows/support.ts";

const records = Number(Deno.args[0] ?? 400_000);
const rounds = Number(Deno.args[1] ?? 12);
const CARDS = 10_000;
const PARTITIONS = 4;
const BATCH_RECORDS = 5_000;
const GATHER_BATCHES = 100;

/** The same numbers on every run. */
let seed = 1;
function below(limit: number): number {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >>> 8) % limit;
}
const cardId = (card: number): string => "4" + String(100_000_000_000_000 + card * 7919).padStart(15, "0");
const TYPES = ["purchase", "refund", "atm", "online", "transfer", "fee", "grocery", "fuel"];
const text = (of: readonly string[]): Uint8Array => new TextEncoder().encode(of.map((line) => line + "\n").join(""));

const toml = await Deno.readTextFile(new URL("./peer/authorise.toml", import.meta.url));
const blueprint = await blueprintOf(toml, { env: { IN: "in", OUT: "out", CARDS: "cards.ndjson" } });
const [source] = blueprint.sources;
const [out] = blueprint.sinks;

loadCards();
const tools = await batchTools();
const fetched = makeInput();

function loadCards(): void {
  const [{ schema, needed, rows }] = blueprint.tables;
  const lines = text(Array.from({ length: CARDS }, (_, card) => {
    const zip = `${card % 10}${String(below(10_000)).padStart(4, "0")}`;
    return `{"card_id":"${cardId(card)}","customer_zip":"${zip}","credit_limit":"${1000 + below(29_000)}.00","balance":"0.00"}`;
  }));
  const { records: cards } = splitLines(lines, 0, lines.length, "end", 10_000);
  const decode = compileJsonDecoder({ type: schema.type, needed, numericText: schema.numericText, unknownFields: schema.unknownFields });
  const type = { fields: schema.type.fields.filter(({ name }) => needed.has(name)) };
  const columns = decode(cards).columns.filter((column) => column !== null);
  const position = new Float64Array(cards.rows);
  const meta = { source: "cards", partition: 0, position, origin: position, raw: null, spelled: null, time: null, watermark: null };
  rows.load(type, [{ rows: cards.rows, type, columns, meta }]);
}

/** As a broker would send it: keys and values in record batches of 5,000 records. */
function makeInput(): Uint8Array[] {
  const { type } = source.schema;
  const whole = new Set(type.fields.map(({ name }) => name));
  const decode = compileJsonDecoder({ type, needed: whole, numericText: "accept", unknownFields: "ignore" });
  const encode = compileJsonRecordsEncoder(type, { decimals: "string" });
  return Array.from({ length: Math.ceil(records / BATCH_RECORDS) }, (_, batch) => {
    const lines = text(Array.from({ length: BATCH_RECORDS }, (_, row) => {
      const i = batch * BATCH_RECORDS + row;
      const card = below(CARDS);
      const zip = `${below(100) < 93 ? card % 10 : below(10)}${String(below(10_000)).padStart(4, "0")}`;
      const amount = `${1 + below(300)}.${String(below(100)).padStart(2, "0")}`;
      const ids = `"transaction_id":"tx${String(i).padStart(9, "0")}","card_id":"${cardId(card)}"`;
      return `{${ids},"amount":"${amount}","merchant_zip":"${zip}","ts":${1_760_000_000_000 + i},"type":"${TYPES[below(8)]}"}`;
    }));
    const { records: split } = splitLines(lines, 0, lines.length, "end", 10_000);
    const position = new Float64Array(split.rows);
    const placed = { records: split, position, origin: position, tooLong: [] };
    const made = sourceBatch({ source: "in", partition: 0, type }, placed, decode).batch;
    const into = new PartitionBatches(encode, "none");
    new KeyPartitioner({ expression: { field: 1 } as RowExpression, member: null }).spread(made, [into]);
    const sent = into.takeAll().map((prepared) => {
      stampBatch(prepared, { transactional: false, producer: { id: 1n, epoch: 0 }, sequence: 0, timestampMs: 0 }, tools);
      return prepared.bytes.slice();
    });
    const fetch = new Uint8Array(sent.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    let offset = batch * BATCH_RECORDS;
    for (const bytes of sent) {
      new DataView(bytes.buffer).setBigInt64(0, BigInt(offset));
      offset += new DataView(bytes.buffer).getInt32(57);
      fetch.set(bytes, at);
      at += bytes.length;
    }
    return fetch;
  });
}

/** By stage, the shortest time in ms that each of its calls took in any round: other work on the machine then hardly counts. */
const shortest = new Map<string, number[]>();
const calls = new Map<string, number>();
function stage<T>(name: string, run: () => T): T {
  const started = performance.now();
  const result = run();
  const ms = performance.now() - started;
  const call = calls.get(name) ?? 0;
  calls.set(name, call + 1);
  const times = shortest.get(name) ?? [];
  shortest.set(name, times);
  times[call] = Math.min(times[call] ?? Infinity, ms);
  return result;
}

/** Not one of the stages: it happens within them, in watched rounds. */
const LISTENING = "to be watched besides";
/** What a watched lane tells, with the time that listening takes. */
class TimedCollector implements Spectator {
  readonly #collector = new Collector(collectorOptions(blueprint, "rows"));
  readonly edges = this.#collector.edges;

  held(lane: number, view: LaneView): void {
    this.#timed(() => this.#collector.held(lane, view));
  }
  letGo(lane: number): void {
    this.#timed(() => this.#collector.letGo(lane));
  }
  passed(lane: number, edge: Edge, batch: Batch): void {
    this.#timed(() => this.#collector.passed(lane, edge, batch));
  }
  written(lane: number, sink: string, batch: Batch): void {
    this.#timed(() => this.#collector.written(lane, sink, batch));
  }
  rejected(...told: Parameters<Spectator["rejected"]>): void {
    this.#timed(() => this.#collector.rejected(...told));
  }
  completed(lane: number, epoch: EpochTimes): void {
    this.#timed(() => this.#collector.completed(lane, epoch));
  }
  collect(): void {
    this.#timed(() => void this.#collector.collect());
  }

  #timed(run: () => void): void {
    stage(LISTENING, run);
  }
}
const collector = Deno.args[2] === "watched" ? new TimedCollector() : null;
/** CPU of whole rounds, ms. */
const cpuMs = { plain: [] as number[], watched: [] as number[] };
for (let round = 0; round < rounds; round++) {
  calls.clear();
  const before = process.cpuUsage();
  const isWatched = collector !== null && round % 2 === 1;
  oneRound(isWatched ? collector : null);
  const { user, system } = process.cpuUsage(before);
  cpuMs[isWatched ? "watched" : "plain"].push((user + system) / 1000);
}
if (collector) {
  const middle = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1];
  const [plain, watched] = [middle(cpuMs.plain), middle(cpuMs.watched)];
  console.log(`CPU of a round: ${plain.toFixed(0)} ms, watched ${watched.toFixed(0)} ms, ratio ${(watched / plain).toFixed(3)}`);
  console.log(`the least: ${Math.min(...cpuMs.plain).toFixed(0)} ms, watched ${Math.min(...cpuMs.watched).toFixed(0)} ms`);
}
const show = (name: string, ms: number): void => console.log(`${name.padEnd(48)} ${(ms * 1e6 / records).toFixed(0).padStart(5)} ns`);
const sumOf = (times: readonly number[]): number => times.reduce((sum, ms) => sum + ms, 0);
const listening = shortest.get(LISTENING) ?? [];
shortest.delete(LISTENING);
for (const [name, times] of shortest) show(name, sumOf(times));
const togetherMs = sumOf([...shortest.values()].flat());
show("together", togetherMs);
if (collector) {
  show(LISTENING, sumOf(listening));
  console.log(`that is ${(100 * sumOf(listening) / togetherMs).toFixed(2)} % of these stages`);
}

/** Batch by batch, as a lane does it; an epoch's batches are sent every twenty. */
function oneRound(collector: TimedCollector | null): void {
  const { schema, needed } = source;
  const decode = compileJsonDecoder({ type: schema.type, needed, numericText: schema.numericText, unknownFields: schema.unknownFields });
  const state = createStateStore();
  const encode = compileJsonRecordsEncoder(out.input, { decimals: "string" });
  const partitions = Array.from({ length: PARTITIONS }, () => new PartitionBatches(encode, "none"));
  const partitioner = new KeyPartitioner({
    expression: { field: out.input.fields.findIndex(({ name }) => name === "card_id") } as RowExpression,
    member: null,
  });
  let written = 0;
  let decided: Batch[] = [];
  const graph = new LaneGraph({
    plan: {
      pipeline: "bench",
      ...buildGraph(blueprint),
      sinks: blueprint.sinks.map(({ name, inputs }) => ({ name: sinkName(name), inputs })),
    },
    lane: 0,
    state,
    partitions: new Map([[source.name, [0]]]),
    write: (_, batch) => void decided.push(batch),
    spectator: collector ?? undefined,
  });
  const stamp = { transactional: true, producer: { id: 1n, epoch: 0 }, sequence: 0, timestampMs: 0 };
  const send = (prepared: readonly PreparedBatch[]): void =>
    stage("headers and checksums", () => {
      for (const each of prepared) {
        stampBatch(each, stamp, tools);
        written += each.records;
        each.release();
      }
    });
  for (const [i, bytes] of fetched.entries()) {
    const copy = bytes.slice();
    const slices = stage(
      "record batches apart, checksums tested",
      () => readRecordBatches({ bytes: copy, from: 0, aborted: [], place: "bench" }, tools),
    );
    const batch = stage("decode JSON", () => batchOf(slices, decode));
    decided = [];
    stage("look up, decide, update", () => graph.feed(source.name, batch, [], batch.rows));
    stage("choose partitions, encode into record batches", () => decided.forEach((each) => partitioner.spread(each, partitions)));
    send(partitions.flatMap((each) => each.takeFull()));
    if (i % 20 !== 19) continue;
    send(partitions.flatMap((each) => each.takeAll()));
    stage("state's changes of an epoch", () => state.checkpoint(i));
    // Gathered about as often as in a run: so many batches take about a quarter of a second here.
    collector?.completed(0, { epoch: i, timeMicros: i * 100_000, records: 0, durationMs: 40, checkpointMs: 2, deliveryMs: new Map() });
    if (i % GATHER_BATCHES === GATHER_BATCHES - 1) collector?.collect();
  }
  send(partitions.flatMap((each) => each.takeAll()));
  if (written !== fetched.length * BATCH_RECORDS) throw new Error("records are missing");
}

function batchOf(each: RecordSlices, decode: Decoder): Batch {
  const placed = { records: each, position: each.offset, origin: each.origin, tooLong: each.tooLong };
  const { batch, rejected } = sourceBatch({ source: source.name, partition: 0, type: source.schema.type }, placed, decode);
  if (rejected.length > 0) throw new Error(`${rejected.length} records were refused, the first for ${rejected[0].reason}`);
  return batch;
}
