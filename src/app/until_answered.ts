/**
 * Waiting for a checkpoint store that does not answer, where nobody else does: at a run's start and at its end. While lanes run
 * they wait by themselves (engine/lane.ts).
 */
import { MillraceError } from "../data/fault.ts";
import type { World } from "../ports/mod.ts";

const WAIT_MIN_MS = 50;
const WAIT_MAX_MS = 2_000;
const REPORT_EVERY_MS = 10_000;

/** Asks until there is an answer, or the signal comes: then the fault is thrown. `ask` must be one that may be asked twice. */
export async function untilAnswered<T>(world: World, signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  let reportedMs = -Infinity;
  for (let waitMs = WAIT_MIN_MS;; waitMs = Math.min(WAIT_MAX_MS, waitMs * 2)) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof MillraceError) || error.retry !== "wait" || signal.aborted) throw error;
      const nowMs = world.clock.monotonicMs();
      if (nowMs - reportedMs >= REPORT_EVERY_MS) {
        reportedMs = nowMs;
        world.log.event("warning", error.code, { reason: error.message });
      }
      await world.clock.sleep(waitMs, signal);
    }
  }
}
