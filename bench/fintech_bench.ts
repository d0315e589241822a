/**
 * What the fintech workload costs: the four processors of config/fintech in one process, Kafka in and out, exactly-once, as four pipelines and
 * as one (together.toml); and how soon a change that commits in PostgreSQL is an alert on its topic.
 *
 *     deno run -A --unstable-kv bench/fintech_bench.ts [TRANSACTIONS] [CUSTOMERS] [SECONDS]      default: 200000 1000 20
 *
 * CPU is user and system time of the whole process per transaction, that of a run over one transaction taken off. The warehouse and the files
 * are left out. For the latency there is a commit every 100 ms for SECONDS, epochs of 100 ms: from just before the commit until another client
 * has the alert, through capture, topic and processor.
 */
import { Kafka, logLevel } from "kafkajs";
import pg from "pg";
import { kafkaBroker, postgresServer, type Skipped } from "../tests/services/mod.ts";

const [transactions, customers, seconds] = [200_000, 1_000, 20].map((usual, i) => Number(Deno.args[i] ?? usual));
const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);
const PROCESSORS = ["lifecycle", "merchants", "metrics", "fraud"];
const broker = running(await kafkaBroker());
const server = running(await postgresServer());

function running<T extends object>(found: T | Skipped): T {
  if ("skipped" in found) throw new Error(found.skipped as string);
  return found as T;
}

/** The project without warehouse, files and bank: its producers write the topics of the cluster. */
async function projectIn(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(`${ROOT}config/fintech`)) {
    if (!name.endsWith(".toml")) continue;
    const text = await Deno.readTextFile(`${ROOT}config/fintech/${name}`);
    const without = text.replaceAll(/^\[sinks\.(?:\w*warehouse|\w*csv|bank_\w+)\][^]*?(?=^\[|^# ---|(?![^]))/gm, "");
    await Deno.writeTextFile(`${folder}/${name}`, without.replaceAll('connection = "made"', 'connection = "bus"'));
  }
}

interface Cost {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}
const environment = (folder: string, prefix: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  FINTECH_BACKEND: "servers",
  FINTECH_OUTPUT: `${folder}/out`,
  FINTECH_PREFIX: prefix,
  FINTECH_CUSTOMERS: String(customers),
  KAFKA_BROKERS: broker.brokers,
  POSTGRES_URL: server.url,
  CLICKHOUSE_URL: "http://127.0.0.1:1",
  NO_COLOR: "1",
  ...more,
});
/** Under a shell whose `times` knows what its children used. */
async function run(folder: string, pipelines: readonly string[], env: Record<string, string>): Promise<Cost> {
  const words = [Deno.execPath(), "run", "--quiet", "-A", `${ROOT}src/main.ts`, "run", folder, ...pipelines, "--quiet"];
  const started = performance.now();
  const child = new Deno.Command("bash", {
    args: ["-c", '"$@" >&2 || exit 1; times', "bench", ...words],
    cwd: ROOT,
    env,
    stdout: "piped",
    stderr: "piped",
  });
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const used = new TextDecoder().decode(stdout).trim().split("\n").at(-1)!;
  const cpuSeconds = [...used.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest),
    0,
  );
  return { cpuSeconds, wallSeconds: (performance.now() - started) / 1000 };
}

/** Bytes of the checkpoints under a folder. */
async function checkpointBytes(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) bytes += await checkpointBytes(`${folder}/${name}`);
    else if (name.startsWith("checkpoint.kv")) bytes += (await Deno.stat(`${folder}/${name}`)).size;
  }
  return bytes;
}

