/**
 * Any number of inputs: `deno run -A tests/fuzz/main.ts [INPUTS] [SEED] [TARGET|all] [FIRST]`, INPUTS of each target (default 100,000).
 * Prints a line per target: inputs, seconds, and how often each verdict came. Ends with 1 at the first finding of each target, with
 * the command that shows it again.
 */
import { TARGETS } from "./targets/mod.ts";
import { addVerdicts, tryWatched, TURN_INPUTS } from "./watched.ts";

const [inputs = "100000", seed = "1", wanted = "all", first = "0"] = Deno.args;
const tried = TARGETS.filter(({ name }) => wanted === "all" || name === wanted);
if (tried.length === 0 || ![inputs, seed, first].every((word) => /^\d+$/.test(word))) {
  console.error(
    `deno run -A tests/fuzz/main.ts [INPUTS] [SEED] [TARGET|all] [FIRST]; targets: ${TARGETS.map(({ name }) => name).join(", ")}`,
  );
  Deno.exit(2);
}
let findings = 0;
for (const { name } of tried) {
  const started = performance.now();
  const sum: Record<string, number> = {};
  let done = 0;
  try {
    while (done < Number(inputs)) {
      const count = Math.min(TURN_INPUTS, Number(inputs) - done);
      addVerdicts(sum, await tryWatched({ target: name, seed: Number(seed), first: Number(first) + done, count }));
      done += count;
    }
  } catch (error) {
    findings++;
    console.error(error instanceof Error ? error.message : String(error));
  }
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  console.log(JSON.stringify({ target: name, seed: Number(seed), inputs: done, seconds, verdicts: sum }));
}
Deno.exit(findings === 0 ? 0 : 1);
