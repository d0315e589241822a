/** A planned stop after some time or some records, as if a person had asked for it. */
import { MillraceError } from "../data/fault.ts";
import { parseDuration } from "../data/time.ts";
import type { Clock } from "../ports/mod.ts";
import type { RunEvents } from "./events.ts";

export interface StopWishes {
  /** "30s" */
  readonly for?: string;
  /** Records read by all pipelines of this process together. */
  readonly count?: number;
}
export interface PlannedStop {
  /** Aborts at the wished stop, and when `signal` does. */
  readonly signal: AbortSignal;
  /** The events, watched for their records. */
  readonly events: RunEvents;
  /** Forgets the timer. */
  release(): void;
}

/** Throws MillraceError "usage" where `for` is not a duration. */
export function stopAfter(wishes: StopWishes, signal: AbortSignal, events: RunEvents, clock: Clock): PlannedStop {
  const stop = new AbortController();
  const over = new AbortController();
  if (wishes.for !== undefined) {
    const micros = parseDuration(wishes.for);
    if (!(micros > 0)) throw new MillraceError("usage", `--for ${wishes.for}: not a duration`, { hint: "write for example 30s, 5m or 1h" });
    void clock.sleep(micros / 1000, over.signal).then(() => over.signal.aborted || stop.abort("for"));
  }
  const records = new Map<string, number>();
  return {
    signal: AbortSignal.any([signal, stop.signal]),
    events: {
      ...events,
      progress(progress) {
        events.progress(progress);
        if (wishes.count === undefined) return;
        records.set(progress.pipeline, progress.recordsNow);
        let sum = 0;
        for (const read of records.values()) sum += read;
        if (sum >= wishes.count) stop.abort("count");
      },
    },
    release: () => over.abort(),
  };
}
