/**
 * What a change of a PostgreSQL table costs, and how soon it is in a sink.
 *
 *     deno run -A bench/postgres_changes.ts [CHANGES] [SECONDS]     default: 300000 20
 *
 * First a backlog of CHANGES rows of the fintech workload's transactions (29 columns, 8 of them read), in transactions of one row and of
 * 1,000, through the whole program into a file; beside it, by turns, pg_recvlogical, which receives the same messages and throws them
 * away: CPU (user and system) per change, start-up taken off by a run over one change. Then one commit every 10 ms for SECONDS, epochs of
 * 100 ms: from just before the commit to the row on standard output.
 */
import { postgresServer } from "../tests/services/mod.ts";

const [changes, seconds] = [Number(Deno.args[0] ?? 300_000), Number(Deno.args[1] ?? 20)];
const ROOT = new URL("..", import.meta.url).pathname;
const found = await postgresServer();
if ("skipped" in found) throw new Error(found.skipped);
const server = found;
const url = new URL(server.url);
const database = `millrace_changes_${Deno.pid}`;
const folder = await Deno.makeTempDir({ prefix: "millrace-postgres-changes-" });
const admin = (sql: string) => server.admin(`SET ROLE ${url.username}; ${sql}`, database);
const ask = async (sql: string) => (await server.rows(sql, database))[0][0];

const project = (until: string, sink: string): string =>
  `kind = "stream"
[epoch]
every = "100ms"
[connections.db]
type  = "postgres"
url   = "\${POSTGRES_URL}"
setup = ["${ROOT}config/fintech/database/tables.sql"]
[sources.transactions]
connection = "db"
table      = "transactions"
read       = "changes"
slot       = "${database}"
snapshot   = "none"
until      = "${until}"
[sources.transactions.fields]
id                   = "string"
transaction_type     = "string"
from_account_id      = "string?"
customer_id          = "string?"
amount               = "decimal(2)"
device_fingerprint   = "string?"
created_at           = "timestamp"
transaction_location = { type = "json?", fields = { city = "string?", country = "string?" } }
[sinks.out]
inputs = ["transactions"]
${sink}
`;
const FILE = 'type = "ndjson"\npath = "out"\npublish = "parts"';
const CONSOLE = 'type = "console"\nline = "{created_at}"';
/** One row, as the workload's generator makes them. */
const row = (id: string, at: string): string =>
  `${id}::text, 'card_payment', 'completed', 'a-1', NULL, NULL, 84.10, 'USD', NULL, 0, 'Acme - Hotel', 'm-1', NULL, 'AUTH482913',
  '{"latitude": 1.5, "longitude": -70.2, "city": "Lima", "country": "US"}', 'FP0123456789abcdef', '203.0.113.9'::inet, 'Mozilla/5.0', 17.25, 'low',
  '[]', 812, 'Visa', '4242', '["card_payment", "low"]', '{"channel": "web", "terminal_id": "T10001"}', ${at}, now(), 1`;

interface Usage {
  readonly cpuSeconds: number;
  readonly seconds: number;
}
/** Runs a program; its CPU comes from the shell's clock. */
async function timed(words: readonly string[], env: Record<string, string>): Promise<Usage> {
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null 2>errors', "bash", ...words],
    cwd: folder,
    env,
  }).output();
  if (!success) throw new Error(`${words[0]} failed: ${new TextDecoder().decode(stdout)}${await Deno.readTextFile(`${folder}/errors`)}`);
  const [real, user, system] = new TextDecoder().decode(stderr).trim().split(/\s+/).map(Number);
  return { seconds: real, cpuSeconds: user + system };
}
const words = (file: string): string[] => [Deno.execPath(), "run", "-A", `${ROOT}src/main.ts`, "run", file, "--quiet", "--rerun"];
async function follow(count: number): Promise<Usage> {
  await Deno.writeTextFile(`${folder}/follow.toml`, project(`count ${count}`, FILE));
  return await timed(words("follow.toml"), { POSTGRES_URL: url.href });
}
async function receive(slot: string): Promise<Usage> {
  const { hostname, port, username, password } = url;
  const end = await ask("SELECT pg_current_wal_insert_lsn()");
  const options = ["-o", "proto_version=1", "-o", `publication_names=${database}`, "--endpos", end, "--no-loop"];
  const to = ["-h", hostname, "-p", port, "-U", username, "-d", database, "-S", slot];
  return await timed(["pg_recvlogical", ...to, "--start", "-f", "/dev/null", ...options], { PGPASSWORD: decodeURIComponent(password) });
}
const made = (slot: string) => admin(`SELECT pg_create_logical_replication_slot('${slot}', 'pgoutput')`);

