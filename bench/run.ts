/**
 * What a record costs: the validate step, CSV to CSV, exactly-once, with the settings a user gets.
 *   deno task bench [--transactions 1000000] [--customers 50000] [--runs 3]
 * CPU is user and system time of the whole process, start-up included; memory is its peak. Input is made once per size. What runs is
 * the bundle that the binary is made of, made anew each time; with MILLRACE_BIN it is that binary, with MILLRACE_SOURCE=1 the source.
 */
import { bundle, LAUNCHER, RUN_OPTIONS } from "../scripts/bundle.ts";

const options: Record<string, number> = { transactions: 1_000_000, customers: 50_000, runs: 3 };
for (let i = 0; i < Deno.args.length; i += 2) {
  const name = Deno.args[i].replace(/^--/, "");
  const value = Number(Deno.args[i + 1]);
  if (!(name in options) || !Number.isInteger(value) || value < 1) {
    console.error("usage: deno task bench [--transactions N] [--customers N] [--runs N]");
    Deno.exit(2);
  }
  options[name] = value;
}

interface Cost {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMegabytes: number;
}

/** The command that runs the program. */
async function findProgram(): Promise<readonly string[]> {
  const binary = Deno.env.get("MILLRACE_BIN");
  if (binary) return [binary];
  if (Deno.env.get("MILLRACE_SOURCE")) return [Deno.execPath(), "run", "--quiet", ...RUN_OPTIONS, "src/main.ts"];
  const folder = "out/bench/bundle";
  if (!await bundle(folder, "run")) Deno.exit(1);
  return [`${folder}/${LAUNCHER}`];
}
const program = await findProgram();

/** Runs the program under a shell whose `times` knows what its children used. */
async function measure(words: readonly string[], env: Record<string, string>): Promise<Cost> {
  const command = [...program, ...words].map((word) => `'${word}'`).join(" ");
  const started = performance.now();
  const child = new Deno.Command("bash", {
    args: ["-c", `${command} >&2 & echo $!; wait $! || exit 1; times`],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  let text = "";
  let peakKilobytes = 0;
  const decoder = new TextDecoder();
  const watch = setInterval(() => {
    const id = /^(\d+)\n/.exec(text)?.[1];
    if (!id) return;
    try {
      const status = Deno.readTextFileSync(`/proc/${id}/status`);
      peakKilobytes = Math.max(peakKilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // Ended, or not on Linux: then the peak stays unknown.
    }
  }, 20);
  const errors = new Response(child.stderr).text();
  for await (const chunk of child.stdout) text += decoder.decode(chunk);
  clearInterval(watch);
  const wallSeconds = (performance.now() - started) / 1000;
  if (!(await child.status).success) throw new Error(await errors);
  const seconds = [...text.matchAll(/(\d+)m([\d.]+)s/g)].map((match) => Number(match[1]) * 60 + Number(match[2]));
  return { wallSeconds, cpuSeconds: seconds[2] + seconds[3], peakMegabytes: peakKilobytes / 1024 };
}

const { transactions, customers, runs } = options;
const input = `out/bench/input-${transactions}-${customers}`;
try {
  await Deno.stat(`${input}/transactions.csv`);
} catch {
  console.log(`making ${transactions} transactions in ${input}`);
  await measure([
    "generate",
    "cards",
    "--customers",
    String(customers),
    "--transactions",
    String(transactions),
    "--seed",
    "1",
    "--output",
    input,
  ], {});
}
const cards = (await Deno.readTextFile(`${input}/cards.csv`)).split("\n").length - 2;
console.log(`validate, CSV to CSV, exactly-once: ${transactions} transactions, ${cards} cards`);
console.log("run   records/s   CPU µs/record   peak MB");
for (let run = 1; run <= runs; run++) {
  const cost = await measure(["run", "bench/validate.toml", "--rerun", "-q"], { BENCH_INPUT: input });
  const rate = Math.round(transactions / cost.wallSeconds).toString().padStart(9);
  const perRecord = (cost.cpuSeconds / transactions * 1e6).toFixed(2).padStart(13);
  console.log(`${String(run).padStart(3)}   ${rate}   ${perRecord}   ${cost.peakMegabytes.toFixed(0).padStart(7)}`);
}
