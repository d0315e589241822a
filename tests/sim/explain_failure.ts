/** A failing seed for people: the fewest faults that still fail, what is wrong, and the newest steps before the end. */
import { runSimulation, type SimulationOutcome } from "./run_simulation.ts";
import { setupOf } from "./setup.ts";

const TRACE_LINES_MAX = 5_000;

/** Runs the seed again with ever more of its faults until it fails. */
export async function explainFailure(seed: number): Promise<string> {
  const { faults } = setupOf(seed);
  let failing: SimulationOutcome | null = null;
  let faultsMax = 0;
  for (; faultsMax <= faults.length && failing === null; faultsMax++) {
    const outcome = await runSimulation(seed, { faultsMax, traceLinesMax: TRACE_LINES_MAX });
    if (outcome.problems.length > 0) failing = outcome;
  }
  if (failing === null) return `seed ${seed} does not fail`;
  return [
    ...failing.trace,
    `seed ${seed} fails with the first ${faultsMax - 1} of its ${faults.length} faults; trace ${failing.hash}`,
    ...failing.strikes.map(({ kind, process, after }) => `  fault: ${kind} of ${process} after ${after}`),
    ...failing.problems.map((problem) => `  problem: ${problem}`),
    `replay it: deno run -A tests/sim/replay.ts ${seed}`,
  ].join("\n");
}
