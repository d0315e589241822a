/**
 * A project whose rows change lanes: payments keyed by id, balances and windows kept by account, rejects on both sides. What must come
 * out is reckoned here by hand, from the rows alone.
 */
import assert from "node:assert/strict";
import { SeededSequence } from "../../src/connectors/generate/seeded_sequence.ts";
import { projectRoot } from "../golden/command_line.ts";

const ACCOUNTS = 23;
const FIRST_MS = Date.UTC(2026, 0, 1);
const WINDOW_MS = 60_000;
export const PARTITIONS = 3;

interface Payment {
  readonly id: number;
  readonly account: string;
  readonly cents: number;
  readonly atMs: number;
}

export interface PaymentsProject {
  readonly folder: string;
  readonly payments: readonly Payment[];
  /** Runs `millrace WORDS` on it until it ends or dies. */
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<{ code: number; killed: boolean; stderr: string }>;
  /** Rows that the last stage shows are wholly there, once, and in the order in which their lanes gave them. */
  verify(): Promise<void>;
}

const money = (cents: number): string => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
const timeText = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");

function randomPayments(seed: number, rows: number): Payment[] {
  const random = new SeededSequence(seed, "payments");
  return Array.from({ length: rows }, (_, id) => ({
    id,
    account: `a${random.between(0, ACCOUNTS - 1)}`,
    cents: random.between(0, 99_999),
    atMs: FIRST_MS + id * 500 + random.between(-20, 20) * 1000,
  }));
}

/** Every 50th is no number, every 61st nothing at all: refused before and behind the change of lanes. */
const isUnreadable = ({ id }: Payment): boolean => id % 50 === 7;
const isRefused = ({ id }: Payment): boolean => id % 61 === 5;

/** `bus`: the settings of a connection that has topics. */
const files = (bus: string, name: string) => ({
  "millrace.toml": `[connections.bus]
${bus}
[schemas.payment]
numeric_text = "accept"
[schemas.payment.fields]
id      = "int"
account = "string"
amount  = "decimal(2)"
at      = "timestamp"
[state]
folder = "state"
`,
  [`produce_${name}.toml`]: `kind = "produce"
[sources.lines]
type   = "csv"
path   = "payments.csv"
fields = { id = "int", account = "string", amount = "string", at = "timestamp" }
[sinks.topic]
connection = "bus"
inputs     = ["lines"]
topic      = "${name}.payments"
key        = "id"
create     = { partitions = ${PARTITIONS} }
`,
  [`${name}.toml`]: `kind = "batch"
[epoch]
records_max = "\${EPOCH_ROWS:-50}"
[sources.payments]
connection   = "bus"
topic        = "${name}.payments"
schema       = "payment"
time         = { field = "at", lateness = "1h" }
[transforms.by_account]
type   = "repartition"
inputs = ["payments"]
key    = "account"
lanes  = "\${LANES:-4}"
[transforms.balances]
type        = "decide"
inputs      = ["by_account"]
key         = "account"
let         = { check = "1000 / (id % 61 - 5)" }
after_rules = { balance = "balance + amount", count = "count + (check == 77777777 ? 2 : 1)" }
emit        = { id = "id", account = "account", balance = "balance", count = "count", partition = "meta.partition", position = "meta.position", source = "meta.source" }
[transforms.balances.state]
balance = { as = "decimal(2)", initial = "0.00" }
count   = { as = "int", initial = "0" }
[transforms.minutes]
type      = "aggregate"
inputs    = ["by_account"]
window    = { type = "tumbling", size = "1m" }
by        = ["account"]
aggregate = { rows = "count()", total = "sum(amount)" }
[sinks.balances]
type     = "csv"
inputs   = ["balances"]
path     = "balances.csv"
publish  = "one_file"
order_by = ["account", "count"]
[sinks.minutes]
type     = "csv"
inputs   = ["minutes"]
path     = "minutes.csv"
publish  = "one_file"
order_by = ["window_start", "account"]
[sinks.rejects]
type     = "ndjson"
inputs   = ["*.rejected"]
path     = "rejects.ndjson"
publish  = "one_file"
order_by = ["meta.position"]
`,
});

