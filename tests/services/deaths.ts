/** Deaths by SIGKILL for the tests of recovery: at named protocol steps, at any step, from outside at any moment; from one seed. */
import { SeededSequence } from "../../src/connectors/generate/seeded_sequence.ts";
import type { ProtocolStep } from "../../src/ports/probe.ts";

const STEPS: readonly ProtocolStep[] = [
  "fenced",
  "loaded",
  "batch_processed",
  "epoch_closed",
  "intent_written",
  "sink_delivered",
  "state_written",
  "head_flipped",
  "take_over",
  "finishing",
  "published",
];
/** Steps after the last epoch: worth a kill, but nothing is unread or open then, so they are not counted. */
export const AFTER_THE_LAST_EPOCH: ReadonlySet<ProtocolStep> = new Set(["finishing", "published"]);
/** Steps that come once or twice in a life; the others come with every epoch. */
const RARE: ReadonlySet<ProtocolStep> = new Set(["take_over", "fenced", "loaded", "finishing", "published"]);

/** How one life ends. */
export type Death =
  | { readonly kind: "step"; readonly step: ProtocolStep; readonly count: number }
  | { readonly kind: "any_step"; readonly count: number }
  | { readonly kind: "outside"; readonly afterMs: number };

/** Endless. */
export function* deaths(seed: number): Generator<Death, never> {
  const sequence = new SeededSequence(seed, "deaths");
  for (let life = 0;; life++) {
    if (life % 4 === 1) yield { kind: "any_step", count: sequence.between(5, 60) };
    else if (life % 4 === 3) yield { kind: "outside", afterMs: sequence.between(150, 650) };
    else {
      const step = STEPS[sequence.between(0, STEPS.length - 1)];
      yield { kind: "step", step, count: RARE.has(step) ? 1 : sequence.between(2, 8) };
    }
  }
}

/** As it stands in a histogram. */
export const nameOf = (death: Death): string => death.kind === "step" ? death.step : death.kind === "any_step" ? "any step" : "any moment";
/** "any step 7, batch_processed 2, ..." */
export const histogramText = (histogram: ReadonlyMap<string, number>): string =>
  [...histogram].toSorted().map(([name, count]) => `${name} ${count}`).join(", ");

/** What the product is told, so that it dies there. */
export function killEnvironment(death: Death): Record<string, string> {
  switch (death.kind) {
    case "step":
      return { MILLRACE_KILL_AT: `${death.step}:${death.count}` };
    case "any_step":
      return { MILLRACE_KILL_AFTER_STEPS: String(death.count) };
    case "outside":
      return {};
  }
}
