/**
 * What the connectors cost per record, on the eight-column payments file. Prints one line per measurement: CPU time of this process
 * per record, so that a busy machine does not show. Run: `deno run -A bench/connectors_bench.ts [ROWS]`.
 */
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import type { Batch } from "../src/data/batch.ts";
import { plan } from "../tests/connectors/support/project.ts";
import { denoFiles } from "../src/platform/files.ts";
import { fileLocks } from "../src/platform/locks.ts";
import { Machine, Process } from "../tests/connectors/support/memory_world.ts";
import type { Sink, Source } from "../src/engine/contracts.ts";
import type { World } from "../src/ports/mod.ts";

const rows = Number(Deno.args[0] ?? 300_000);
const folder = await Deno.makeTempDir();
const world: World = { ...new Process(new Machine()).world(), files: denoFiles, locks: fileLocks };

const FIELDS =
  `fields = { id = "int", account = "int", payee = "string", at = { type = "timestamp", format = "yyyy-MM-dd HH:mm:ss", zone = "UTC" }, amount = "decimal(2)", location = "string", kind = "string", related = "int?" }`;
const PROJECT = `
[connections.db]
type = "sqlite"
path = "${folder}/d.sqlite"
[connections.bus]
type = "log"
path = "${folder}/log"
[sources.in]
type = "csv"
path = "${folder}/in.csv"
${FIELDS}
[sources.topic]
connection = "bus"
topic = "t"
${FIELDS}
[sources.table]
connection = "db"
table = "t"
${FIELDS}
[sinks.csv]
type = "csv"
inputs = ["in"]
path = "${folder}/out.csv"
[sinks.ordered]
type = "csv"
inputs = ["in"]
path = "${folder}/ordered.csv"
order_by = ["meta.position"]
[sinks.ndjson]
type = "ndjson"
inputs = ["in"]
path = "${folder}/out.ndjson"
[sinks.log]
connection = "bus"
inputs = ["in"]
topic = "t"
key = "account"
create = { partitions = 1 }
[sinks.sqlite]
connection = "db"
inputs = ["in"]
table = "t"
create = true
`;

function writeInput(): void {
  const lines = ["id,account,payee,at,amount,location,kind,related"];
  for (let i = 1; i <= rows; i++) {
    const second = String(i % 60).padStart(2, "0");
    const street = i % 3 === 0 ? `"${i % 9000} Brenda Lake, Queens, NY 10859"` : `${i % 9000} Brenda Lake Queens NY 10859`;
    lines.push(`${i},${(i * 7919) % 100_000},Barrett and Sons,2025-04-01 01:21:${second},${(i % 500000) / 100},${street},bill_payment,`);
  }
  Deno.writeTextFileSync(`${folder}/in.csv`, lines.join("\r\n") + "\r\n");
}

const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
async function measure(name: string, action: () => Promise<void>): Promise<void> {
  const from = cpuMicros();
  await action();
  console.log(`${name.padEnd(28)} ${((cpuMicros() - from) / rows).toFixed(3)} µs/record`);
}

const ALL = new Set(["id", "account", "payee", "at", "amount", "location", "kind", "related"]);
async function read(source: Source, each: (batch: Batch) => void): Promise<void> {
  const reader = await source.reader(0);
  let position = reader.start;
  let count = 0;
  for (;;) {
    const polled = await reader.poll(position, { rowsMax: 8192, bytesMax: 1 << 20 });
    if (polled.kind !== "batch") break;
    each(polled.batch);
    count += polled.read;
    position = polled.next;
  }
  reader.close();
  if (count !== rows) throw new Error(`read ${count} of ${rows}`);
}
/** Epochs of about 50,000 rows, as the engine makes them. */
async function write(sink: Sink, batches: readonly Batch[]): Promise<void> {
  await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: true });
  const lane = sink.lane(0);
  await lane.fence(1);
  let epoch = 0;
  for (let i = 0; i < batches.length; i += 6) {
    for (const batch of batches.slice(i, i + 6)) lane.write(batch);
    await lane.deliver({ pipeline: "p", run: "r", lane: 0, epoch: ++epoch, owner: 1, digest: "d", timeMicros: 0 });
  }
  await sink.finish();
  await sink.close();
}

writeInput();
const { sources, sinks } = await plan(PROJECT);
const source = (name: string) => sources.find((each) => each.name === name)!.plan;
const batches: Batch[] = [];
for (const round of ["first", "again"]) {
  await measure(`csv source, ${round}`, () => read(source("in").create(world, ALL), (batch) => round === "again" && batches.push(batch)));
}
await measure("csv source, three fields", () => read(source("in").create(world, new Set(["id", "account", "amount"])), () => {}));
for (const name of ["csv", "ordered", "ndjson", "log", "sqlite"]) {
  await measure(`${name} sink`, () => write(sinks.find((each) => each.name === name)!.plan.create(world), batches));
}
await measure("log source", () => read(source("topic").create(world, ALL), () => {}));
await measure("sqlite source", () => read(source("table").create(world, ALL), () => {}));
const database = new DatabaseSync(`${folder}/d.sqlite`);
if (Number(database.prepare("SELECT count(*) AS n FROM t").get()!.n) !== rows) throw new Error("rows are missing");
database.close();
Deno.removeSync(folder, { recursive: true });
