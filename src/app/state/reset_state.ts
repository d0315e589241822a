/**
 * `state reset`: what `--rerun` would do first, without starting. Invariant: the run record is replaced before anything is removed, so that
 * whoever dies in between leaves a pipeline that begins anew, and never one that goes on with half of its state.
 */
import type { Anew } from "../../engine/contracts.ts";
import { collectRun, shownSink } from "../../engine/mod.ts";
import type { World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { buildPlan } from "../build_plan.ts";
import { newRunId, pastOf, type RunRecord, RunRecords } from "../run_record.ts";
import { readLanes, runnablesOf, withCheckpoint } from "./stored_lanes.ts";

/** What a reset of a pipeline, or of one of its stages, means. */
export interface PlannedReset {
  readonly pipeline: string;
  /** Null where nothing was ever run. */
  readonly run: string | null;
  readonly lanes: readonly { readonly lane: number; readonly epoch: number; readonly openEpoch: boolean }[];
  /** What the next start does with what the sinks hold; null of sinks without markers, which are written to again. */
  readonly sinks: readonly { readonly sink: string; readonly anew: Anew | null }[];
}

/** What `resetState` would do; changes nothing. Throws MillraceError "owned" while the pipeline runs. */
export async function planReset(blueprint: PipelineBlueprint, world: World): Promise<PlannedReset[]> {
  const planned: PlannedReset[] = [];
  for (const stage of runnablesOf(blueprint)) {
    const sinks = buildPlan(stage, world).sinks.map(({ name, sink }) => ({ sink: shownSink(name), anew: sink.anew ?? null }));
    planned.push(
      await withCheckpoint(stage, world, async (kv) => {
        const record = kv && (await RunRecords.open(kv)).current;
        if (!record || record.status === "reset") return { pipeline: stage.name, run: null, lanes: [], sinks };
        const lanes = (await readLanes(kv, record.run, "heads")).map(({ lane, head }) => ({
          lane,
          epoch: head.epoch,
          openEpoch: head.intent !== null,
        }));
        return { pipeline: stage.name, run: record.run, lanes, sinks };
      }),
    );
  }
  return planned;
}

/** Forgets the run and its state; the next start begins another one, from nothing. */
export async function resetState(blueprint: PipelineBlueprint, world: World): Promise<void> {
  for (const stage of runnablesOf(blueprint)) {
    await withCheckpoint(stage, world, async (kv) => {
      if (!kv) return;
      const records = await RunRecords.open(kv);
      const record = await records.update((newest) => newest && resetRecord(newest, world));
      for (const run of record?.stale ?? []) await collectRun(kv, run);
    });
  }
}

/** Of a run that nobody will run. Its snapshots of tables go with the next start, as those of other stale runs do. */
function resetRecord(before: RunRecord, world: World): RunRecord {
  const run = newRunId(world);
  return {
    version: 1,
    run,
    hash: "",
    status: "reset",
    identities: {},
    tables: null,
    opening: null,
    startedMicros: world.clock.nowMicros(),
    summary: null,
    ...pastOf(before),
    anew: run,
  };
}
