/**
 * How long a start behind a kill takes until rows come again, by the number of keys whose state has to be there first: a running count and an
 * exact sum per key, topic to topic on the embedded log, exactly once, every setting its default. The process is killed with SIGKILL while it
 * writes and input is left; measured is from the start of the next process to the first commit of rows after that.
 *
 *   deno run -A bench/recovery.ts [ROUNDS] [KEYS...]
 */
const ROUNDS = Number(Deno.args[0] ?? 5);
const KEYS = Deno.args.length > 1 ? Deno.args.slice(1).map(Number) : [1_000, 100_000, 1_000_000];
/** Records behind the first of each key, for what is read between two kills. */
const MORE_PER_ROUND = 500_000;
const AHEAD_MS = 150;
const PATIENCE_MS = 60_000;
const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);

const PROJECT = `[connections.bus]
type = "log"
path = "log"
[schemas.payment.fields]
id = "int"
account = "string"
amount = "decimal(2)"
[state]
folder = "state"
`;
const PRODUCE = `kind = "produce"
[sources.lines]
type = "ndjson"
path = "payments.ndjson"
schema = "payment"
[sinks.topic]
connection = "bus"
inputs = ["lines"]
topic = "payments"
key = "account"
create = { partitions = 1 }
`;
const BALANCES = `kind = "stream"
[sources.payments]
connection = "bus"
topic = "payments"
schema = "payment"
key = "account"
[transforms.balances]
type = "decide"
inputs = ["payments"]
key = "account"
[transforms.balances.state]
count = { type = "value", as = "int", initial = "0" }
total = { type = "value", as = "decimal(2)", initial = "0.00" }
[transforms.balances.otherwise]
update = { count = "count + 1", total = "total + amount" }
[transforms.balances.emit]
"..." = true
count = "count"
total = "total"
[sinks.out]
connection = "bus"
inputs = ["balances"]
topic = "balances"
key = "account"
create = { partitions = 1 }
`;

const account = (number: number): string => `account-${String(number).padStart(12, "0")}`;
function payment(id: number, keys: number): string {
  // Every key once, then any.
  const key = id < keys ? id : Math.imul(id, 0x9e3779b1) % keys;
  return `{"id":${id},"account":"${account(Math.abs(key))}","amount":${id % 1000}.${String(id % 100).padStart(2, "0")}}\n`;
}

async function makeProject(folder: string, keys: number, records: number): Promise<void> {
  await Deno.writeTextFile(`${folder}/millrace.toml`, PROJECT);
  await Deno.writeTextFile(`${folder}/produce.toml`, PRODUCE);
  await Deno.writeTextFile(`${folder}/balances.toml`, BALANCES);
  using file = await Deno.open(`${folder}/payments.ndjson`, { write: true, create: true });
  for (let from = 0; from < records; from += 20_000) {
    const lines = Array.from({ length: Math.min(20_000, records - from) }, (_, i) => payment(from + i, keys));
    await file.write(new TextEncoder().encode(lines.join("")));
  }
}

const millrace = (folder: string, stdout: "null" | "piped", ...words: string[]): Deno.Command =>
  new Deno.Command(Deno.execPath(), { args: ["run", "-A", `${ROOT}src/main.ts`, ...words], cwd: folder, stdin: "null", stdout });
const start = (folder: string, pipeline: string): Deno.ChildProcess => millrace(folder, "null", "run", ".", pipeline, "--quiet").spawn();

/** As `state ls` tells. */
async function keysHeld(folder: string): Promise<number> {
  const { stdout } = await millrace(folder, "piped", "state", "ls", ".", "balances", "--json").output();
  const [{ lanes: [{ tables: [{ rows }] }] }] = JSON.parse(new TextDecoder().decode(stdout));
  return rows;
}

/** Bytes in all files under it. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      bytes += isDirectory ? await bytesIn(`${folder}/${name}`) : (await Deno.stat(`${folder}/${name}`)).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bytes;
}

/** Rows that a reader of the topic sees. */
async function committedRows(folder: string): Promise<number> {
  let rows = 0;
  try {
    for await (const { name } of Deno.readDir(`${folder}/log/balances/1`)) {
      if (!name.startsWith("commits-")) continue;
      const text = await Deno.readTextFile(`${folder}/log/balances/1/${name}`);
      for (const [, endOffset] of text.matchAll(/"endOffset":(\d+)/g)) rows = Math.max(rows, Number(endOffset));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return rows;
}

async function until(done: () => Promise<boolean>, what: string): Promise<void> {
  for (const started = performance.now(); !(await done());) {
    if (performance.now() - started > PATIENCE_MS) throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function measure(keys: number): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-recovery-" });
  try {
    const records = keys + MORE_PER_ROUND * (ROUNDS + 1);
    await makeProject(folder, keys, records);
    if (!(await start(folder, "produce").status).success) throw new Error("the input was not produced");
    let running = start(folder, "balances");
    await until(async () => await committedRows(folder) > keys, "the state");
    const found: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      running.kill("SIGKILL");
      if ((await running.status).signal !== "SIGKILL") throw new Error("it ended by itself: no input was left");
      const before = await committedRows(folder);
      const started = performance.now();
      running = start(folder, "balances");
      await until(async () => await committedRows(folder) > before, "output");
      found.push(Math.round(performance.now() - started));
      await new Promise((resolve) => setTimeout(resolve, AHEAD_MS));
    }
    running.kill("SIGKILL");
    await running.status;
    const held = await keysHeld(folder);
    const stored = Math.round(await bytesIn(`${folder}/state`) / 1e6);
    console.log(`${String(held).padStart(9)} keys held  ${found.join(" ")} ms to the first output  checkpoints ${stored} MB`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const keys of KEYS) await measure(keys);
