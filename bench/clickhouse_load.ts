/**
 * Rows into ClickHouse: the sink, from columns to a delivered epoch with its marker, against @clickhouse/client's `insert` of the same
 * rows as objects that are made already; into equal tables, by turns, in one run. CPU is this process's; the server is another one.
 *
 *     deno run -A bench/clickhouse_load.ts [ROWS] [ROUNDS]     default: 500000 3
 */
import process from "node:process";
import { createClient } from "@clickhouse/client";
import type { Batch } from "../src/data/batch.ts";
import { run, stamp } from "../tests/connectors/support/sql.ts";
import { sinkOf, Warehouse } from "../tests/connectors/clickhouse/support.ts";
import { clickhouseServer } from "../tests/services/clickhouse_server.ts";

const [rows, rounds] = [Number(Deno.args[0] ?? 500_000), Number(Deno.args[1] ?? 3)];
const EPOCH_ROWS = 100_000;
const BATCH_ROWS = 4000;
const FIELDS = `fields = { id = "int", card = "int", merchant = "string", at = "timestamp", amount = "decimal(2)", place = "string", \
kind = "string", related = "int?" }`;
const PLACES = ["Lima", "São Paulo", "Reykjavík", "London"];
const KINDS = ["PURCHASE", "REFUND", "CASH_WITHDRAWAL"];

const valuesOf = (id: number): readonly unknown[] => [
  id,
  (id * 7919) % 50_000,
  `Merchant ${id % 1000}`,
  1_737_026_625_000_000 + id * 1_000_003,
  (id * 104_729) % 1_000_000,
  PLACES[id % 4],
  KINDS[id % 3],
  id % 5 === 0 ? null : id - 1,
];
function objectOf(id: number): Record<string, unknown> {
  const [, card, merchant, at, amount, place, kind, related] = valuesOf(id) as [
    number,
    number,
    string,
    number,
    number,
    string,
    string,
    number | null,
  ];
  const micros = String(at % 1_000_000).padStart(6, "0");
  const time = `${new Date(Math.floor(at / 1e6) * 1000).toISOString().slice(0, 19).replace("T", " ")}.${micros}`;
  return { id, card, merchant, at: time, amount: (amount / 100).toFixed(2), place, kind, related };
}

interface Cost {
  readonly seconds: number;
  readonly cpuSeconds: number;
}
async function costOf(action: () => Promise<void>): Promise<Cost> {
  const [from, before] = [performance.now(), process.cpuUsage()];
  await action();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - from) / 1000, cpuSeconds: (user + system) / 1e6 };
}

const server = await clickhouseServer();
if ("skipped" in server) throw new Error(server.skipped);
const warehouse = new Warehouse(server);
const { sink, batch } = await sinkOf(warehouse, { fields: FIELDS, sink: "create = true" });
const ids = Array.from({ length: rows }, (_, id) => id);
const batches: Batch[] = [];
for (let at = 0; at < rows; at += BATCH_ROWS) batches.push(batch(ids.slice(at, at + BATCH_ROWS).map(valuesOf)));
const objects = ids.map(objectOf);
const client = createClient({ url: server.url, username: server.user, password: server.password, database: warehouse.name });

async function bySink(runId: string): Promise<void> {
  await sink.open(run(runId, true));
  const lane = sink.lane(0);
  let epoch = 0;
  for (let at = 0; at < batches.length;) {
    for (const end = at + EPOCH_ROWS / BATCH_ROWS; at < Math.min(end, batches.length); at++) lane.write(batches[at]);
    await lane.deliver(stamp(runId, ++epoch));
  }
}
async function byClient(): Promise<void> {
  for (let at = 0; at < rows; at += EPOCH_ROWS) {
    await client.insert({ table: "by_client", values: objects.slice(at, at + EPOCH_ROWS), format: "JSONEachRow" });
  }
}
const contentOf = async (table: string): Promise<string> =>
  (await warehouse.rows(
    `SELECT count(), sum(amount), groupBitXor(cityHash64(id, card, merchant, at, amount, place, kind, related)) FROM ${table}`,
  ))[0].join(" ");
const text = ({ seconds, cpuSeconds }: Cost): string =>
  `${(rows / seconds / 1e6).toFixed(2)} M rows/s, ${(cpuSeconds / rows * 1e6).toFixed(2)} µs CPU a row`;

await sink.open(run("r0", true));
await warehouse.admin(
  "CREATE TABLE by_client AS t_rows ENGINE = ReplacingMergeTree ORDER BY (millrace_run, millrace_lane, millrace_epoch, millrace_row, id)",
);
const ratios: { readonly wall: number; readonly cpu: number }[] = [];
for (let round = 0; round <= rounds; round++) {
  await warehouse.admin("TRUNCATE TABLE by_client");
  const ours = await costOf(() => bySink(`r${round}`));
  const theirs = await costOf(byClient);
  const [a, b] = [await contentOf("t"), await contentOf("by_client")];
  if (a !== b) throw new Error(`the two tables differ: ${a} and ${b}`);
  // The first one warms both up.
  if (round === 0) continue;
  ratios.push({ wall: ours.seconds / theirs.seconds, cpu: ours.cpuSeconds / theirs.cpuSeconds });
  console.log(`round ${round}: sink ${text(ours)}; client ${text(theirs)}`);
}
const median = (values: number[]): string => values.sort((x, y) => x - y)[values.length >> 1].toFixed(2);
console.log(
  `median ratio, sink to client: time ${median(ratios.map(({ wall }) => wall))}, CPU ${
    median(ratios.map(({ cpu }) => cpu))
  } (${rows} equal rows)`,
);
await client.close();
await sink.close();
await warehouse.admin(`DROP DATABASE ${warehouse.name}`);
