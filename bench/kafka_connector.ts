/**
 * What the kafka source and sink cost per record, on the eight-column payments, against a real broker. Prints one line per
 * measurement: records per second and CPU time of this process per record, the making of the rows not counted.
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
const blueprint = await plan(`
[connections.bus]
type = "kafka"
brokers = "${brokers}"
[sources.in]
connection = "bus"
topic = "${topic}"
until = "count ${Math.floor(rows / PARTITIONS / 2)}"
${FIELDS}
[sinks.out]
connection = "bus"
inputs = ["in"]
topic = "${topic}"
key = "account"
create = { partitions = ${PARTITIONS} }`);

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

function report(what: string, records: number, bytes: number, from: { cpu: NodeJS.CpuUsage; ms: number }): void {
  const { user, system } = process.cpuUsage(from.cpu);
  const seconds = (performance.now() - from.ms) / 1000;
  const perRecord = ((user + system) / records).toFixed(2);
  console.log(
    `${what.padEnd(28)} ${Math.round(records / seconds).toLocaleString("en")} records/s  ${perRecord} µs CPU/record  ${
      (bytes / seconds / 1e6).toFixed(0)
    } MB/s`,
  );
}
const begin = () => ({ cpu: process.cpuUsage(), ms: performance.now() });

const world = loggedWorld();
const { plan: sinkPlan, input } = blueprint.sinks.find(({ name }) => name === "out")!;
const batch = batchOf(input, made);
const sink = sinkPlan.create(world);
await sink.open({ pipeline: "bench", run: "r", lanes: 1, fresh: true });
const lane = sink.lane(0);
await lane.fence(1);

async function write(records: number): Promise<{ written: number; bytes: number }> {
  let written = 0;
  let bytes = 0;
  for (let epoch = 1; written < records; epoch++) {
    for (let i = 0; i < EPOCH_BATCHES && written < records; i++) {
      lane.write(batch);
      written += batch.rows;
    }
    bytes += lane.bytesHeld();
    await lane.deliver({ pipeline: "bench", run: "r", lane: 0, epoch, owner: 1, digest: "d" });
  }
  return { written, bytes };
}

await write(100_000); // Warm.
const writing = begin();
const { written, bytes } = await write(rows);
report(`sink, ${EPOCH_BATCHES * BATCH_ROWS} a epoch`, written, bytes, writing);
await sink.close();

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
  report(`source, ${name} decoded`, records, records * bytes / written, reading);
}
Deno.exit(0); // The broker that was started ends with the process.
