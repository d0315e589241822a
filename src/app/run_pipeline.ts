/**
 * One pipeline from its blueprint to its end: ownership, run record, reference tables, the engine, checks, publishing.
 * Invariant: nothing is published before every check passed, and the run record says "done" only after publishing.
 */
import { MillraceError } from "../data/fault.ts";
import type { PipelinePlan } from "../engine/contracts.ts";
import { collectRun, runPipeline as runEngine } from "../engine/mod.ts";
import type { EngineResult, Progress } from "../engine/run_contracts.ts";
import type { Kv, World } from "../ports/mod.ts";
import type { PipelineBlueprint } from "../project/contracts.ts";
import { buildPlan, readerName, sinkName } from "./build_plan.ts";
import type { PipelineOutcome, RunEvents } from "./events.ts";
import { readReports, runChecks } from "./reports.ts";
import { newRunId, type RunRecord, RunRecords } from "./run_record.ts";
import { reloadTables, snapshotTables } from "./tables.ts";

export interface RunOptions {
  readonly world: World;
  readonly signal: AbortSignal;
  readonly events: RunEvents;
  /** Start a new run even when the last one is done or unfinished. */
  readonly rerun: boolean;
  /** What this run writes is there for its readers. Not called when nothing is to be done. */
  opened?(): void;
}

/** Where a pipeline's KV file lies. */
export const kvPath = (blueprint: PipelineBlueprint): string => `${blueprint.stateFolder}/checkpoint.kv`;

/** Runs until the input ends or the signal comes. Throws MillraceError "owned" when another process runs the pipeline. */
export async function runPipeline(blueprint: PipelineBlueprint, options: RunOptions): Promise<PipelineOutcome> {
  const { world } = options;
  await world.files.makeFolder(blueprint.stateFolder);
  const lock = await world.locks.acquire(`${blueprint.stateFolder}/owner.lock`);
  if (!lock) {
    throw new MillraceError("owned", `pipeline "${blueprint.name}" is already running in another process`, {
      hint: `stop that process first; the lock is ${blueprint.stateFolder}/owner.lock`,
    });
  }
  try {
    const kv = await world.openKv(kvPath(blueprint));
    try {
      return await runOwned(blueprint, kv, options);
    } finally {
      kv.close();
    }
  } finally {
    lock.release();
  }
}

async function runOwned(blueprint: PipelineBlueprint, kv: Kv, options: RunOptions): Promise<PipelineOutcome> {
  const { world, events, signal } = options;
  const startedMs = world.clock.monotonicMs();
  const records = await RunRecords.open(kv);
  const plan = buildPlan(blueprint, world);
  const identities = blueprint.bounded ? await identify(blueprint, plan, world) : {};
  const choice = chooseRun(blueprint, records.current, identities, options.rerun);
  if (choice === "already_done") return alreadyDone(blueprint, records.current!, world.clock.monotonicMs() - startedMs);
  if (choice === "new") await records.write(newRecord(blueprint, records.current, identities, world));
  const { run } = records.current!;
  events.started(blueprint.name, choice === "resume");
  await prepareTables(blueprint, records, options);
  const result = await runEngine({
    world,
    plan,
    kv,
    run,
    signal,
    observer: { opened: options.opened, progress: (progress) => events.progress(describe(blueprint, plan, progress)) },
  });
  try {
    return await conclude(blueprint, plan, result, { records, kv, world, startedMs });
  } finally {
    for (const { sink } of plan.sinks) await sink.close();
  }
}

interface Conclusion {
  readonly records: RunRecords;
  readonly kv: Kv;
  readonly world: World;
  readonly startedMs: number;
}

async function conclude(blueprint: PipelineBlueprint, plan: PipelinePlan, result: EngineResult, by: Conclusion): Promise<PipelineOutcome> {
  const { records, kv, world, startedMs } = by;
  const current = records.current!;
  const reports = readReports(blueprint, result.lanes);
  const done = result.ended && blueprint.bounded;
  const checks = result.ended ? runChecks(blueprint, result.lanes) : [];
  const counts = countRecords(blueprint, result);
  if (done) {
    world.probe.step("finishing", blueprint.name);
    for (const { sink } of plan.sinks) await sink.finish();
    world.probe.step("published", blueprint.name);
    const identities = await identify(blueprint, plan, world);
    await records.write({
      ...current,
      status: "done",
      identities,
      summary: { ...counts, finishedMicros: world.clock.nowMicros() },
    });
    world.probe.step("run_done", blueprint.name);
  }
  await collectStale(records, kv, world, blueprint);
  return {
    pipeline: blueprint.name,
    kind: blueprint.kind,
    status: result.ended ? "done" : "stopped",
    run: current.run,
    ...counts,
    epochs: result.epochs,
    durationMs: world.clock.monotonicMs() - startedMs,
    counters: Object.fromEntries(result.counters),
    reports,
    checks,
    warnings: blueprint.warnings,
    places: places(blueprint, (sink) => (result.counters.get(sinkName(sink))?.in ?? 0) > 0),
  };
}

