/** How the lives of one round end, from a seed. Invariant: the same seed and round give the same deaths on every machine. */
import { SeededSequence } from "../../connectors/generate/seeded_sequence.ts";
import type { ProtocolStep } from "../../ports/mod.ts";

const EVERY_EPOCH: readonly ProtocolStep[] = [
  "batch_processed",
  "epoch_closed",
  "intent_written",
  "sink_delivered",
  "state_written",
  "head_flipped",
];
const EVERY_LIFE: readonly ProtocolStep[] = ["take_over", "fenced", "loaded", "finishing", "published"];
/** Nothing is unread and no epoch is open then: a kill there is worth trying and is not counted. */
const BEHIND_THE_LAST_EPOCH: ReadonlySet<string> = new Set(["finishing", "published"]);

/** One life's end: at the `count`-th passing of a step, or of any step. */
export interface Death {
  readonly step: ProtocolStep | "any step";
  readonly count: number;
  readonly isCounted: boolean;
}

/**
 * Endless. `reach`: the greatest count of a step; smaller where inputs are so small that a greater one was not met. Of three deaths two come at steps of an epoch: those decide whether a row is there once.
 */
export function* deaths(seed: number, round: number, reach: number): Generator<Death, never> {
  const sequence = new SeededSequence(seed, `deaths of round ${round}`);
  for (;;) {
    const kind = sequence.below(6);
    if (kind === 0) yield { step: "any step", count: sequence.between(reach, 8 * reach), isCounted: true };
    else if (kind === 1) {
      const step = sequence.pick(EVERY_LIFE);
      yield { step, count: sequence.between(1, 2), isCounted: !BEHIND_THE_LAST_EPOCH.has(step) };
    } else yield { step: sequence.pick(EVERY_EPOCH), count: sequence.between(1, reach), isCounted: true };
  }
}

/** What the child is told (platform/probe.ts). */
export function deathEnvironment({ step, count }: Death): Readonly<Record<string, string>> {
  return step === "any step" ? { MILLRACE_KILL_AFTER_STEPS: String(count) } : { MILLRACE_KILL_AT: `${step}:${count}` };
}
