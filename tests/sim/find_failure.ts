/**
 * Runs seeds from 1 until one fails: `deno run -A tests/sim/find_failure.ts SEEDS_MAX`. Prints {"seed": N, "problem": "..."} as
 * JSON; seed is null when none failed.
 */
import { ignoreCrashed } from "./ignore_crashed.ts";
import { runSimulation } from "./run_simulation.ts";

const seedsMax = Number(Deno.args[0]);
ignoreCrashed();
let found: { seed: number | null; problem: string } = { seed: null, problem: "" };
for (let seed = 1; seed <= seedsMax && found.seed === null; seed++) {
  const { problems } = await runSimulation(seed);
  if (problems.length > 0) found = { seed, problem: problems[0]! };
}
console.log(JSON.stringify(found));