async function backlog(name: string, rowsPerTransaction: number): Promise<void> {
  await made(database);
  await made(`${database}_peer`);
  await server.rows(`CALL fill(${changes}, ${rowsPerTransaction}, '${name}')`, database);
  // The end of the log must lie behind what is read.
  await admin("SELECT pg_logical_emit_message(false, 'bench', '')");
  const peer = await receive(`${database}_peer`);
  // A run that was over at once moves the slot by nothing: it begins where the next one does.
  const startUp = await follow(1);
  const ours = await follow(changes);
  const perChange = (ours.cpuSeconds - startUp.cpuSeconds) / changes * 1e6;
  const peerPerChange = peer.cpuSeconds / changes * 1e6;
  console.log(
    `${name}: ${changes} changes: millrace ${perChange.toFixed(2)} CPU µs each, ${
      Math.round(changes / (ours.seconds - startUp.seconds))
    }/s; ` +
      `pg_recvlogical ${peerPerChange.toFixed(2)} µs, ${Math.round(changes / peer.seconds)}/s; start-up ${
        startUp.cpuSeconds.toFixed(2)
      } s CPU`,
  );
  await free(database);
  await admin(`SELECT pg_drop_replication_slot('${database}'), pg_drop_replication_slot('${database}_peer')`);
}
/** The server lets go of a slot a moment after its reader. */
async function free(slot: string): Promise<void> {
  while (await ask(`SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '${slot}%' AND active`) !== "0") {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function latency(): Promise<void> {
  await made(database);
  await Deno.writeTextFile(`${folder}/latency.toml`, project("never", CONSOLE));
  const [program, ...args] = words("latency.toml");
  const child = new Deno.Command(program, { args, cwd: folder, env: { POSTGRES_URL: url.href }, stdout: "piped", stderr: "null" }).spawn();
  const delays: number[] = [];
  const listening = (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      const nowMs = performance.timeOrigin + performance.now();
      for (const line of text.split("\n")) if (line !== "") delays.push(nowMs - Date.parse(line));
    }
  })();
  await server.rows(`CALL tick(50)`, database);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  delays.length = 0;
  await server.rows(`CALL tick(${seconds * 100})`, database);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  child.kill("SIGTERM");
  await Promise.all([child.status, listening]);
  delays.sort((a, b) => a - b);
  const at = (share: number): string => delays[Math.floor(share * (delays.length - 1))].toFixed(1);
  console.log(`latency of ${delays.length} commits: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, greatest ${at(1)} ms`);
}

await server.admin(`CREATE DATABASE ${database} OWNER ${url.username}`);
url.pathname = database;
try {
  await admin(await Deno.readTextFile(`${ROOT}config/fintech/database/tables.sql`));
  await admin(`CREATE PUBLICATION ${database} FOR TABLE transactions;
    CREATE PROCEDURE fill(rows INT, each INT, name TEXT) LANGUAGE plpgsql AS $$ BEGIN
      SET LOCAL synchronous_commit = off;
      FOR n IN 1..rows / each LOOP
        INSERT INTO transactions SELECT ${row("name || '-' || n || '-' || k", "now()")} FROM generate_series(1, each) AS k;
        COMMIT;
        SET LOCAL synchronous_commit = off;
      END LOOP;
    END $$;
    CREATE PROCEDURE tick(rows INT) LANGUAGE plpgsql AS $$ BEGIN
      FOR n IN 1..rows LOOP
        INSERT INTO transactions VALUES (${row("gen_random_uuid()", "clock_timestamp()")});
        COMMIT;
        PERFORM pg_sleep(0.01);
      END LOOP;
    END $$`);
  await backlog("transactions of 1000 rows", 1000);
  await backlog("transactions of 1 row", 1);
  await latency();
} finally {
  await free(database);
  await server.admin(`DROP DATABASE ${database} WITH (FORCE)`);
  await Deno.remove(folder, { recursive: true });
}
