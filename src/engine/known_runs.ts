/**
 * Whether the sinks hold rows of a run that the checkpoint knows nothing of: it was lost then, or restored from an older copy. Invariant:
 * asked before any sink is opened, so that a start that is refused has written nothing and cleared nothing.
 */
import { MillraceError } from "../data/fault.ts";
import type { Anew, HeldRun, PipelinePlan, Sink } from "./contracts.ts";
import type { Head } from "./head.ts";
import type { EngineOptions } from "./run_contracts.ts";

/** Throws MillraceError "checkpoint_lost". `heads` are those of all lanes; of replicas, which have some of them, none. */
export async function requireKnownRuns(
  { plan, run, knowsRun }: Pick<EngineOptions, "plan" | "run" | "knowsRun">,
  lanes: number,
  heads: readonly (Head | null)[],
): Promise<void> {
  if (!knowsRun) return;
  for (const { name, sink } of plan.sinks) {
    if (sink.guarantee !== "exactly-once" || !sink.heldRuns) continue;
    // Where each lane gave it rows, a sink that knows another run better lacks the marker that is demanded of it.
    if (heads.length > 0 && heads.every((head) => head?.sinks.some((fed) => fed.sink === name))) continue;
    const held = await sink.heldRuns({ pipeline: plan.pipeline, shownAs: plan.shownAs, lanes });
    const unknown = held.filter((one) => one.run !== run && !knowsRun(one.run));
    if (unknown.length > 0) throw lost(plan, name, sink, unknown);
  }
}

function lost(plan: PipelinePlan, name: string, { anew }: Sink, unknown: readonly HeldRun[]): MillraceError {
  const runs = unknown.map(({ run, epoch }) => epoch === null ? run : `${run} up to epoch ${epoch}`).join(" and ");
  const shown = shownSink(name);
  return new MillraceError(
    "checkpoint_lost",
    `sink "${shown}" holds run ${runs}, of which the checkpoint of "${plan.shownAs ?? plan.pipeline}" knows nothing: it was lost or ` +
      "restored from an older copy. Nothing was written",
    { hint: choicesText(shown, anew) },
  );
}

/** A plan names sinks apart from what feeds them. */
export const shownSink = (name: string): string => name.replace(/^sink:/, "");

/** What can be done about a checkpoint that does not fit a sink. */
export function choicesText(sink: string, anew: Anew | undefined): string {
  return `(1) bring back the state folder that belongs to what the sinks hold, from a backup of the same moment; or (2) start over with --rerun,
from the beginning of the input: ${effectOf(sink, anew)}. What the sink holds cannot be gone on from: its marker says which epoch that is,
not what was read and what the state was. docs/operations.md tells more`.replaceAll("\n", " ");
}

function effectOf(sink: string, anew: Anew | undefined): string {
  switch (anew) {
    case "overwritten":
      return `in "${sink}" rows are written over where the new run writes their key, and others stay`;
    case "repeated":
      return `"${sink}" keeps what it holds and gets all of it again behind that, so its readers meet the records twice`;
    case "refused":
      return `"${sink}" refuses that as long as the earlier run's rows are there, which you may remove`;
    default:
      return `what "${sink}" holds is replaced by the new run's`;
  }
}
