/**
 * What the kafka source and sink cost per record, on the eight-column payments, against a real broker. Prints one line per
 * measurement: records per second and CPU time of this process per record, the making of the rows not counted; for the sink both
 * guarantees in turns, and their ratio.
 * Run: `deno run -A bench/kafka_connector.ts [ROWS] [BROKERS]`; without BROKERS the tests' own broker is started.
 */
import process from "node:process";
import { plan } from "../tests/connectors/support/project.ts";
import { batchOf } from "../tests/connectors/support/rows.ts";
import { loggedWorld } from "../tests/connectors/kafka/support/kafka_world.ts";
import { kafkaBroker } from "../tests/services/mod.ts";

const rows = Number(Deno.args[0] ?? 1_000_000);
const PARTITIONS = 4;
const BATCH_ROWS = 8192;
const EPOCH_BATCHES = 6;

async function brokersToUse(): Promise<string> {
  if (Deno.args[1]) return Deno.args[1];
  const broker = await kafkaBroker();
  if ("skipped" in broker) throw new Error(broker.skipped);
  return broker.brokers;
}

const brokers = await brokersToUse();
const topic = `bench-${Date.now()}`;
const FIELDS =
  `fields = { id = "int", account = "int", payee = "string", at = "timestamp", amount = "decimal(2)", location = "string", kind = "string", related = "int?" }`;
const sinkToml = (guarantee: string) =>
  `[sinks.${guarantee}]
connection = "bus"
inputs = ["in"]
topic = "${topic}"
guarantee = "${guarantee}"
key = "account"
create = { partitions = ${PARTITIONS} }`;
const blueprint = await plan(`
[connections.bus]
type = "kafka"
brokers = "${brokers}"
[sources.in]
connection = "bus"
topic = "${topic}"
until = "count ${Math.floor(rows / PARTITIONS / 2)}"
${FIELDS}
${["exactly_once", "at_least_once"].map(sinkToml).join("\n")}`);

const made = Array.from({ length: BATCH_ROWS }, (_, i) => [
  10_000 + i,
  i * 7919 % 50_000,
  `Payee number ${i % 1000}`,
  1_700_000_000_000_000 + i * 1_000_000,
  (i * 31) % 100_000,
  `${i % 900} Main Street, Springfield, OH ${10000 + i % 89999}`,
  i % 9 === 0 ? "refund" : "purchase",
  i % 9 === 0 ? i : null,
]);

interface Spent {
  readonly cpuMicros: number;
  readonly seconds: number;
}
function since({ cpu, ms }: { readonly cpu: NodeJS.CpuUsage; readonly ms: number }): Spent {
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMicros: user + system, seconds: (performance.now() - ms) / 1000 };
}
function report(what: string, records: number, bytes: number, { cpuMicros, seconds }: Spent): void {
  const perRecord = (cpuMicros / records).toFixed(2);
  console.log(
    `${what.padEnd(40)} ${Math.round(records / seconds).toLocaleString("en")} records/s  ${perRecord} µs CPU/record  ${
      (bytes / seconds / 1e6).toFixed(0)
    } MB/s`,
  );
}
const begin = () => ({ cpu: process.cpuUsage(), ms: performance.now() });

const world = loggedWorld();
const { input } = blueprint.sinks[0];
const batch = batchOf(input, made);

/** One sink, lane and topic; epochs go on from call to call. */
async function openSink(guarantee: string) {
  const { plan: sinkPlan } = blueprint.sinks.find(({ name }) => name === guarantee)!;
  const sink = sinkPlan.create(world);
  await sink.open({ pipeline: topic, run: "r", lanes: 1, fresh: true });
  const lane = sink.lane(0);
  await lane.fence(1);
  let epoch = 0;
  const write = async (records: number, batches = EPOCH_BATCHES): Promise<{ written: number; bytes: number }> => {
    let written = 0;
    let bytes = 0;
    while (written < records) {
      for (let i = 0; i < batches && written < records; i++) {
        lane.write(batch);
        written += batch.rows;
      }
      bytes += lane.bytesHeld();
      await lane.deliver({ pipeline: topic, run: "r", lane: 0, epoch: ++epoch, owner: 1, digest: "d", timeMicros: 0 });
    }
    return { written, bytes };
  };
  return { guarantee, write, finish: () => sink.finish(), close: () => sink.close() };
}

const sinks = [await openSink("at_least_once"), await openSink("exactly_once")];
for (const sink of sinks) await sink.write(100_000); // Warm.
const TURNS = 5;
let bytesPerRecord = 0;
for (const batches of [EPOCH_BATCHES, 1]) {
  const spent = sinks.map(() => ({ cpuMicros: 0, seconds: 0, written: 0, bytes: 0 }));
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [i, sink] of sinks.entries()) {
      const writing = begin();
      const { written, bytes } = await sink.write(rows / TURNS, batches);
      const { cpuMicros, seconds } = since(writing);
      const sum = spent[i];
      spent[i] = {
        cpuMicros: sum.cpuMicros + cpuMicros,
        seconds: sum.seconds + seconds,
        written: sum.written + written,
        bytes: sum.bytes + bytes,
      };
    }
  }
  for (const [i, { guarantee }] of sinks.entries()) {
    report(`sink, ${guarantee}, ${batches * BATCH_ROWS} an epoch`, spent[i].written, spent[i].bytes, spent[i]);
  }
  const [least, exact] = spent;
  console.log(
    `  exactly once against at least once: ${(exact.cpuMicros / least.cpuMicros).toFixed(2)} x CPU, ${
      (exact.seconds / least.seconds).toFixed(2)
    } x time`,
  );
  bytesPerRecord = least.bytes / least.written;
}
for (const sink of sinks) {
  await sink.finish();
  await sink.close();
}

/** All partitions at once, as lanes do. */
async function read(needed: readonly string[]): Promise<number> {
  const source = blueprint.sources[0].plan.create(world, new Set(needed));
  const partitions = await source.partitions();
  const counts = await Promise.all(Array.from({ length: partitions }, async (_, partition) => {
    const reader = await source.reader(partition);
    let count = 0;
    for (let position = reader.start;;) {
      const polled = await reader.poll(position, { rowsMax: BATCH_ROWS, bytesMax: 1 << 20 });
      if (polled.kind === "end") break;
      if (polled.kind === "idle") continue;
      position = polled.next;
      count += polled.read;
    }
    reader.close();
    return count;
  }));
  return counts.reduce((sum, count) => sum + count, 0);
}

const FIELD_SETS = {
  "no field": [],
  "three fields": ["id", "account", "amount"],
  "all eight fields": input.fields.map(({ name }) => name),
};
await read(FIELD_SETS["all eight fields"]); // Warm.
for (const [name, needed] of Object.entries(FIELD_SETS)) {
  const reading = begin();
  const records = await read(needed);
  report(`source, ${name} decoded`, records, records * bytesPerRecord, since(reading));
}
Deno.exit(0); // The broker that was started ends with the process.