async function processors(pipelines: readonly string[], count: number): Promise<Cost & { readonly stateBytes: number }> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-fintech-bench-" });
  try {
    await projectIn(folder);
    const env = environment(folder, `bench-${crypto.randomUUID().slice(0, 8)}`, { FINTECH_TRANSACTIONS: String(count) });
    await run(folder, ["population", "accounts", "produce"], env);
    const cost = await run(folder, pipelines, env);
    return { ...cost, stateBytes: await checkpointBytes(`${folder}/out`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

console.log(`four processors, ${transactions} transactions of ${customers} customers, Kafka in and out, exactly-once:`);
for (const [what, pipelines] of [["four pipelines", PROCESSORS], ["one pipeline", ["together"]]] as const) {
  const [one, all] = [await processors(pipelines, 1), await processors(pipelines, transactions)];
  const microsEach = (all.cpuSeconds - one.cpuSeconds) * 1e6 / (transactions - 1);
  console.log(`as ${what}:`);
  console.log(`  ${microsEach.toFixed(1)} µs of CPU per transaction (start-up ${one.cpuSeconds.toFixed(1)} s taken off)`);
  console.log(`  ${Math.round(transactions / all.wallSeconds)} transactions/s, start-up included`);
  console.log(`  ${Math.round((all.stateBytes - one.stateBytes) / customers)} bytes of checkpoints per customer, all four together`);
}

/** Milliseconds from commit to alert, sorted. */
async function latencies(): Promise<number[]> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-fintech-bench-" });
  const name = `millrace_bench_${Deno.pid}`;
  const url = new URL(server.url);
  await server.admin(`CREATE DATABASE ${name} OWNER ${url.username}`);
  url.pathname = name;
  await projectIn(folder);
  const env = environment(folder, name, { POSTGRES_URL: url.href, FINTECH_UNTIL: "never", FINTECH_FILES: "parts" });
  const start = (pipeline: string): Deno.ChildProcess =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", `${ROOT}src/main.ts`, "run", folder, pipeline, "--quiet", "--set", "epoch.every=100ms"],
      cwd: ROOT,
      env,
      stdout: "null",
      stderr: "null",
    }).spawn();
  const children = ["capture", "fraud"].map(start);
  const client = new pg.Client({ connectionString: url.href });
  const consumer = new Kafka({ clientId: "bench", brokers: [broker.brokers], logLevel: logLevel.NOTHING })
    .consumer({ groupId: name, readUncommitted: false, maxWaitTimeInMs: 20 });
  try {
    await client.connect();
    await until(async () => (await client.query("SELECT 1 FROM pg_replication_slots WHERE database = $1", [name])).rowCount === 1);
    await client.query("INSERT INTO customers (id, first_name, last_name, email) VALUES ('c', 'A', 'B', 'a@example.com')");
    await client.query(
      "INSERT INTO accounts (id, customer_id, account_number, account_type, minimum_balance) VALUES ('a', 'c', 'ACC-1', 'savings', 100)",
    );
    const insert = (id: string) =>
      client.query(
        "INSERT INTO transactions (id, transaction_type, from_account_id, customer_id, amount, created_at) VALUES ($1, 'wire_transfer', 'a', 'c', 20000, now())",
        [id],
      );
    await insert("first");
    await consumer.connect();
    await subscribed(consumer, `${name}.customer_fraud_alerts`);
    const arrived = new Map<string, number>();
    await consumer.run({
      eachMessage: ({ message }) => {
        arrived.set(JSON.parse(message.value!.toString()).transactionId, performance.now());
        return Promise.resolve();
      },
    });
    // A transaction that overtakes its account is no alert: the first one says that all are there.
    for (let i = 0; arrived.size === 0; i++) {
      if (i > 240) throw new Error("no alert came within two minutes");
      await insert(`warm${i}`);
      await pause(500);
    }
    const sent = new Map<string, number>();
    for (let i = 0; i < seconds * 10; i++) {
      sent.set(`t${i}`, performance.now());
      await insert(`t${i}`);
      await pause(100);
    }
    await until(() => Promise.resolve([...sent.keys()].every((id) => arrived.has(id))));
    return [...sent].map(([id, at]) => arrived.get(id)! - at).sort((a, b) => a - b);
  } finally {
    await consumer.disconnect();
    for (const child of children) child.kill("SIGTERM");
    await Promise.all(children.map(({ status }) => status));
    await client.end();
    await server.admin(`SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${name}'`);
    await server.admin(`DROP DATABASE ${name} WITH (FORCE)`);
    await Deno.remove(folder, { recursive: true });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
async function until(done: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await done()); waited += 50) {
    if (waited > 120_000) throw new Error("what was waited for did not come within two minutes");
    await pause(50);
  }
}
/** The topic is made by the processor. */
async function subscribed(consumer: ReturnType<Kafka["consumer"]>, topic: string): Promise<void> {
  await until(() => consumer.subscribe({ topic, fromBeginning: true }).then(() => true, () => false));
}

const ms = await latencies();
const at = (share: number): string => ms[Math.min(ms.length - 1, Math.floor(share * ms.length))].toFixed(0);
console.log(`from a commit in PostgreSQL to its alert on the topic, ${ms.length} changes, epochs of 100 ms:`);
console.log(`  median ${at(0.5)} ms, 90 % within ${at(0.9)} ms, 99 % within ${at(0.99)} ms`);
Deno.exit(0);