type Choice = "new" | "resume" | "already_done";

/** Decides from what the record says and what the inputs are now. */
export function chooseRun(
  blueprint: PipelineBlueprint,
  record: RunRecord | null,
  identities: Readonly<Record<string, string>>,
  rerun: boolean,
): Choice {
  if (!record || rerun) return "new";
  const changed = Object.keys(identities).filter((name) => record.identities[name] && record.identities[name] !== identities[name]);
  const samePlan = record.hash === blueprint.hash;
  if (record.status === "done") return samePlan && changed.length === 0 ? "already_done" : "new";
  if (!blueprint.bounded) return "resume"; // The engine refuses where an open epoch or the state does not fit the plan.
  if (!samePlan) {
    throw new MillraceError("plan_changed", `pipeline "${blueprint.name}" was changed while a run of it is unfinished`, {
      hint: "finish the run with the configuration that began it, or start over with --rerun",
    });
  }
  if (changed.length > 0) {
    throw new MillraceError(
      "input_changed",
      `the input of ${changed.join(" and ")} changed while a run of "${blueprint.name}" is unfinished`,
      {
        hint: "put the old input back to finish the run, or start over with --rerun",
      },
    );
  }
  return "resume";
}

async function identify(blueprint: PipelineBlueprint, plan: PipelinePlan, world: World): Promise<Record<string, string>> {
  const identities: Record<string, string> = {};
  for (const { name, intake } of blueprint.sources) {
    const node = plan.sources.find((source) => source.name === (intake ? readerName(name) : name))!;
    identities[name] = await node.source.identity();
  }
  for (const { name, plan, needed } of blueprint.tables) identities[name] = await plan.create(world, needed).identity();
  return identities;
}

function newRecord(
  blueprint: PipelineBlueprint,
  before: RunRecord | null,
  identities: Readonly<Record<string, string>>,
  world: World,
): RunRecord {
  return {
    version: 1,
    run: newRunId(world),
    hash: blueprint.hash,
    status: "open",
    identities,
    tables: null,
    startedMicros: world.clock.nowMicros(),
    stale: before ? [...before.stale, before.run] : [],
    summary: null,
  };
}

async function prepareTables(blueprint: PipelineBlueprint, records: RunRecords, { world, events }: RunOptions): Promise<void> {
  const record = records.current!;
  if (record.tables) return reloadTables(blueprint, record.run, record.tables, world.files);
  const { digests, rejects } = await snapshotTables(blueprint, record.run, world);
  for (const { table, rejected, path } of rejects) {
    events.notice(blueprint.name, `table "${table}": ${rejected} row${rejected === 1 ? "" : "s"} rejected, kept in ${path}`);
  }
  await records.write({ ...record, tables: digests });
}

/** Old runs are removed only now: had this run not come so far, their markers would still be needed. */
async function collectStale(records: RunRecords, kv: Kv, world: World, blueprint: PipelineBlueprint): Promise<void> {
  const record = records.current!;
  if (record.stale.length === 0) return;
  for (const run of record.stale) {
    await collectRun(kv, run);
    await world.files.remove(`${blueprint.stateFolder}/tables/${run}`);
  }
  await records.write({ ...record, stale: [] });
}

function countRecords(blueprint: PipelineBlueprint, result: EngineResult): { records: number; rejected: number } {
  let records = 0;
  let rejected = 0;
  for (const { name, intake } of blueprint.sources) records += result.counters.get(intake ? readerName(name) : name)?.in ?? 0;
  for (const counters of result.counters.values()) rejected += counters.rejected;
  return { records, rejected };
}

function describe(blueprint: PipelineBlueprint, plan: PipelinePlan, progress: Progress) {
  let sum = 0;
  let known = true;
  for (const { name, source } of plan.sources) {
    if (!source.progress) known = false;
    else sum += source.progress(progress.positions.get(name) ?? []);
  }
  const fraction = known && blueprint.bounded && plan.sources.length > 0 ? sum / plan.sources.length : null;
  return { pipeline: blueprint.name, records: progress.read, fraction };
}

/** Where results lie, of the sinks that got any. */
function places(blueprint: PipelineBlueprint, filled: (sink: string) => boolean): Record<string, string> {
  const shown = blueprint.sinks.filter((sink) => sink.plan.place !== "" && filled(sink.name));
  return Object.fromEntries(shown.map((sink) => [sink.name, sink.plan.place]));
}

function alreadyDone(blueprint: PipelineBlueprint, record: RunRecord, durationMs: number): PipelineOutcome {
  return {
    pipeline: blueprint.name,
    kind: blueprint.kind,
    status: "already_done",
    run: record.run,
    records: record.summary?.records ?? 0,
    rejected: record.summary?.rejected ?? 0,
    epochs: 0,
    durationMs,
    counters: {},
    reports: [],
    checks: [],
    warnings: blueprint.warnings,
    places: {},
  };
}