/** Writes the project into the folder, and its input. */
export async function paymentsProject(
  folder: string,
  { bus, name, rows, seed }: { readonly bus: string; readonly name: string; readonly rows: number; readonly seed: number },
): Promise<PaymentsProject> {
  const payments = randomPayments(seed, rows);
  const lines = payments.map((one) => `${one.id},${one.account},${isUnreadable(one) ? "x" : money(one.cents)},${timeText(one.atMs)}\n`);
  await Deno.writeTextFile(`${folder}/payments.csv`, `id,account,amount,at\n${lines.join("")}`);
  for (const [file, text] of Object.entries(files(bus, name))) await Deno.writeTextFile(`${folder}/${file}`, text);
  return {
    folder,
    payments,
    run: (words, env = {}) => runIn(folder, words, env),
    verify: () => verify(folder, payments),
  };
}

async function runIn(folder: string, words: readonly string[], env: Readonly<Record<string, string>>) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-kv", `${projectRoot()}/src/main.ts`, ...words],
    cwd: folder,
    env: { NO_COLOR: "1", ...env },
    stdout: "null",
    stderr: "piped",
  });
  const { code, signal, stderr } = await child.output();
  return { code, killed: signal === "SIGKILL", stderr: new TextDecoder().decode(stderr) };
}

async function tableOf(path: string): Promise<string[][]> {
  return (await Deno.readTextFile(path)).trimEnd().split("\n").slice(1).map((line) => line.split(","));
}

async function verify(folder: string, payments: readonly Payment[]): Promise<void> {
  const readable = payments.filter((one) => !isUnreadable(one));
  verifyBalances(await tableOf(`${folder}/balances.csv`), readable.filter((one) => !isRefused(one)));
  assert.deepEqual(await tableOf(`${folder}/minutes.csv`), minutesOf(readable));
  const rejects = (await Deno.readTextFile(`${folder}/rejects.ndjson`)).trimEnd().split("\n").map((line) => JSON.parse(line));
  const refused = new Map<number, string>();
  for (const { raw, step, source, pipeline } of rejects) {
    const { id } = JSON.parse(raw);
    assert.ok(!refused.has(id), `record ${id} is refused once`);
    assert.equal(source, "payments");
    assert.ok(!pipeline.includes("."), `${pipeline} is the pipeline that the user knows`);
    refused.set(id, step);
  }
  const wished = payments.flatMap((one): [number, string][] =>
    isUnreadable(one) ? [[one.id, "payments"]] : isRefused(one) ? [[one.id, "balances"]] : []
  );
  assert.deepEqual([...refused].toSorted(([a], [b]) => a - b), wished);
}

/** Which lane's rows come first is nobody's promise: so balances are checked along the order that they tell. */
function verifyBalances(rows: readonly string[][], payments: readonly Payment[]): void {
  const byId = new Map(payments.map((one) => [one.id, one]));
  assert.deepEqual(rows.map(([id]) => Number(id)).toSorted((a, b) => a - b), payments.map(({ id }) => id));
  const seen = new Map<string, { count: number; cents: number; positions: Map<string, number> }>();
  for (const [id, account, balance, count, partition, position, source] of rows) {
    const so = seen.get(account) ?? { count: 0, cents: 0, positions: new Map<string, number>() };
    seen.set(account, so);
    const payment = byId.get(Number(id))!;
    assert.deepEqual([payment.account, Number(count), source], [account, ++so.count, "payments"], `row ${id} is one further`);
    assert.equal(balance, money(so.cents += payment.cents), `the balance behind row ${id}`);
    assert.ok(Number(position) > (so.positions.get(partition) ?? -1), `row ${id} of partition ${partition} is behind those before it`);
    so.positions.set(partition, Number(position));
  }
}

function minutesOf(payments: readonly Payment[]): string[][] {
  const windows = new Map<string, { start: number; account: string; rows: number; cents: number }>();
  for (const { account, atMs, cents } of payments) {
    const start = atMs - atMs % WINDOW_MS;
    const key = `${start} ${account}`;
    const window = windows.get(key) ?? { start, account, rows: 0, cents: 0 };
    windows.set(key, window);
    window.rows++;
    window.cents += cents;
  }
  const ordered = [...windows.values()].toSorted((a, b) => a.start - b.start || (a.account < b.account ? -1 : 1));
  return ordered.map((
    { start, account, rows, cents },
  ) => [timeText(start), timeText(start + WINDOW_MS), account, String(rows), money(cents), "false"]);
}
