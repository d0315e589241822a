/**
 * What a record costs between a fetch and a produce, stage by stage, without a broker: record batches apart, JSON to columns, the
 * pipeline's graph, JSON and record batches again. Runs bench/peer/authorise.toml over made-up records as it stands.
 *
 *   deno run -A --unstable-kv bench/record_path_bench.ts [ROUNDS] [RECORDS A BATCH]
 *
 * Nanoseconds per record, the least of all rounds: other work on the machine makes a round longer, never shorter.
 */
import { choosePipelines, openProject } from "../src/app/open_project.ts";
import { buildGraph } from "../src/app/build_plan.ts";
import { PartitionBatches, stampBatch } from "../src/connectors/kafka/batch_writer.ts";
import { type BatchTools, readRecordBatches } from "../src/connectors/kafka/record_batches.ts";
import { putInt64 } from "../src/connectors/kafka/wire.ts";
import { KeyPartitioner } from "../src/connectors/key_partitioner.ts";
import { sourceBatch } from "../src/connectors/source_batch.ts";
import { makeMeta, numberColumn, textColumn } from "../src/data/columns.ts";
import type { Batch } from "../src/data/batch.ts";
import { compileJsonDecoder, compileJsonEncoder } from "../src/data/json/mod.ts";
import { LaneGraph } from "../src/engine/lane_graph.ts";
import { createStateStore } from "../src/engine/state/store.ts";
import { denoWorld } from "../src/platform/world.ts";

const CARDS = 10_000;
const ROWS = Number(Deno.args[1] ?? 6_000);
const BATCHES = Math.ceil(240_000 / ROWS);
const rounds = Number(Deno.args[0] ?? 12);

const folder = await Deno.makeTempDir();
await Deno.writeTextFile(
  `${folder}/cards.ndjson`,
  Array.from(
    { length: CARDS },
    (_, i) => `{"card_id":"${cardOf(i)}","customer_zip":"${10_000 + i}","credit_limit":"${1000 + i}.00","balance":"0.00"}\n`,
  )
    .join(""),
);
Deno.env.set("IN", "in");
Deno.env.set("OUT", "out");
Deno.env.set("CARDS", `${folder}/cards.ndjson`);
const world = denoWorld({ terminal: { out: () => {} } as never, log: { level: "error", format: "text" } as never });
const project = await openProject(world, { path: new URL("peer/authorise.toml", import.meta.url).pathname, overrides: new Map() });
const [blueprint] = choosePipelines(project, ["authorise"]);
for (const table of blueprint.tables) {
  const reader = await table.plan.create(world, table.needed).reader(0);
  const batches: Batch[] = [];
  for (let at = reader.start;;) {
    const polled = await reader.poll(at, { rowsMax: 8192, bytesMax: 1 << 20 });
    if (polled.kind !== "batch") break;
    batches.push(polled.batch);
    at = polled.next;
  }
  table.rows.load(table.schema.type, batches);
}

const { crc32c } = await import("@node-rs/crc32");
const tools: BatchTools = { crc32c: (bytes) => crc32c(bytes), decompress: (_, bytes) => bytes };
const [source] = blueprint.sources;
const [sink] = blueprint.sinks;
const decode = compileJsonDecoder({
  type: source.schema.type,
  needed: source.needed,
  numericText: source.schema.numericText,
  unknownFields: source.schema.unknownFields,
});
const inputs = Array.from({ length: BATCHES }, (_, batch) => makeInput(batch));
const place = { source: source.name, partition: 0, type: source.schema.type };

const graph = new LaneGraph({
  plan: { pipeline: blueprint.name, ...buildGraph(blueprint), sinks: [{ name: "sink", inputs: sink.inputs }] },
  lane: 0,
  state: createStateStore(),
  write: (_, batch) => results.push(batch),
});
const results: Batch[] = [];
const input = await sinkInput();
const writer = new PartitionBatches(compileJsonEncoder(input, { decimals: "string" }), "none");
const key = input.fields.findIndex(({ name }) => name === "card_id");
const partitioner = new KeyPartitioner({ type: input.fields[key].type, field: key, uses: new Set(["card_id"]), over: () => () => null });

