/**
 * The card payments end to end on this machine alone:
 *   deno task demo          load, produce, validate, settle, load the results; then a summary
 *   deno task demo --kill   the same, but the validator is killed with SIGKILL inside epochs, and the files compared
 */
import { createHash } from "node:crypto";

const PROJECT = "config/cards";
const FILES = ["stream_transactions.csv", "batch_transactions.csv", "cards_updated.csv", "customers_updated.csv"];
const SMALL_EPOCHS = ["--set", "epoch.records_max=10"];
/** Protocol steps at which the validator dies, one after another. */
const KILLS = ["batch_processed:9", "intent_written:12", "sink_delivered:15", "state_written:18"];

interface Ended {
  readonly code: number;
  readonly killed: boolean;
  readonly output: string;
}

async function millrace(words: readonly string[], env: Record<string, string>, show: "shown" | "kept"): Promise<Ended> {
  const io = show === "shown" ? "inherit" as const : "piped" as const;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "src/main.ts", ...words],
    env,
    stdin: "null",
    stdout: io,
    stderr: io,
  });
  if (show === "shown") {
    const status = await child.spawn().status;
    return { code: status.code, killed: status.signal === "SIGKILL", output: "" };
  }
  const result = await child.output();
  const text = new TextDecoder();
  return { code: result.code, killed: result.signal === "SIGKILL", output: text.decode(result.stdout) + text.decode(result.stderr) };
}

async function must(words: readonly string[], env: Record<string, string>, show: "shown" | "kept"): Promise<void> {
  const { code, output } = await millrace(words, env, show);
  if (code === 0) return;
  console.error(output);
  console.error(`millrace ${words.join(" ")} ended with ${code}`);
  Deno.exit(1);
}

const sha256 = async (path: string): Promise<string> => createHash("sha256").update(await Deno.readFile(path)).digest("hex");

async function killed(): Promise<void> {
  const straight = { CARDS_OUTPUT: "out/cards" };
  const broken = { CARDS_OUTPUT: "out/cards-killed" };
  console.log("1. An undisturbed run, for comparison");
  await must(["run", PROJECT, "--rerun", "--quiet"], straight, "kept");
  console.log("2. The same in out/cards-killed, at most 10 records an epoch, the validator killed inside epochs");
  await must(["load", "initial", "-c", PROJECT, "--rerun", "-q"], broken, "kept");
  await must(["produce", "-c", PROJECT, "--rerun", "-q"], broken, "kept");
  let rerun = ["--rerun"];
  for (const at of KILLS) {
    const { killed, code, output } = await millrace(["stream", "-c", PROJECT, "-q", ...SMALL_EPOCHS, ...rerun], {
      ...broken,
      MILLRACE_KILL_AT: at,
    }, "kept");
    if (!killed) {
      console.error(`${output}\nthe validator was to be killed at ${at}, but ended with ${code}`);
      Deno.exit(1);
    }
    console.log(`   SIGKILL at protocol step ${at.replace(":", ", passing ")}`);
    rerun = [];
  }
  await must(["stream", "-c", PROJECT, "-q", ...SMALL_EPOCHS], broken, "kept");
  console.log("   restarted: it went on to the end");
  await must(["batch", "-c", PROJECT, "--rerun", "-q"], broken, "kept");
  console.log("3. The files of both runs, sha-256");
  let equal = true;
  for (const file of FILES) {
    const [a, b] = [await sha256(`${straight.CARDS_OUTPUT}/${file}`), await sha256(`${broken.CARDS_OUTPUT}/${file}`)];
    equal &&= a === b;
    console.log(`   ${file.padEnd(26)} ${a.slice(0, 16)}  ${b.slice(0, 16)}  ${a === b ? "the same bytes" : "DIFFERENT"}`);
  }
  if (!equal) Deno.exit(1);
}

const unknown = Deno.args.filter((word) => word !== "--kill");
if (unknown.length > 0) {
  console.error(`unknown option ${unknown.join(" ")}\nusage: deno task demo [--kill]`);
  Deno.exit(2);
}
if (Deno.args.includes("--kill")) await killed();
else await must(["run", PROJECT, "--rerun"], {}, "shown");
