/**
 * Appending payments to a PostgreSQL table: `millrace load`, the whole program from its start to its end, against psql's \copy of the same
 * file into an equal table; by turns, in one run. Goal: at most 1.5 times psql.
 *
 *     deno run -A bench/postgres_load.ts [PAYMENTS] [ROUNDS]     default: 1000000 3
 */
import { postgresServer } from "../tests/services/mod.ts";

const [payments, rounds] = [Number(Deno.args[0] ?? 1_000_000), Number(Deno.args[1] ?? 3)];
const ROOT = new URL("..", import.meta.url).pathname;
const COLUMNS = ["transaction_id", "timestamp", "user_id", "merchant", "category", "amount", "currency", "location", "status"];
const FIELDS = `transaction_id = "string"
timestamp = { type = "timestamp", zone = "UTC" }
user_id = "int"
merchant = "string"
category = "string"
amount = "decimal(2)"
currency = "string"
location = "string"
status = "string"
`;
/** Nine columns without a key: nothing but the rows themselves is to be kept. */
const TABLE = `(transaction_id TEXT, timestamp TIMESTAMPTZ, user_id INT, merchant TEXT, category TEXT, amount NUMERIC(12,2), currency TEXT,
  location TEXT, status TEXT)`;
const MAKE = `kind = "batch"
[sources.made]
type = "generate"
what = "banking"
seed = 7
start = "2026-02-21T12:34:56Z"
rate = "max"
count = ${payments}
[sources.made.fields]
${FIELDS}
[sinks.file]
type = "csv"
inputs = ["made"]
path = "payments.csv"
publish = "one_file"
`;
const LOAD = `kind = "load"
[connections.bank]
type = "postgres"
url = "\${POSTGRES_URL}"
[sources.payments]
type = "csv"
path = "payments.csv"
[sources.payments.fields]
${FIELDS}
[sinks.table]
connection = "bank"
inputs = ["payments"]
table = "loaded"
mode = "append"
`;

const server = await postgresServer();
if ("skipped" in server) throw new Error(server.skipped);
const url = new URL(server.url);
const { hostname, port, username, password } = url;
const folder = await Deno.makeTempDir({ prefix: "millrace-postgres-load-" });
const database = `millrace_load_${Deno.pid}`;

async function run(program: string, args: readonly string[], env: Record<string, string>): Promise<number> {
  const from = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd: folder, env }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${program} failed:\n${text.decode(stdout)}${text.decode(stderr)}`);
  return (performance.now() - from) / 1000;
}
const millrace = (...words: string[]) => run(Deno.execPath(), ["run", "-A", `${ROOT}src/main.ts`, ...words], { POSTGRES_URL: url.href });
const psql = (sql: string) =>
  run("psql", ["-X", "-q", "-h", hostname, "-p", port, "-U", username, "-d", database, "-c", sql], {
    PGPASSWORD: decodeURIComponent(password),
  });

/** What is in a table, as its server sees it. */
async function contentOf(table: string): Promise<string> {
  const digest = `sum(('x' || left(md5(t::text), 15))::bit(60)::bigint)`;
  const [found] = await ask(`SELECT count(*), sum(amount), ${digest} FROM ${table} AS t`);
  return found.join(" ");
}
const ask = (sql: string) => (server as Exclude<typeof server, { skipped: string }>).rows(sql, database);

await server.admin(`CREATE DATABASE ${database} OWNER ${username}`);
url.pathname = database;
try {
  await Deno.writeTextFile(`${folder}/make.toml`, MAKE);
  await Deno.writeTextFile(`${folder}/load.toml`, LOAD);
  await millrace("batch", "-c", "make.toml");
  await psql(`CREATE TABLE loaded ${TABLE}; CREATE TABLE by_psql ${TABLE}`);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await psql("TRUNCATE loaded, by_psql; DROP TABLE IF EXISTS millrace_epochs");
    const clients: (() => Promise<number>)[] = [
      () => millrace("load", "-c", "load.toml", "--rerun"),
      () => psql(String.raw`\copy by_psql (${COLUMNS.join(", ")}) FROM '${folder}/payments.csv' WITH (FORMAT csv, HEADER)`),
    ];
    // Whoever comes first pays for cold pages: by turns.
    const [ours, theirs] = round % 2 === 1
      ? [await clients[0](), await clients[1]()]
      : (await clients[1]().then(async (t) => [await clients[0](), t]));
    const [ourRows, theirRows] = [await contentOf("loaded"), await contentOf("by_psql")];
    if (ourRows !== theirRows) throw new Error(`the two tables differ: ${ourRows} and ${theirRows}`);
    ratios.push(ours / theirs);
    const equal = `${theirRows.split(" ")[0]} equal rows`;
    console.log(
      `round ${round}: millrace ${ours.toFixed(2)} s, psql ${theirs.toFixed(2)} s, ratio ${(ours / theirs).toFixed(2)} (${equal})`,
    );
  }
  ratios.sort((a, b) => a - b);
  console.log(`median ratio ${ratios[ratios.length >> 1].toFixed(2)} (goal: at most 1.50)`);
} finally {
  await server.admin(`DROP DATABASE ${database} WITH (FORCE)`);
  await Deno.remove(folder, { recursive: true });
}
