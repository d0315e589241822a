/**
 * What must hold at every protocol step, as tests/protocol/properties.ts has it: head and its owner never go back; a sink is where the
 * lane's head is, or one epoch further, and then holds the very epoch that an open intent announces; all that are further hold the same.
 */
import { decodeHead, type Head } from "../../src/engine/head.ts";
import { digestOf } from "../../src/engine/schedule.ts";
import type { ProtocolStep } from "../../src/ports/mod.ts";
import type { SimWorld } from "../../src/sim/world.ts";
import { KV_PATH, type MarkedSink, RUN } from "./pipeline.ts";

/** Steps at which something durable may have changed. */
const WATCHED: ReadonlySet<ProtocolStep> = new Set(["intent_written", "sink_delivered", "state_written", "head_flipped", "loaded"]);

interface Seen {
  readonly versionstamp: string;
  readonly head: Head;
}

/** Gives a function to call at every step; it reports what it sees wrong. */
export function watchMarkers(
  world: SimWorld,
  lanes: number,
  sinks: readonly MarkedSink[],
  report: (problem: string) => void,
): (step: ProtocolStep) => void {
  const seen = new Map<number, Seen>();
  const store = world.kvStore(KV_PATH);
  const headOf = (lane: number): Head | null => {
    const entry = store.get(["lane", RUN, lane, "head"]);
    if (entry === null) return null;
    const before = seen.get(lane);
    if (before?.versionstamp === entry.versionstamp) return before.head;
    const head = decodeHead(entry.value);
    if (before && head.epoch < before.head.epoch) report(`lane ${lane}: head went back from epoch ${before.head.epoch} to ${head.epoch}`);
    if (before && head.generation < before.head.generation) report(`lane ${lane}: the owner's generation went back`);
    seen.set(lane, { versionstamp: entry.versionstamp, head });
    return head;
  };
  return (step) => {
    if (!WATCHED.has(step)) return;
    for (let lane = 0; lane < lanes; lane++) {
      const head = headOf(lane);
      if (head === null) continue;
      for (const { name, marker: read } of sinks) {
        const marker = read(lane);
        if (marker === null || marker.epoch < head.epoch) continue;
        if (marker.epoch === head.epoch) {
          if (marker.digest !== head.digest) report(`lane ${lane}: ${name} holds another epoch ${head.epoch} than head`);
          continue;
        }
        const announced = head.intent && digestOf({ run: RUN, lane, epoch: head.epoch + 1, before: head.digest }, head.intent);
        if (marker.epoch === head.epoch + 1 && marker.digest === announced) continue;
        const intent = head.intent === null ? "without an intent" : "with an intent";
        report(`lane ${lane}: ${name} is at epoch ${marker.epoch} while head is at ${head.epoch} ${intent}`);
      }
    }
  };
}
