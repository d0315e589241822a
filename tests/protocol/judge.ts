/** Runs an experiment and compares what it found with what it must find. */
import type { Experiment } from "./experiments.ts";
import { explore, type Outcome } from "./explore.ts";

/** What a search found, and how that differs from what it must find ("" where it does not). */
export interface Judgement {
  readonly outcome: Outcome;
  readonly differs: string;
}

/** A search that is to be cut short ends after as many states as are expected of it. */
export function judge({ model, expected }: Experiment): Judgement {
  const cut = "search" in expected && expected.search === "cut_short";
  const outcome = explore(model, cut ? expected.states - 1 : undefined);
  return { outcome, differs: difference(expected, outcome) };
}

function difference(expected: Experiment["expected"], { fault, trace, states, complete }: Outcome): string {
  if ("fault" in expected) {
    if (!fault.includes(expected.fault)) return `expected "${expected.fault}", found ${fault ? `"${fault}"` : "no fault"}`;
    return trace.length === expected.steps ? "" : `expected ${expected.steps} steps, found ${trace.length}`;
  }
  if (fault) return `expected no fault, found "${fault}"`;
  if (complete !== (expected.search === "all")) {
    return complete ? "the search ended, it is no longer cut short" : "the search was cut short";
  }
  return states === expected.states ? "" : `expected ${expected.states} states, saw ${states}`;
}
