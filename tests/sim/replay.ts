/** Replays one seed: `deno run -A tests/sim/replay.ts SEED`. Exits with 1 when it fails. */
import { ignoreCrashed } from "./ignore_crashed.ts";
import { explainFailure } from "./explain_failure.ts";
import { runSimulation } from "./run_simulation.ts";

const seed = Number(Deno.args[0]);
if (!Number.isInteger(seed)) {
  console.error("usage: deno run -A tests/sim/replay.ts SEED");
  Deno.exit(2);
}
ignoreCrashed();
const outcome = await runSimulation(seed);
if (outcome.problems.length === 0) {
  console.log(`seed ${seed}: as it must be; ${outcome.strikes.length} faults, ${outcome.events} events, trace ${outcome.hash}`);
} else {
  console.log(await explainFailure(seed));
  Deno.exitCode = 1;
}
