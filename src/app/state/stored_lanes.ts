/**
 * What a pipeline's checkpoint holds, read without taking anything over. Invariant: nothing is written; where another process runs
 * the pipeline, the files are left alone and the caller is told who has them.
 */
import { MillraceError } from "../../data/fault.ts";
import { decodeHead, type Head, type StateEntry } from "../../engine/mod.ts";
import type { Kv, World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { mayHaveCheckpoint, openCheckpoint } from "../checkpoint_store.ts";
import { lockState, runsInReplicas } from "../run_pipeline.ts";

/** One lane of a run. */
export interface StoredLane {
  readonly lane: number;
  readonly head: Head;
  /** Its state in key order, as the engine reads it; empty where only heads were asked for. */
  readonly entries: readonly StateEntry[];
}

/** The linked pipelines that have checkpoints of their own. */
export const runnablesOf = (blueprint: PipelineBlueprint): readonly PipelineBlueprint[] =>
  blueprint.stages.length > 0 ? blueprint.stages : [blueprint];

/**
 * Gives `look` the checkpoint, or null where there is none. Nobody else opens the file meanwhile; a store that replicas share is
 * read beside them. Throws MillraceError "owned" while another process runs the pipeline.
 */
export async function withCheckpoint<T>(blueprint: PipelineBlueprint, world: World, look: (kv: Kv | null) => Promise<T>): Promise<T> {
  if (!(await mayHaveCheckpoint(blueprint, world))) return await look(null);
  const lock = runsInReplicas(blueprint) ? null : await lockState(blueprint, world);
  try {
    const kv = await openCheckpoint(blueprint, world);
    try {
      return await look(kv);
    } finally {
      kv.close();
    }
  } finally {
    lock?.release();
  }
}

/** The lanes of a run in their order. Of state, throws MillraceError "owned" where replicas write it meanwhile. */
export async function readLanes(kv: Kv, run: string, what: "heads" | "state"): Promise<StoredLane[]> {
  const found = new Map<number, { head: Head | null; version: string; bases: StateEntry[]; deltas: StateEntry[] }>();
  for await (const { key, value, versionstamp } of kv.list(["lane", run])) {
    const lane = key[2] as number;
    let stored = found.get(lane);
    if (!stored) found.set(lane, stored = { head: null, version: "", bases: [], deltas: [] });
    const kind = key[3];
    if (kind === "head") {
      stored.head = decodeHead(value);
      stored.version = versionstamp;
    } else if (what === "state" && (kind === "base" || kind === "delta")) {
      stored[kind === "base" ? "bases" : "deltas"].push({ key: key.slice(3), value });
    }
  }
  for (const [lane, { version }] of what === "state" ? found : []) {
    if ((await kv.get(["lane", run, lane, "head"]))?.versionstamp !== (version || undefined)) {
      throw new MillraceError("owned", `lane ${lane} is written by another process, so its state cannot be read as a whole`, {
        hint: "stop the replicas first",
      });
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([lane, { head, bases, deltas }]) => {
    if (head) return { lane, head, entries: [...bases, ...deltas] };
    throw new MillraceError("checkpoint_corrupt", `lane ${lane} of run ${run} has state but no head`, {
      hint: "bring the state folder back from a copy, or start over with --rerun",
    });
  });
}
