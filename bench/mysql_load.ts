/**
 * Loading payments into MySQL: `millrace load` in append mode, the whole program from its start to its end, against LOAD DATA LOCAL by
 * the server's own client into an equal table; by turns, in one run. Goal: at most 1.5 times the client.
 *
 *     deno run -A bench/mysql_load.ts [TRANSACTIONS] [ROUNDS]     default: 1000000 3
 */
import { mysqlServer } from "../tests/services/mod.ts";

const [transactions, rounds] = [Number(Deno.args[0] ?? 1_000_000), Number(Deno.args[1] ?? 3)];
const ROOT = new URL("..", import.meta.url).pathname;
const COLUMNS = [
  "transaction_id",
  "card_id",
  "merchant_name",
  "timestamp",
  "amount",
  "location",
  "transaction_type",
  "related_transaction_id",
];
const FIELDS = `transaction_id = "int"
card_id = "int"
merchant_name = "string"
timestamp = { type = "timestamp", format = "yyyy-MM-dd HH:mm:ss", zone = "UTC" }
amount = "decimal(2)"
location = "string"
transaction_type = "string"
related_transaction_id = "int?"
`;
/** The generated payments without those that are meant to be refused, which the client would round. */
const CLEAN = `kind = "batch"
[sources.payments]
type = "csv"
path = "cards/transactions.csv"
[sources.payments.fields]
${FIELDS}
[sinks.clean]
type = "csv"
inputs = ["payments"]
path = "clean.csv"
`;
const LOAD = `kind = "load"
[connections.serving]
type = "mysql"
url = "\${MYSQL_URL}"
[sources.payments]
type = "csv"
path = "clean.csv"
[sources.payments.fields]
${FIELDS}
[sinks.table]
connection = "serving"
inputs = ["payments"]
table = "loaded"
mode = "append"
create = true
`;

const server = await mysqlServer();
if ("skipped" in server) throw new Error(server.skipped);
const { rows: ask, admin, url } = server;
const { hostname, port, username, password, pathname } = new URL(url);
const folder = await Deno.makeTempDir({ prefix: "millrace-mysql-load-" });
const file = `${folder}/project/clean.csv`;

async function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const from = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd: `${folder}/project`, env }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${program} failed:\n${text.decode(stdout)}${text.decode(stderr)}`);
  return (performance.now() - from) / 1000;
}
const millrace = (...words: string[]) => run(Deno.execPath(), ["run", "-A", `${ROOT}src/main.ts`, ...words], { MYSQL_URL: url });

function loadByClient(): Promise<number> {
  const named = [...COLUMNS.slice(0, -1), "@related"].join(", ");
  const sql = `LOAD DATA LOCAL INFILE '${file}' INTO TABLE by_client CHARACTER SET utf8mb4
    FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' LINES TERMINATED BY '\\n' IGNORE 1 LINES
    (${named}) SET related_transaction_id = NULLIF(@related, '')`;
  const login = [`--host=${hostname}`, `--port=${port}`, `--user=${username}`, "--local-infile=1", pathname.slice(1)];
  return run("mariadb", ["--no-defaults", ...login, "-e", sql], { MYSQL_PWD: password });
}

/** What is in a table, as its server sees it. */
async function contentOf(table: string): Promise<string> {
  const row = COLUMNS.map((column) => `QUOTE(${column})`).join(", ");
  const [found] = await ask(`SELECT COUNT(*), SUM(amount), BIT_XOR(CRC32(CONCAT_WS(',', ${row}))) FROM millrace.${table}`);
  return found.join(" ");
}

await Deno.mkdir(`${folder}/project`);
await Deno.writeTextFile(`${folder}/project/clean.toml`, CLEAN);
await Deno.writeTextFile(`${folder}/project/load.toml`, LOAD);
await millrace("generate", "cards", "--transactions", String(transactions), "-o", "cards");
await millrace("batch", "-c", ".");
const ratios: number[] = [];
for (let round = 1; round <= rounds; round++) {
  await admin("DROP TABLE IF EXISTS millrace.loaded, millrace.millrace_epochs");
  const ours = await millrace("load", "-c", ".", "--rerun");
  if (round === 1) await admin("DROP TABLE IF EXISTS millrace.by_client; CREATE TABLE millrace.by_client LIKE millrace.loaded");
  await admin("TRUNCATE millrace.by_client");
  const client = await loadByClient();
  const [ourRows, clientRows] = [await contentOf("loaded"), await contentOf("by_client")];
  if (ourRows !== clientRows) throw new Error(`the two tables differ: ${ourRows} and ${clientRows}`);
  ratios.push(ours / client);
  console.log(
    `round ${round}: millrace ${ours.toFixed(2)} s, client ${client.toFixed(2)} s, ratio ${(ours / client).toFixed(2)} (${
      clientRows.split(" ")[0]
    } equal rows)`,
  );
}
ratios.sort((a, b) => a - b);
console.log(`median ratio ${ratios[ratios.length >> 1].toFixed(2)} (goal: at most 1.50)`);
await admin("DROP TABLE millrace.loaded, millrace.by_client, millrace.millrace_epochs");
await Deno.remove(folder, { recursive: true });
