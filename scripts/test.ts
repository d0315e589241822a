/**
 * The quick gate: format, lint, types and every test, with each part's time, ending in `N passed, N failed` of what really
 * ran. `deno task test [PART...]` runs only the named parts.
 */

interface Part {
  readonly name: string;
  readonly args: readonly string[];
  /** Whether the part prints deno test's summary; else it counts as one test. */
  readonly counts: boolean;
}
const check = (name: string, ...args: string[]): Part => ({ name, args, counts: false });
const tests = (name: string, ...words: string[]): Part => ({
  name,
  args: ["test", "-A", "--no-check", "--quiet", "--parallel", ...words],
  counts: true,
});
/** Folders whose tests need MySQL, PostgreSQL, ClickHouse or Kafka. They stop and start servers that they share, so they run one after the other. */
const ON_SERVERS = [
  "tests/connectors/mysql",
  "tests/connectors/postgres",
  "tests/connectors/clickhouse",
  "tests/connectors/kafka",
  "tests/services",
];

/** What lies in a folder but for ON_SERVERS; `--ignore` has no effect where several folders are named. */
function withoutServers(folder: string): string[] {
  const entries = [...Deno.readDirSync(folder)].filter((entry) => entry.isDirectory || entry.name.endsWith("_test.ts"));
  return entries.map((entry) => `${folder}/${entry.name}`).filter((path) => !ON_SERVERS.includes(path) && !path.endsWith("/support"));
}

const PARTS: readonly Part[] = [
  check("format", "fmt", "--check", "--quiet"),
  check("lint", "lint", "--quiet"),
  check("types", "check", "src", "tests", "scripts", "bench"),
  tests(
    "units",
    "tests/data",
    "tests/expr",
    "tests/project",
    "tests/transforms",
    "tests/engine",
    ...withoutServers("tests/connectors"),
    "tests/platform",
    "tests/app",
    "tests/observe",
    "tests/windows",
    "tests/tables",
    "tests/lint",
  ),
  tests("damaged inputs", "tests/fuzz"),
  tests("simulation", "tests/sim", "tests/protocol"),
  tests("golden", "tests/oracle", "tests/golden", "tests/repartition", "tests/prove"),
  tests("trades", "tests/trades"),
  tests("fintech", "tests/fintech"),
  tests("command line", "tests/cli"),
  tests("documents", "tests/docs"),
  { name: "page", args: ["test", "-A", "--no-check", "--quiet", "tests/page"], counts: true },
  { name: "servers", args: ["test", "-A", "--no-check", "--quiet", ...ON_SERVERS], counts: true },
];

interface Result {
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

// Colours are switched off by NO_COLOR; what a child prints through all the same is not counted wrong.
const ESCAPE = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");
const plain = (text: string): string => text.replaceAll(ESCAPE, "");

async function run(part: Part): Promise<Result> {
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...part.args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { DENO_JOBS: "2", NO_COLOR: "1" },
  }).spawn();
  const pass = async (from: ReadableStream<Uint8Array>, to: typeof Deno.stdout): Promise<string> => {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of from) {
      text += decoder.decode(chunk, { stream: true });
      await to.write(chunk);
    }
    return text;
  };
  const [out, , status] = await Promise.all([pass(child.stdout, Deno.stdout), pass(child.stderr, Deno.stderr), child.status]);
  const seconds = (performance.now() - started) / 1000;
  const counts = part.counts ? [...plain(out).matchAll(/\| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/g)].at(-1) : undefined;
  if (!counts) return { passed: status.success && !part.counts ? 1 : 0, failed: status.success && !part.counts ? 0 : 1, seconds };
  const failed = Number(counts[2]);
  return { passed: Number(counts[1]), failed: failed === 0 && !status.success ? 1 : failed, seconds };
}

const wanted = Deno.args;
const unknown = wanted.filter((name) => !PARTS.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`no part ${unknown.join(", ")}; there are: ${PARTS.map((part) => part.name).join(", ")}`);
  Deno.exit(2);
}
const results: [string, Result][] = [];
for (const part of PARTS) {
  if (wanted.length > 0 && !wanted.includes(part.name)) continue;
  console.log(`\n== ${part.name}`);
  results.push([part.name, await run(part)]);
}
const total = results.reduce((sum, [, result]) => ({ passed: sum.passed + result.passed, failed: sum.failed + result.failed }), {
  passed: 0,
  failed: 0,
});
console.log("\n== times");
for (const [name, { passed, failed, seconds }] of results) {
  console.log(`${name.padEnd(14)} ${seconds.toFixed(1).padStart(6)} s  ${String(passed).padStart(4)} passed  ${failed} failed`);
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
Deno.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
