/**
 * Compares what a sink says it holds with what head says it was given. Invariant: a lane goes on only where both tell the same
 * history; nothing is skipped or delivered twice on a guess.
 */
import { MillraceError } from "../data/fault.ts";
import type { Anew, Marker } from "./contracts.ts";
import type { Head } from "./head.ts";
import { choicesText, shownSink } from "./known_runs.ts";

/** "behind": holds everything up to head. "ahead": holds the open epoch too, so that it must not be delivered again. */
export type SinkStanding = "behind" | "ahead";

/**
 * Where an exactly-once sink stands. It may leave out the markers of epochs that gave it no rows: between its newest epoch with
 * rows and head every marker is as good. `openDigest` is that of head's intent, null when none is open; `anew` goes into the advice.
 */
export function judgeMarker(sink: string, marker: Marker | null, head: Head, openDigest: string | null, anew?: Anew): SinkStanding {
  const last = head.sinks.find((one) => one.sink === sink);
  const held = marker ?? { epoch: 0, digest: "" };
  const { epoch, digest } = held;
  if (epoch === head.epoch + 1 && openDigest !== null && digest === openDigest) return "ahead";
  if (epoch === head.epoch && (epoch === 0 || digest === head.digest)) return "behind";
  if (epoch === (last?.epoch ?? 0) && (epoch === 0 || digest === last?.digest)) return "behind";
  if (epoch > (last?.epoch ?? 0) && epoch < head.epoch) return "behind";
  throw mismatch(sink, held, head, { lastEpoch: last?.epoch ?? 0, anew });
}

function mismatch(
  name: string,
  held: Marker,
  head: Head,
  { lastEpoch, anew }: { readonly lastEpoch: number; readonly anew: Anew | undefined },
): MillraceError {
  const sink = shownSink(name);
  const says = `sink "${sink}" holds epoch ${held.epoch}${held.digest && ` (${held.digest.slice(0, 12)})`}`;
  const knows = `the checkpoint is at epoch ${head.epoch}${
    head.digest && ` (${head.digest.slice(0, 12)})`
  }, the sink's newest rows should be those of epoch ${lastEpoch}`;
  const cause = held.epoch > head.epoch
    ? "the checkpoint was lost or restored from an older copy"
    : held.epoch < lastEpoch
    ? "the sink was emptied or restored from an older copy"
    : "sink and checkpoint come from different histories";
  return new MillraceError("marker_mismatch", `${says}, but ${knows}: ${cause}. Nothing was written`, { hint: choicesText(sink, anew) });
}
