/** The oracle, by processor. */
import type { Processor } from "../oracle/fintech/acceptance.ts";
import type { Counters } from "../oracle/fintech/intake.ts";
import { fraud } from "../oracle/fintech/fraud.ts";
import { lifecycle } from "../oracle/fintech/lifecycle.ts";
import { merchants } from "../oracle/fintech/merchants.ts";
import { metrics } from "../oracle/fintech/metrics.ts";
import type { Message, OutputRow, Profile } from "../oracle/fintech/rows.ts";

export const PROCESSORS: readonly Processor[] = ["lifecycle", "merchants", "metrics", "fraud"];
export const PROFILES: readonly Profile[] = ["AS-RUN", "FIXED", "EXT"];

/**
 * What is most frequent of places and devices under AS-RUN: among equals the smallest, where the original takes the first in the order of a
 * Java hash map whose size depends on the window (docs/statements/fintech.md).
 */
function smallestOfEquals(row: OutputRow): OutputRow {
  const preferred = (counts: unknown): string => {
    const entries = Object.entries(counts as Readonly<Record<string, number>>);
    const most = Math.max(...entries.map(([, count]) => count));
    return entries.filter(([, count]) => count === most).map(([value]) => value).sort()[0] ?? "unknown";
  };
  return { ...row, preferredLocation: preferred(row.locationCounts), preferredDevice: preferred(row.deviceCounts) };
}

/** What the processor should give, `clock` deciding the windows of `metrics`. */
export function expected(
  processor: Processor,
  profile: Profile,
  messages: readonly Message[],
  clock: "arrival" | "event" = "arrival",
): { readonly rows: readonly OutputRow[]; readonly counters: Counters } {
  switch (processor) {
    case "lifecycle":
      return lifecycle(messages, profile);
    case "merchants":
      return merchants(messages, profile);
    case "metrics": {
      const { rows, counters } = metrics(messages, profile, clock);
      return { rows: profile === "AS-RUN" ? rows.map(smallestOfEquals) : rows, counters };
    }
    case "fraud":
      return fraud(messages, profile);
  }
}