const stages = {
  "record batches apart": Infinity,
  "JSON to columns": Infinity,
  "the graph": Infinity,
  "JSON and record batches": Infinity,
  checksum: Infinity,
};
for (let round = 0; round < rounds; round++) {
  const spent = Object.fromEntries(Object.keys(stages).map((name) => [name, 0])) as typeof stages;
  const timed = <T>(name: keyof typeof stages, work: () => T): T => {
    const from = performance.now();
    const result = work();
    spent[name] += performance.now() - from;
    return result;
  };
  for (const bytes of inputs) {
    const copy = bytes.slice();
    const slices = timed("record batches apart", () => readRecordBatches({ bytes: copy, from: 0, aborted: [], place: "bench" }, tools));
    const records = { bytes: slices.bytes, start: slices.start, end: slices.end, rows: slices.rows };
    const { batch } = timed(
      "JSON to columns",
      () => sourceBatch(place, { records, position: slices.offset, origin: slices.origin, tooLong: [] }, decode),
    );
    timed("the graph", () => graph.feed(source.name, batch, [], batch.rows));
    timed("JSON and record batches", () => results.forEach((result) => partitioner.spread(result, [writer])));
    results.length = 0;
    timed("checksum", () => {
      for (const made of writer.takeAll()) {
        stampBatch(made, { transactional: true, producer: { id: 1n, epoch: 0 }, sequence: 0, timestampMs: 0 }, tools);
        made.release();
      }
    });
  }
  for (const name of Object.keys(stages) as (keyof typeof stages)[]) stages[name] = Math.min(stages[name], spent[name]);
}
let sum = 0;
for (const [name, ms] of Object.entries(stages)) {
  const ns = ms / (ROWS * BATCHES) * 1e6;
  sum += ns;
  console.log(`${name.padEnd(26)}${ns.toFixed(0).padStart(6)} ns`);
}
console.log(`${"together".padEnd(26)}${sum.toFixed(0).padStart(6)} ns`);
await Deno.remove(folder, { recursive: true });

function cardOf(i: number): string {
  return `4${String(100_000_000_000_000 + i * 7919).padStart(15, "0")}`;
}

/** One record batch of records as the peer benchmark makes them, in pseudo-random order of the cards. */
function makeInput(batch: number): Uint8Array {
  const type = { fields: [{ name: "raw", type: { kind: "string" as const, nullable: false } }] };
  const encoder = new TextEncoder();
  const values = Array.from({ length: ROWS }, (_, i) => {
    const n = batch * ROWS + i;
    const card = Math.imul(n + 1, 0x9e37_79b1) >>> 0;
    const amount = `${1 + card % 300}.${String(card % 100).padStart(2, "0")}`;
    const zip = String(10_000 + card % CARDS).slice(0, 1) + String(card % 10_000).padStart(4, "0");
    return encoder.encode(
      `{"transaction_id":"tx${String(n).padStart(9, "0")}","card_id":"${
        cardOf(card % CARDS)
      }","amount":"${amount}","merchant_zip":"${zip}","ts":${1_760_000_000_000 + n},"type":"purchase"}\n`,
    );
  });
  const bytes = new Uint8Array(values.reduce((total, value) => total + value.length, 0));
  const start = new Int32Array(ROWS);
  const end = new Int32Array(ROWS);
  let at = 0;
  values.forEach((value, i) => {
    bytes.set(value, at);
    start[i] = at;
    at += value.length;
    end[i] = at;
  });
  const raw = textColumn(bytes, start, end, null);
  const made = new PartitionBatches((of, row, into) => {
    const text = of.columns[0] as typeof raw;
    into.reserve(text.end[row] - text.start[row]);
    into.bytes.set(text.bytes.subarray(text.start[row], text.end[row]), into.length);
    into.length += text.end[row] - text.start[row];
  }, "none");
  const position = numberColumn(new Float64Array(ROWS)).values;
  const whole: Batch = { rows: ROWS, type, columns: [raw], meta: makeMeta("", 0, position) };
  for (let row = 0; row < ROWS; row++) made.append(whole, row, bytes, start[row] + 42, start[row] + 58);
  const batches = made.takeAll();
  for (const each of batches) {
    stampBatch(each, { transactional: false, producer: { id: -1n, epoch: -1 }, sequence: -1, timestampMs: 0 }, tools);
  }
  const all = new Uint8Array(batches.reduce((total, each) => total + each.bytes.length, 0));
  let to = 0;
  let offset = 0;
  for (const each of batches) {
    all.set(each.bytes, to);
    putInt64(all, to, offset);
    to += each.bytes.length;
    offset += each.records;
  }
  return all;
}

/** The type of what the sink gets: that of the first result. */
async function sinkInput() {
  const slices = readRecordBatches({ bytes: inputs[0].slice(), from: 0, aborted: [], place: "bench" }, tools);
  const records = { bytes: slices.bytes, start: slices.start, end: slices.end, rows: slices.rows };
  graph.feed(
    source.name,
    sourceBatch(place, { records, position: slices.offset, origin: slices.origin, tooLong: [] }, decode).batch,
    [],
    slices.rows,
  );
  const { type } = results[0];
  results.length = 0;
  return await Promise.resolve(type);
}
