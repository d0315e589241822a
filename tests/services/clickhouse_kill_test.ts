/**
 * A pipeline that writes into ClickHouse in two lanes, killed by SIGKILL again and again, its server too: whoever reads the views finds
 * every row once and the newest row of every key; also after an insert of long ago arrives once more.
 */
import assert from "node:assert/strict";
import { inTemporaryFolder } from "../golden/command_line.ts";
import type { ClickhouseServer } from "./clickhouse_server.ts";
import { AFTER_THE_LAST_EPOCH, type Death, deaths, histogramText, killEnvironment, nameOf } from "./deaths.ts";
import { withServers } from "./mod.ts";
import { startMillrace } from "./processes.ts";

const SEED = 20250905;
const KILLS_WANTED = 15;
const LIVES_MAX = 60;
const ROUNDS_MAX = 40;
const ROWS = 1200;
const KEYS = 37;
const EPOCH_ROWS = 40;
/** Of the server, among the kills of the product. */
const RESTART_EVERY = 6;

const project = (folder: string, { url, user, password }: ClickhouseServer, database: string) =>
  `[schemas.payment]
fields = { id = "int", key = "int", amount = "decimal(2)", name = "string" }

[connections.bus]
type = "log"
path = "${folder}/log"

[connections.warehouse]
type     = "clickhouse"
url      = "${url}"
user     = "${user}"
password = "${password}"
database = "${database}"
`;
const PRODUCE = (folder: string) =>
  `[sources.file]
type   = "csv"
path   = "${folder}/payments.csv"
schema = "payment"

[sinks.topic]
connection = "bus"
topic      = "payments"
inputs     = ["file"]
key        = "key"
create     = { partitions = 2 }
`;
const STORE = `[sources.topic]
connection = "bus"
topic      = "payments"
schema     = "payment"
until      = "end"

[sinks.events]
connection = "warehouse"
table      = "payments"
inputs     = ["topic"]
key        = ["id"]
create     = true

[sinks.newest]
connection = "warehouse"
table      = "newest_payments"
inputs     = ["topic"]
mode       = "upsert"
key        = ["key"]
create     = true
`;

interface Payment {
  readonly id: number;
  readonly key: number;
  readonly cents: number;
}
const PAYMENTS: readonly Payment[] = Array.from({ length: ROWS }, (_, id) => ({ id, key: (id * 7) % KEYS, cents: (id * 7919) % 100_000 }));
const text = ({ id, key, cents }: Payment): string => `${id},${key},${(cents / 100).toFixed(2)},n${id % 11}`;

interface Stage {
  readonly clickhouse: ClickhouseServer;
  readonly database: string;
  readonly folder: string;
}
const words = ({ folder }: Stage, pipeline: string) => ["run", folder, pipeline, "--quiet", "--set", `state=${folder}/state`];
const start = (stage: Stage, env: Readonly<Record<string, string>> = {}) =>
  startMillrace(words(stage, "store"), { input: stage.folder, output: stage.folder, set: [`epoch.records_max=${EPOCH_ROWS}`], env });

