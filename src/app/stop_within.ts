/**
 * The deadline of a planned stop. Invariant: it changes nothing about what is exactly once: whoever leaves at the deadline leaves as if
 * killed, with an epoch that the next start completes or attempts anew.
 */
import { MillraceError } from "../data/fault.ts";
import { formatDuration } from "../data/duration.ts";
import { parseDuration } from "../data/time.ts";
import type { Clock } from "../ports/mod.ts";
import type { PipelineBlueprint } from "../project/contracts.ts";

export interface StopDeadline {
  /** The signal of the user, whose reason names it. A stop after a time or a count has no deadline. */
  readonly signal: AbortSignal;
  readonly chosen: readonly PipelineBlueprint[];
  /** "25s"; absent: the longest that a chosen pipeline states. */
  readonly wished?: string;
  readonly clock: Clock;
}

/**
 * Begins the work and gives its result; throws MillraceError "stop_deadline" where it is still under way that long after the signal. The caller then
 * has to leave the process: the work goes on as long as it is there.
 */
export async function stopWithin<T>(begin: () => Promise<T>, { signal, chosen, wished, clock }: StopDeadline): Promise<T> {
  const withinMs = wished === undefined ? Math.max(0, ...chosen.map(({ stopWithinMs }) => stopWithinMs)) : readWish(wished);
  const work = begin();
  const over = new AbortController();
  const deadline = (async (): Promise<"late"> => {
    await aborted(signal, over.signal);
    await clock.sleep(withinMs, over.signal);
    return "late";
  })();
  try {
    // The work is asked first: what ended in time has.
    const ended = await Promise.race([work.then((result) => ({ result })), deadline]);
    if (ended !== "late") return ended.result;
    throw new MillraceError("stop_deadline", `not stopped within ${formatDuration(withinMs * 1000)} of ${signal.reason}`, {
      hint: "nothing is lost or doubled: the next start completes the open epoch. A sink that is slow or away may need more: --stop-within",
    });
  } finally {
    over.abort();
  }
}

function readWish(text: string): number {
  const micros = parseDuration(text);
  if (micros >= 0) return micros / 1000;
  throw new MillraceError("usage", `--stop-within ${text}: not a duration`, { hint: "write for example 25s or 2m" });
}

function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  const any = AbortSignal.any([...signals]);
  if (any.aborted) return Promise.resolve();
  return new Promise((resolve) => any.addEventListener("abort", () => resolve(), { once: true }));
}
