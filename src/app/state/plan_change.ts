/**
 * What the configuration at hand would do with what a pipeline left: `millrace plan`. Invariant: the verdict is that of the start, asked
 * of the same code; nothing is written and no server is asked for more than the identity of a bounded input.
 */
import { MillraceError } from "../../data/fault.ts";
import { createStateStore, LaneGraph, requireOneLane, requireSamePlan, type TableLayout } from "../../engine/mod.ts";
import type { PipelinePlan } from "../../engine/contracts.ts";
import type { Kv, World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { buildPlan } from "../build_plan.ts";
import { type Choice, chooseRun, identify } from "../run_pipeline.ts";
import { type RunRecord, RunRecords } from "../run_record.ts";
import { readPlan } from "./kept_plans.ts";
import { diffParts, type PartChange } from "./part_changes.ts";
import { readLanes, runnablesOf, type StoredLane, withCheckpoint } from "./stored_lanes.ts";

/** "begins": nothing was ever run. "starts_over": a new run, from nothing. */
export type PlanVerdict = "begins" | "goes_on" | "already_done" | "starts_over" | "refused";
/** What becomes of one table of keyed state. */
export interface StateFate {
  /** NODE.TABLE, its types included. */
  readonly table: string;
  readonly fate: "kept" | "new" | "dropped" | "does_not_fit";
  readonly why: string;
}
/** What the next start of a pipeline does. */
export interface PlannedStart {
  readonly pipeline: string;
  readonly verdict: PlanVerdict;
  /** One sentence. */
  readonly why: string;
  /** What to do about a refusal. */
  readonly hint: string | null;
  /** The run that is there; null where there is none. */
  readonly run: { readonly id: string; readonly status: RunRecord["status"]; readonly lanes: readonly LaneStanding[] } | null;
  /** What is different from the plan that the checkpoint is of; null where that was not kept. */
  readonly changes: readonly PartChange[] | null;
  readonly state: readonly StateFate[];
  /** What the verdict rests on and a start may still refuse. */
  readonly notes: readonly string[];
}
export interface LaneStanding {
  readonly lane: number;
  readonly epoch: number;
  /** Whose epoch is begun and not complete: this plan's, or another's. */
  readonly open: "none" | "this plan's" | "another plan's";
}

/** Of a pipeline, or of each of its stages. Throws MillraceError "owned" while it runs. */
export async function planChange(blueprint: PipelineBlueprint, world: World): Promise<PlannedStart[]> {
  const planned: PlannedStart[] = [];
  let follows: string | undefined;
  for (const stage of runnablesOf(blueprint)) {
    const before = planned.at(-1);
    // A stage reads what the run before it writes: where that is a new one, so is this.
    const anew = before !== undefined && (before.verdict === "starts_over" || before.verdict === "begins");
    const one = await withCheckpoint(stage, world, (kv) => planStage(stage, world, kv, anew ? { anew } : { follows }));
    planned.push(one);
    follows = one.run?.id;
  }
  return planned;
}

interface Before {
  /** The run of the stage before; absent for the first stage. */
  readonly follows?: string;
  /** The stage before starts over. */
  readonly anew?: boolean;
}

async function planStage(blueprint: PipelineBlueprint, world: World, kv: Kv | null, before: Before): Promise<PlannedStart> {
  const record = kv && (await RunRecords.open(kv)).current;
  const plan = buildPlan(blueprint, world);
  const wanted = layoutsOf(plan);
  if (!kv || !record) {
    const state = wanted.map(({ name }): StateFate => ({ table: name, fate: "new", why: "" }));
    return {
      pipeline: blueprint.name,
      verdict: "begins",
      why: "it was never run here",
      hint: null,
      run: null,
      changes: [],
      state,
      notes: [],
    };
  }
  const lanes = await readLanes(kv, record.run, "heads");
  const planHash = lanes.find(({ head }) => head.epoch > 0)?.head.planHash ?? record.hash;
  const kept = await readPlan(kv, planHash);
  const changes = planHash === blueprint.hash ? [] : kept && diffParts(kept, blueprint.parts);
  const start = await judge(blueprint, plan, record, { lanes, world, before });
  return {
    pipeline: blueprint.name,
    ...start,
    run: {
      id: record.run,
      status: record.status,
      lanes: lanes.map(({ lane, head }) => ({
        lane,
        epoch: head.epoch,
        open: head.intent === null ? "none" : head.intent.planHash === blueprint.hash ? "this plan's" : "another plan's",
      })),
    },
    changes,
    state: fatesOf(start.verdict, lanes[0]?.head.tables ?? [], wanted),
    notes: start.verdict === "goes_on" ? notesOn(changes) : [],
  };
}

interface Judged {
  readonly verdict: PlanVerdict;
  readonly why: string;
  readonly hint: string | null;
}
interface Judging {
  readonly lanes: readonly StoredLane[];
  readonly world: World;
  readonly before: Before;
}

const VERDICTS: Readonly<Record<Choice, Judged>> = {
  new: { verdict: "starts_over", why: "another run begins, from nothing; its outputs take the place of the earlier ones", hint: null },
  already_done: { verdict: "already_done", why: "its run is done, and neither plan nor input has changed", hint: null },
  resume: { verdict: "goes_on", why: "the run goes on behind its newest complete epoch", hint: null },
};

/** Asks what a start asks, in its order. */
async function judge(
  blueprint: PipelineBlueprint,
  plan: PipelinePlan,
  record: RunRecord,
  { lanes, world, before }: Judging,
): Promise<Judged> {
  try {
    if (before.anew) return { ...VERDICTS.new, why: "the stage before it starts over" };
    const identities = await identify(blueprint, plan, world, record.status === "done" ? "behind" : "before");
    const choice = chooseRun(blueprint, record, identities, { rerun: false, follows: before.follows });
    if (choice !== "resume") return VERDICTS[choice];
    requireOneLane(plan, lanes.find(({ lane }) => lane === 1)?.head ?? null);
    for (const { lane, head } of lanes) {
      const inputs = head.inputs.flatMap(({ source, partition }) => {
        const node = plan.sources.find(({ name }) => name === source);
        return node ? [{ node, partition }] : [];
      });
      requireSamePlan(plan, inputs, head);
      const state = createStateStore({ epoch: head.epoch, tables: head.tables, entries: [] });
      new LaneGraph({ plan, lane, state, write: () => {} });
    }
    return VERDICTS.resume;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return { verdict: "refused", why: error.message, hint: error.hint ?? null };
  }
}

/** The tables that the plan's operators ask for, in their order. */
function layoutsOf(plan: PipelinePlan): readonly TableLayout[] {
  const state = createStateStore();
  new LaneGraph({ plan, lane: 0, state, write: () => {} });
  return state.layouts;
}

function fatesOf(verdict: PlanVerdict, stored: readonly TableLayout[], wanted: readonly TableLayout[]): StateFate[] {
  const fates: StateFate[] = [];
  const anew = verdict === "starts_over" || verdict === "begins";
  for (const { name, version, shape } of wanted) {
    const before = stored.find((table) => table.name === name);
    if (!before) fates.push({ table: name, fate: "new", why: "the checkpoint has no such table" });
    else if (anew) fates.push({ table: name, fate: "dropped", why: "a new run begins with an empty one" });
    else if (before.version !== version) {
      fates.push({ table: name, fate: "does_not_fit", why: `stored in version ${before.version}, wanted in ${version}` });
    } else if (before.shape !== shape) {
      fates.push({ table: name, fate: "does_not_fit", why: `stored as ${before.shape}, wanted as ${shape}` });
    } else fates.push({ table: name, fate: "kept", why: "" });
  }
  for (const { name } of stored) {
    if (wanted.some((table) => table.name === name)) continue;
    const why = anew ? "a new run does not have it" : "no transform has it any more";
    fates.push({ table: name, fate: anew ? "dropped" : "does_not_fit", why });
  }
  return fates;
}

function notesOn(changes: readonly PartChange[] | null): string[] {
  const notes: string[] = [];
  const moved =
    changes?.filter(({ node, change, parts }) =>
      change === "changed" && node.startsWith("sink ") && parts.some((part) => part !== "inputs")
    ) ?? [];
  for (const { node } of moved) {
    notes.push(`${node}: if it now writes elsewhere, that place lacks the marker of what was delivered, and the start is refused`);
  }
  return notes;
}
