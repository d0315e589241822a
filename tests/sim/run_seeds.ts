/**
 * Runs every STEP-th seed from FIRST to LAST, up to the first that fails: `deno run -A tests/sim/run_seeds.ts FIRST LAST STEP [SINK...]`.
 * Prints a SeedsRun as JSON. One process per core shares the seeds out by their remainders. Named sinks take the place of those that a seed
 * chooses.
 */
import { cpuUsage } from "node:process";
import { ignoreCrashed } from "./ignore_crashed.ts";
import { runSimulation } from "./run_simulation.ts";
import type { SinkKind } from "./setup.ts";

export interface SeedsRun {
  readonly runs: number;
  readonly cpuMs: number;
  readonly events: number;
  /** How often what struck, and behind which protocol step. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly struckAfter: Readonly<Record<string, number>>;
  readonly failed: { readonly seed: number; readonly problem: string } | null;
}

async function runSeeds(first: number, last: number, step: number, sinks?: readonly SinkKind[]): Promise<SeedsRun> {
  const kinds: Record<string, number> = {};
  const struckAfter: Record<string, number> = {};
  const begin = cpuUsage();
  let [runs, events] = [0, 0];
  let failed: SeedsRun["failed"] = null;
  for (let seed = first; seed <= last && failed === null; seed += step) {
    const outcome = await runSimulation(seed, { sinks });
    runs++;
    events += outcome.events;
    for (const { kind, after } of outcome.strikes) {
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      struckAfter[after] = (struckAfter[after] ?? 0) + 1;
    }
    if (outcome.problems.length > 0) failed = { seed, problem: outcome.problems[0]! };
  }
  const { user, system } = cpuUsage(begin);
  return { runs, cpuMs: (user + system) / 1000, events, kinds, struckAfter, failed };
}

if (import.meta.main) {
  const [first, last, step] = Deno.args.slice(0, 3).map(Number);
  const sinks = Deno.args.slice(3) as SinkKind[];
  if (![first, last, step].every((number) => Number.isInteger(number) && number! > 0)) {
    console.error("usage: deno run -A tests/sim/run_seeds.ts FIRST LAST STEP [SINK...]");
    Deno.exit(2);
  }
  ignoreCrashed();
  console.log(JSON.stringify(await runSeeds(first!, last!, step!, sinks.length > 0 ? sinks : undefined)));
}
