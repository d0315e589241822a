/** A project with every embedded target, and the command line that proves it. */
const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname).replace(/\/$/, "");

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const PAYMENTS = `kind = "batch"
[sources.payments]
type   = "csv"
path   = "in/payments.csv"
fields = { id = "int", account = "string", amount = "decimal(2)", at = "timestamp" }
[transforms.running]
type   = "decide"
inputs = ["payments"]
key    = "account"
state.spent = { type = "value", as = "decimal(2)", initial = "0.00" }
rules  = []
otherwise = { code = "ok", set = { total = "spent + amount" }, update = { spent = "spent + amount" } }
[transforms.stamped]
type   = "map"
inputs = ["running"]
set    = { seen_at = "meta.epoch_time" }
[connections.store]
type = "sqlite"
path = "OUT/store.sqlite"
[connections.bus]
type = "log"
path = "OUT/log"
[sinks.table]
connection = "store"
inputs = ["stamped"]
table  = "payments"
mode   = "append"
create = true
[sinks.topic]
connection = "bus"
inputs = ["running"]
topic  = "payments"
key    = "account"
create = { partitions = 2 }
[sinks.parts]
type    = "ndjson"
inputs  = ["running"]
path    = "OUT/parts"
publish = "parts"
[sinks.file]
type     = "csv"
inputs   = ["running"]
path     = "OUT/payments.csv"
order_by = ["meta.position"]
[sinks.screen]
type   = "console"
inputs = ["running"]
[sinks.rejects]
type   = "ndjson"
inputs = ["*.rejected"]
path   = "OUT/rejects.ndjson"
`;

/** Writes the project, with its outputs in `out`, and gives its folder. */
export async function writeProject(folder: string, { toml = PAYMENTS, out = "out" } = {}): Promise<string> {
  await Deno.mkdir(`${folder}/project`, { recursive: true });
  await Deno.writeTextFile(`${folder}/project/payments.toml`, toml.replaceAll("OUT", out));
  return `${folder}/project`;
}

export interface Proving {
  /** Of the checkout, which is the default, or of a copy of it. */
  readonly main?: string;
  /** One of the checkout's; default: the folder's own. */
  readonly project?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function prove(folder: string, words: readonly string[], proving: Proving = {}): Promise<Ended> {
  const { main = `${ROOT}/src/main.ts`, project, env } = proving;
  const path = project === undefined ? `${folder}/project` : `${ROOT}/${project}`;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", main, "prove", path, "--quiet", ...words],
    cwd: folder,
    env: { NO_COLOR: "1", TMPDIR: `${folder}/tmp`, ...env },
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A temporary folder that is removed afterwards. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "millrace-prove-test-" });
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Everything in the folder, with what it holds. */
export async function contentsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (!entry.isDirectory) found.set(path, await Deno.readTextFile(path));
    else for (const [inner, text] of await contentsOf(path)) found.set(inner, text);
  }
  return found;
}

export const projectRoot = (): string => ROOT;
