/**
 * The compiled binary is the same program: it gives the committed bytes of a golden case, killed inside an epoch and started again
 * too. A base for the compiler is made by a script beside the checkout; elsewhere this is skipped by name.
 */
import assert from "node:assert/strict";
import { committedFiles, goldenCases, inputFolder } from "./cases.ts";
import { inTemporaryFolder, projectRoot } from "./command_line.ts";

const root = projectRoot();
const script = `${root}/../shared/denort/get.sh`;

interface Base {
  readonly deno: string;
  readonly denort: string;
}

/** A matching pair of compiler and base, or null where the script is missing; under CI that is an error. */
async function compilerBase(): Promise<Base | null> {
  try {
    await Deno.stat(script);
  } catch {
    if (Deno.env.get("CI") === "true") throw new Error("the script that makes the compiler's base is missing beside the checkout");
    console.log("skipped: the compiled binary (no base for the compiler beside the checkout)");
    return null;
  }
  const { code, stdout, stderr } = await new Deno.Command("bash", { args: [script] }).output();
  if (code !== 0) throw new Error(`DOWNLOAD FAILED: the compiler's base could not be had: ${new TextDecoder().decode(stderr)}`);
  const lines = new Map(new TextDecoder().decode(stdout).trim().split("\n").map((line) => line.split("=", 2) as [string, string]));
  return { deno: lines.get("DENO")!, denort: lines.get("DENORT_BIN")! };
}

async function run(binary: string, words: readonly string[], env: Record<string, string>): Promise<Deno.CommandOutput> {
  return await new Deno.Command(binary, { args: [...words], cwd: root, stdin: "null", stdout: "piped", stderr: "piped", env }).output();
}

const base = await compilerBase();
Deno.test(
  base ? "the compiled binary gives the same bytes" : "SKIPPED, no compiler base here: the compiled binary gives the same bytes",
  async () => {
    if (!base) return;
    const golden = goldenCases.find(({ name }) => name === "edges")!;
    await inTemporaryFolder(async (folder) => {
      const binary = `${folder}/millrace`;
      const compiled = await run(base.deno, ["run", "-A", "scripts/compile.ts", "--output", binary], {
        DENORT_BIN: base.denort,
        // The compiler of the pair fetches its bundler; some networks have certificates of their own.
        DENO_TLS_CA_STORE: "system,mozilla",
      });
      assert.equal(compiled.code, 0, new TextDecoder().decode(compiled.stderr));
      const [goldenRun] = golden.runs;
      const env = { CARDS_PROFILE: goldenRun.profile, CARDS_INPUT: inputFolder(golden), CARDS_OUTPUT: `${folder}/out` };
      const words = ["run", "config/cards", "-q", "--set", "epoch.records_max=10"];
      const killed = await run(binary, words, { ...env, MILLRACE_KILL_AT: "sink_delivered:40" });
      assert.equal(killed.signal, "SIGKILL", new TextDecoder().decode(killed.stderr));
      const { code, stderr } = await run(binary, words, env);
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      const published = [...committedFiles(golden, goldenRun)].filter(([name]) => name.endsWith(".csv"));
      assert.equal(published.length, 4);
      for (const [name, text] of published) assert.equal(await Deno.readTextFile(`${folder}/out/${name}`), text, name);
    });
  },
);
