/**
 * What a pipeline's checkpoint holds, for those who operate it. Invariant: everything stored is decoded on the way, seals included, and
 * nothing is written; what cannot be read is a finding, not an end.
 */
import { MillraceError } from "../../data/fault.ts";
import { createStateStore, LaneGraph } from "../../engine/mod.ts";
import type { PipelinePlan } from "../../engine/contracts.ts";
import type { Kv, World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { buildPlan } from "../build_plan.ts";
import { type RunRecord, RunRecords } from "../run_record.ts";
import { readLanes, runnablesOf, type StoredLane, withCheckpoint } from "./stored_lanes.ts";

/** A run as it is stored. */
export interface StateReport {
  readonly pipeline: string;
  /** Null where nothing was ever run, or not since a reset. */
  readonly run: { readonly id: string; readonly status: RunRecord["status"]; readonly plan: "this plan" | "another plan" } | null;
  readonly lanes: readonly LaneReport[];
  /** What is wrong; empty where the checkpoint is whole. */
  readonly faults: readonly { readonly lane: number | null; readonly code: string; readonly message: string }[];
}
export interface LaneReport {
  readonly lane: number;
  readonly epoch: number;
  /** µs; that of the newest epoch. */
  readonly timeMicros: number;
  /** How often the lane was taken over. */
  readonly generation: number;
  readonly openEpoch: boolean;
  readonly positions: readonly {
    readonly source: string;
    readonly partition: number;
    readonly position: string;
    readonly ended: boolean;
  }[];
  /** µs, by source and transform. */
  readonly watermarks: Readonly<Record<string, number>>;
  /** Bytes as they are stored. */
  readonly storedBytes: number;
  /** `rows` is null where the present configuration cannot read the table. */
  readonly tables: readonly { readonly table: string; readonly version: number; readonly rows: number | null }[];
}

/** Of a pipeline, or of each of its stages. Throws MillraceError "owned" while it runs. */
export async function inspectState(blueprint: PipelineBlueprint, world: World): Promise<StateReport[]> {
  const reports: StateReport[] = [];
  for (const stage of runnablesOf(blueprint)) reports.push(await withCheckpoint(stage, world, (kv) => inspect(stage, world, kv)));
  return reports;
}

async function inspect(blueprint: PipelineBlueprint, world: World, kv: Kv | null): Promise<StateReport> {
  const pipeline = blueprint.name;
  const faults: { lane: number | null; code: string; message: string }[] = [];
  const noting = <T>(lane: number | null, otherwise: T, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      faults.push({ lane, code: error.code, message: error.message });
      return otherwise;
    }
  };
  const record = kv && (await RunRecords.open(kv)).current;
  if (!kv || !record) return { pipeline, run: null, lanes: [], faults };
  if (record.status === "reset") return { pipeline, run: null, lanes: [], faults };
  const run = { id: record.run, status: record.status, plan: record.hash === blueprint.hash ? "this plan" : "another plan" } as const;
  let stored: readonly StoredLane[] = [];
  try {
    stored = await readLanes(kv, record.run, "state");
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code === "owned") throw error;
    faults.push({ lane: null, code: error.code, message: error.message });
  }
  const plan = buildPlan(blueprint, world);
  const lanes = stored.map((one): LaneReport => {
    const rows = noting(one.lane, null, () => rowsOf(plan, one));
    const { lane, head, entries } = one;
    return {
      lane,
      epoch: head.epoch,
      timeMicros: head.timeMicros,
      generation: head.generation,
      openEpoch: head.intent !== null,
      positions: head.inputs,
      watermarks: Object.fromEntries(head.watermarks),
      storedBytes: entries.reduce((sum, { value }) => sum + value.length, 0),
      tables: head.tables.map(({ name, version }) => ({ table: name, version, rows: rows?.get(name) ?? null })),
    };
  });
  return { pipeline, run, lanes, faults };
}

/** Rows by table, restored as a start restores them; throws what a start would throw. */
function rowsOf(plan: PipelinePlan, { lane, head, entries }: StoredLane): ReadonlyMap<string, number> {
  const state = createStateStore({ epoch: head.epoch, tables: head.tables, entries });
  new LaneGraph({ plan, lane, state, write: () => {} });
  return new Map(state.sizes().map(({ table, rows }) => [table, rows]));
}
