/** From a failed proof to the smallest one that fails too. What is told was run and did fail; the proof that failed first where nothing smaller does. */
import { isExact } from "./compare.ts";
import type { World } from "../../ports/mod.ts";
import { type Proof, type ProofOptions, proveProject } from "./prove_project.ts";
import { SHRINKS_MAX } from "./limits.ts";

/** Fails whenever it is run. */
export interface Failing {
  readonly seed: number;
  readonly kills: number;
  readonly records: number;
}

export async function shrink(world: World, options: ProofOptions, failed: Proof): Promise<Failing> {
  const { seed, records } = failed;
  const whole = { seed, kills: failed.kills, records };
  for (const candidate of candidates(whole).slice(0, SHRINKS_MAX)) {
    options.tell(`does it fail with seed ${candidate.seed}, ${candidate.kills} kills and ${candidate.records} records?`);
    const subject = { ...options.subject, seed: candidate.seed, records: candidate.records };
    const proof = await proveProject(world, { ...options, subject, until: { kills: candidate.kills } }).catch((error: unknown) => {
      // Too few records to be killed at: no smaller failure, and none of the project's.
      if (error instanceof Error && "code" in error && error.code === "prove_idle") return null;
      throw error;
    });
    if (proof && proof.kills > 0 && (proof.failedRun !== "" || !proof.sinks.every(isExact))) {
      return { ...candidate, kills: proof.kills };
    }
  }
  return whole;
}

/** Smaller ones, the smallest first. */
function candidates({ seed, kills, records }: Failing): Failing[] {
  const smaller: Failing[] = [];
  for (const part of [8, 4, 2, 1]) {
    for (const few of [1, 3, 6]) {
      const candidate = { seed, kills: few, records: Math.ceil(records / part) };
      if (few < kills && candidate.records >= 20) smaller.push(candidate);
    }
  }
  return smaller;
}
