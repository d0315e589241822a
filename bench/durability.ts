/**
 * Which files are synced to disk, how often, and when: a bounded run of small epochs from topic to topic on the embedded log, with a CSV file
 * beside it, under strace. Prints the fsyncs of each kind of file and those for each commit of the checkpoint store. Linux, with strace.
 *
 *   deno run -A bench/durability.ts [RECORDS] [RECORDS_OF_AN_EPOCH]
 */
const [RECORDS = 2_000, EPOCH = 20] = Deno.args.map(Number);
const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);
const folder = await Deno.makeTempDir({ prefix: "millrace-durability-" });

const SHARED = `[connections.bus]
type = "log"
path = "log"
[schemas.payment.fields]
id = "int"
amount = "decimal(2)"
[state]
folder = "state"
`;
const COUNTED = `kind = "batch"
epoch = { records_max = ${EPOCH}, every = "1h" }
[sources.lines]
type = "ndjson"
path = "payments.ndjson"
schema = "payment"
[transforms.sums]
type = "decide"
inputs = ["lines"]
key = "id"
[transforms.sums.state]
count = { type = "value", as = "int", initial = "0" }
[transforms.sums.otherwise]
update = { count = "count + 1" }
[transforms.sums.emit]
"..." = true
count = "count"
[sinks.topic]
connection = "bus"
inputs = ["sums"]
topic = "counted"
create = { partitions = 1 }
[sinks.file]
type = "csv"
inputs = ["sums"]
path = "counted.csv"
`;

/** What a path is, by its name. */
function kindOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/\.[0-9a-z-]+\.tmp$/, "");
  if (name.endsWith(".kv-wal")) return "checkpoint store: write-ahead log";
  if (/\.kv(-journal|-shm)?$/.test(name)) return "checkpoint store: its file";
  if (name.endsWith(".seg")) return "topic: rows";
  if (name.startsWith("commits-")) return "topic: commits";
  if (name.endsWith(".journal")) return "file sink: journal";
  if (/\.(csv|rows)$/.test(name)) return "file sink: rows";
  if (name.endsWith(".json")) return "descriptions";
  return name.includes(".") ? `other: ${name}` : "folders";
}

await Deno.writeTextFile(`${folder}/millrace.toml`, SHARED);
await Deno.writeTextFile(`${folder}/counted.toml`, COUNTED);
await Deno.writeTextFile(
  `${folder}/payments.ndjson`,
  Array.from({ length: RECORDS }, (_, id) => `{"id":${id % 50},"amount":1.00}\n`).join(""),
);
const trace = `${folder}/trace`;
// -y tells the path of each descriptor.
const { success } = await new Deno.Command("strace", {
  args: ["-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace, Deno.execPath(), "run", "-A", `${ROOT}src/main.ts`, "run", ".", "--quiet"],
  cwd: folder,
  stdin: "null",
}).output();
if (!success) throw new Error("the run failed, or strace is not there");
const counts = new Map<string, number>();
for (const [, path] of (await Deno.readTextFile(trace)).matchAll(/f(?:data)?sync\(\d+<([^>]*)>/g)) {
  const kind = kindOf(path);
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
const epochs = Math.ceil(RECORDS / EPOCH);
console.log(`${RECORDS} records in ${epochs} epochs`);
for (const [kind, count] of [...counts].sort((a, b) => b[1] - a[1])) {
  console.log(`${kind.padEnd(36)} ${String(count).padStart(6)} fsyncs  ${(count / epochs).toFixed(2)} an epoch`);
}
await Deno.remove(folder, { recursive: true });
