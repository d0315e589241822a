/**
 * What it costs that rows change lanes: a million payments through one lane, through a repartition, and through windows in one lane, behind
 * a repartition and in two phases; CPU of the process (user + system), what starting takes included. On the embedded log, or on a broker:
 *
 *   deno run -A bench/lanes.ts [ROWS] [BROKERS]
 */
const ROWS = Number(Deno.args[0] ?? 1_000_000);
const BROKERS = Deno.args[1];
const ROUNDS = 2;
const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);
const folder = await Deno.makeTempDir({ prefix: "millrace-lanes-" });
const mark = Date.now().toString(36);

const source = `kind = "batch"
[sources.payments]
connection = "bus"
topic      = "payments-${mark}"
schema     = "payment"
key        = "id"
time       = { field = "at", lateness = "1m" }
`;
const byCustomer = (lanes: number): string =>
  `[transforms.by_customer]\ntype = "repartition"\ninputs = ["payments"]\nkey = "customer"\nlanes = ${lanes}\n`;
const sums = (from: string, more = ""): string =>
  `[transforms.sums]
type      = "aggregate"
inputs    = ["${from}"]
window    = { type = "tumbling", size = "10m" }
by        = ["customer"]
aggregate = { total = "sum(amount)", rows = "count()" }
${more}
`;
const out = (name: string, from: string): string =>
  `[sinks.out]\nconnection = "bus"\ninputs = ["${from}"]\ntopic = "${name}-${mark}"\ncreate = { partitions = 4 }\n`;
const PIPELINES: Readonly<Record<string, string>> = {
  pass: source + out("pass", "payments"),
  repartition: source + byCustomer(4) + out("repartition", "by_customer"),
  windows: source + sums("payments") + out("windows", "sums"),
  windows_repartition: source + byCustomer(4) + sums("by_customer") + out("windows_repartition", "sums"),
  windows_two_phase: source + sums("payments", "two_phase = { lanes = 4 }") + out("windows_two_phase", "sums"),
};

async function writeProject(): Promise<void> {
  const bus = BROKERS ? `type = "kafka"\nbrokers = "${BROKERS}"` : `type = "log"\npath = "log"`;
  const fields = `id = "int"\ncustomer = "string"\namount = "decimal(2)"\nat = "timestamp"\nstatus = "string"\nnote = "string"`;
  await Deno.writeTextFile(
    `${folder}/millrace.toml`,
    `[connections.bus]\n${bus}\n[schemas.payment.fields]\n${fields}\n[state]\nfolder = "state"\n`,
  );
  const lines = `[sources.lines]\ntype = "ndjson"\npath = "payments.ndjson"\nschema = "payment"\n`;
  const topic =
    `[sinks.topic]\nconnection = "bus"\ninputs = ["lines"]\ntopic = "payments-${mark}"\nkey = "id"\ncreate = { partitions = 4 }\n`;
  await Deno.writeTextFile(`${folder}/produce.toml`, `kind = "produce"\n${lines}${topic}`);
  for (const [name, text] of Object.entries(PIPELINES)) await Deno.writeTextFile(`${folder}/${name}.toml`, text);
  const file = await Deno.open(`${folder}/payments.ndjson`, { write: true, create: true });
  for (let from = 0; from < ROWS; from += 10_000) {
    const rows = Array.from({ length: Math.min(10_000, ROWS - from) }, (_, i) => payment(from + i));
    await file.write(new TextEncoder().encode(rows.join("")));
  }
  file.close();
}

function payment(id: number): string {
  const amount = `${id * 13 % 1000}.${String(id % 100).padStart(2, "0")}`;
  const at = new Date(1_767_225_600_000 + id * 10).toISOString();
  return `{"id":${id},"customer":"c${id * 7919 % 211}","amount":${amount},"at":"${at}","status":"settled","note":"payment ${id}"}\n`;
}

/** CPU of a run, µs per record. */
async function cpuOf(pipeline: string): Promise<number> {
  const run = `deno run -A ${ROOT}src/main.ts run . ${pipeline} --rerun --quiet >/dev/null`;
  const { stderr, success } = await new Deno.Command("bash", { args: ["-c", `TIMEFORMAT='%U %S'; time ${run}`], cwd: folder }).output();
  const text = new TextDecoder().decode(stderr);
  if (!success) throw new Error(`${pipeline}: ${text}`);
  const [user, system] = text.trim().split("\n").at(-1)!.split(" ").map(Number);
  return (user + system) * 1e6 / ROWS;
}

await writeProject();
await cpuOf("produce");
const found = new Map<string, number[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const name of Object.keys(PIPELINES)) found.set(name, [...found.get(name) ?? [], await cpuOf(name)]);
}
for (const [name, values] of found) {
  console.log(`${name.padEnd(20)} ${values.map((value) => value.toFixed(2)).join(" ")} µs of CPU per record`);
}
await Deno.remove(folder, { recursive: true });
