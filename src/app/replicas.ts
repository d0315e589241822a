/**
 * What replicas of a pipeline agree upon through the run record: which run it is, and who opens the sinks of a new one. Invariant:
 * what earlier runs left is cleared by one of them, before any lane of the run begins.
 */
import type { Replicas } from "../engine/run_contracts.ts";
import type { World } from "../ports/mod.ts";
import type { RunRecords } from "./run_record.ts";
import { untilAnswered } from "./until_answered.ts";

const OPENED_POLL_MS = 200;
/** Whoever was to open the sinks is given up for dead after this long: opening them takes seconds, and may be done twice. */
const OPENED_WITHIN_MS = 60_000;

/** `opener` names this process. */
export function replicasOf(
  records: RunRecords,
  run: string,
  opener: string,
  { world, signal }: { readonly world: World; readonly signal: AbortSignal },
): Replicas {
  const patiently = <T>(ask: () => Promise<T>): Promise<T> => untilAnswered(world, signal, ask);
  return {
    async mayClear() {
      const sinceMs = world.clock.monotonicMs();
      for (;;) {
        const opening = (await patiently(() => records.updateRun(run, () => null))).opening ?? null;
        if (opening === null) return "others have begun";
        if (opening === opener) return "nobody has begun";
        if (signal.aborted) return "others have begun";
        if (world.clock.monotonicMs() - sinceMs > OPENED_WITHIN_MS) {
          await patiently(() => records.updateRun(run, (record) => record.opening === opening ? { ...record, opening: opener } : null));
        } else {
          await world.clock.sleep(OPENED_POLL_MS, signal);
          await patiently(() => records.reload());
        }
      }
    },
    async opened() {
      await patiently(() => records.updateRun(run, (record) => record.opening === opener ? { ...record, opening: null } : null));
    },
    requireRun: () => patiently(() => records.requireRun(run)),
  };
}