async function onStage(clickhouse: ClickhouseServer, body: (stage: Stage) => Promise<void>): Promise<void> {
  const database = `millrace_kill_${crypto.randomUUID().slice(0, 8)}`;
  try {
    await inTemporaryFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/millrace.toml`, project(folder, clickhouse, database));
      await Deno.writeTextFile(`${folder}/produce.toml`, PRODUCE(folder));
      await Deno.writeTextFile(`${folder}/store.toml`, STORE);
      await Deno.writeTextFile(`${folder}/payments.csv`, ["id,key,amount,name", ...PAYMENTS.map(text)].join("\n") + "\n");
      const stage = { clickhouse, database, folder };
      const produced = await startMillrace(words(stage, "produce"), { input: folder, output: folder }).ended;
      assert.equal(produced.code, 0, produced.stderr);
      await body(stage);
    });
  } finally {
    await clickhouse.start();
    await clickhouse.admin(`DROP DATABASE IF EXISTS ${database}`);
  }
}

const visible = ({ clickhouse, database }: Stage): Promise<number> =>
  clickhouse.rows("SELECT count() FROM payments", database).then((rows) => Number(rows[0][0]), () => 0);

async function verify({ clickhouse, database }: Stage): Promise<void> {
  const events = await clickhouse.rows("SELECT id, key, toString(toDecimal64(amount, 2)), name FROM payments ORDER BY id", database);
  const trimmed = (row: readonly string[]) => [row[0], row[1], String(Number(row[2])), row[3]].join(",");
  const wished = PAYMENTS.map(({ id, key, cents }) => `${id},${key},${cents / 100},n${id % 11}`);
  assert.deepEqual(events.map(trimmed), wished);
  const newest = new Map(PAYMENTS.map((payment) => [payment.key, payment.id]));
  const keys = await clickhouse.rows("SELECT key, id FROM newest_payments ORDER BY key", database);
  assert.deepEqual(keys.map(([key, id]) => [Number(key), Number(id)]), [...newest].toSorted(([a], [b]) => a - b));
}

/** What a request does that was under way for long. */
async function repeatOldInserts({ clickhouse, database }: Stage): Promise<void> {
  const [[first, last]] = await clickhouse.rows("SELECT min(millrace_epoch), max(millrace_epoch) FROM payments_rows", database);
  assert.ok(Number(last) - Number(first) >= 5, "there are older epochs");
  await clickhouse.admin(`INSERT INTO payments_rows SELECT * FROM payments_rows WHERE millrace_epoch < ${Number(first) + 3}`, database);
  await clickhouse.admin(
    "INSERT INTO newest_payments_rows SELECT * FROM newest_payments_rows ORDER BY millrace_version LIMIT 50",
    database,
  );
}

/** Lives and deaths until one ends by itself; gives the deaths that hit unread input or an open epoch. */
async function liveUntilDone(stage: Stage, next: Generator<Death, never>, histogram: Map<string, number>): Promise<number> {
  let counted = 0;
  for (let life = 0; life < LIVES_MAX; life++) {
    const death = next.next().value;
    const running = start(stage, killEnvironment(death));
    const timer = death.kind === "outside" ? setTimeout(running.kill, 2 * death.afterMs) : undefined;
    const restart = life % RESTART_EVERY === RESTART_EVERY - 1 ? stage.clickhouse.stop().then(() => stage.clickhouse.start()) : null;
    const { code, killed, stderr } = await running.ended;
    clearTimeout(timer);
    await restart;
    if (!killed) {
      assert.equal(code, 0, `life ${life}: ${stderr}`);
      return counted;
    }
    const isCounted = death.kind === "step" ? !AFTER_THE_LAST_EPOCH.has(death.step) : await visible(stage) < ROWS;
    const name = isCounted ? nameOf(death) : `(not counted: ${nameOf(death)})`;
    if (isCounted) counted++;
    histogram.set(name, (histogram.get(name) ?? 0) + 1);
  }
  throw new Error(`it was not done after ${LIVES_MAX} lives`);
}

await withServers(
  `clickhouse: at least ${KILLS_WANTED} counted kills and restarts of the server, no row lost or twice`,
  ["clickhouse"],
  async ({ clickhouse }, test) => {
    const histogram = new Map<string, number>();
    const next = deaths(SEED);
    let counted = 0;
    for (let round = 0; counted < KILLS_WANTED; round++) {
      assert.ok(round < ROUNDS_MAX, `only ${counted} kills hit in ${ROUNDS_MAX} rounds: ${histogramText(histogram)}`);
      await onStage(clickhouse, async (stage) => {
        counted += await liveUntilDone(stage, next, histogram);
        await verify(stage);
        await repeatOldInserts(stage);
        await verify(stage);
      });
    }
    // As the name of a step, since a quiet test run drops what tests print.
    await test.step(`seed ${SEED}: ${counted} kills: ${histogramText(histogram)}`, () => assert.ok(counted >= KILLS_WANTED));
  },
);

await withServers("clickhouse: a server that goes away in the middle of a run is waited for", ["clickhouse"], async ({ clickhouse }) => {
  await onStage(clickhouse, async (stage) => {
    // One row an epoch: the run takes long enough to be met in its middle.
    const running = startMillrace(words(stage, "store"), { input: stage.folder, output: stage.folder, set: ["epoch.records_max=4"] });
    try {
      for (let waited = 0; await visible(stage) === 0; waited++) {
        assert.ok(waited < 400, "rows arrive");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await clickhouse.stop();
      await running.says(/clickhouse_unreachable|server_unreachable/);
      await clickhouse.start();
      const { code, stderr } = await running.ended;
      assert.equal(code, 0, stderr);
      await verify(stage);
    } finally {
      running.kill();
      await running.ended;
    }
  });
});
