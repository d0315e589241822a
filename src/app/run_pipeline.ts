/**
 * One pipeline from its blueprint to its end: ownership, run record, reference tables, the engine, checks, publishing.
 * Invariant: nothing is published before every check passed, and the run record says "done" only after publishing.
 */
import { assert, MillraceError } from "../data/fault.ts";
import type { PipelinePlan } from "../engine/contracts.ts";
import { collectRun, runPipeline as runEngine } from "../engine/mod.ts";
import { type EngineOptions, type EngineResult, FencedError, type Progress } from "../engine/run_contracts.ts";
import { makeDurableFolder } from "../ports/durable.ts";
import type { Kv, Lock, World } from "../ports/mod.ts";
import type { PipelineBlueprint, ReadFrom } from "../project/contracts.ts";
import { sinkName } from "../project/hidden.ts";
import { buildPlan, readerName } from "./build_plan.ts";
import { lockPath, openCheckpoint } from "./checkpoint_store.ts";
import type { PipelineOutcome, PipelineProgress, RunEvents } from "./events.ts";
import { replicasOf } from "./replicas.ts";
import { readReports, runChecks } from "./reports.ts";
import { KinRuns } from "./kin_runs.ts";
import { newRunId, pastOf, type RunRecord, RunRecords, withoutStale } from "./run_record.ts";
import { redriveFolder } from "./redrive/redriven_records.ts";
import { withRedriven } from "./redrive/redriven_source.ts";
import { reloadTables, snapshotTables } from "./tables.ts";
import { keepPlan } from "./state/kept_plans.ts";
import { snapshotFiles, snapshotKeys, type Snapshots } from "./table_snapshots.ts";
import { runInThreads } from "./threads/run_threads.ts";
import type { Watch, WatchedPipeline } from "./watch/watch.ts";
import { untilAnswered } from "./until_answered.ts";

export interface RunOptions {
  readonly world: World;
  readonly signal: AbortSignal;
  readonly events: RunEvents;
  /** For threads that read the project too. */
  readonly readFrom: ReadFrom;
  /** Start a new run even when the last one is done or unfinished. */
  readonly rerun: boolean;
  /** Of a stage: the run of the stage before, which it reads. With another one it is done anew. */
  readonly follows?: string;
  /** Of a stage: what all of them know of each other's runs. */
  readonly kin?: KinRuns;
  readonly watch?: Watch;
  /** What this run writes is there for its readers. Not called when nothing is to be done. */
  opened?(run: string): void;
}

/**
 * Runs until the input ends or the signal comes. Throws MillraceError "owned" when another process runs the pipeline, or, where
 * replicas may run it side by side, has begun another run of it.
 */
export async function runPipeline(blueprint: PipelineBlueprint, options: RunOptions): Promise<PipelineOutcome> {
  const watched = options.watch?.pipeline(blueprint);
  let outcome: PipelineOutcome | null = null;
  try {
    return outcome = await runLocked(blueprint, options, watched);
  } finally {
    watched?.ended(outcome === null ? "failed" : outcome.status === "stopped" ? "stopped" : "done");
  }
}

async function runLocked(
  blueprint: PipelineBlueprint,
  options: RunOptions,
  watched: WatchedPipeline | undefined,
): Promise<PipelineOutcome> {
  const { world } = options;
  await makeDurableFolder(world.files, blueprint.stateFolder);
  const lock = runsInReplicas(blueprint) ? null : await lockState(blueprint, world);
  try {
    const kv = await openCheckpoint(blueprint, world);
    try {
      return await runOwned(blueprint, kv, options, watched);
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      throw new MillraceError("fenced", `another process has taken pipeline "${blueprint.name}" over: ${error.message}`, {
        hint: "this process stops and has changed nothing since",
      });
    } finally {
      kv.close();
    }
  } finally {
    lock?.release();
  }
}

/** Whether several processes share the pipeline's partitions: then generations keep them apart, and no lock. */
export const runsInReplicas = ({ shared, sources }: PipelineBlueprint): boolean =>
  shared !== null && sources.some(({ plan }) => plan.isShared);

/** Makes this process the pipeline's owner; throws MillraceError "owned" where another one is. */
export async function lockState({ name, stateFolder }: PipelineBlueprint, { locks }: World): Promise<Lock> {
  const path = lockPath({ stateFolder });
  const lock = await locks.acquire(path);
  if (lock) return lock;
  throw new MillraceError("owned", `pipeline "${name}" is already running in another process`, {
    hint: `stop that process first; the lock is ${path}`,
  });
}

async function runOwned(
  blueprint: PipelineBlueprint,
  kv: Kv,
  options: RunOptions,
  watched: WatchedPipeline | undefined,
): Promise<PipelineOutcome> {
  const { world, events, signal } = options;
  const startedMs = world.clock.monotonicMs();
  const plan = buildPlan(blueprint, world);
  const patiently = <T>(ask: () => Promise<T>): Promise<T> => untilAnswered(world, signal, ask);
  const records = await patiently(() => RunRecords.open(kv));
  // Inputs are read through for it: of a run that is done and stays so, once.
  const behind = records.current?.status === "done" ? await identify(blueprint, plan, world, "behind") : null;
  const staysDone = behind !== null && chooseRun(blueprint, records.current, behind, options) === "already_done";
  const identities = staysDone ? behind : await identify(blueprint, plan, world, "before");
  const opener = newRunId(world);
  let choice = "resume" as Choice;
  const record = await patiently(() =>
    records.update((newest) => {
      // Asked again after a fault or a race, it may meet the run that it made itself.
      if (newest?.opening === opener) return null;
      choice = chooseRun(blueprint, newest, newest?.status === "done" ? behind ?? identities : identities, options);
      return choice === "new" ? newRecord(blueprint, newest, identities, opener, options) : null;
    })
  );
  assert(record, "a run was chosen");
  const kin = options.kin ?? new KinRuns(blueprint.stateFolder);
  await patiently(() => kin.join(blueprint.stateFolder, records, world));
  if (choice === "already_done") return alreadyDone(blueprint, record, world.clock.monotonicMs() - startedMs);
  const { run } = record;
  const reading = await withRedriven(plan, blueprint, run, world.files);
  await patiently(() => keepPlan(kv, blueprint, world.clock.nowMicros()));
  events.started(blueprint.name, choice === "resume");
  watched?.begun(choice === "resume");
  const snapshots = blueprint.shared ? snapshotKeys(kv) : snapshotFiles(blueprint.stateFolder, world.files);
  await patiently(() => prepareTables(blueprint, records, snapshots, options));
  const result = await runLanes(
    blueprint,
    records,
    {
      world,
      plan: reading,
      kv,
      run,
      knowsRun: (held) => kin.knows(held),
      signal,
      observer: {
        opened: () => {
          watched?.opened();
          options.opened?.(run);
        },
        progress: (progress) => events.progress(describe(blueprint, reading, progress)),
        spectator: watched?.spectator,
      },
      ...(runsInReplicas(blueprint) ? { replicas: replicasOf(records, run, opener, { world, signal }) } : {}),
    },
    options.readFrom,
    watched,
  );
  try {
    return await conclude(blueprint, plan, result, { records, run, kv, snapshots, world, startedMs });
  } finally {
    for (const { sink } of plan.sinks) await sink.close();
  }
}

/** In this thread, or in others. */
async function runLanes(
  { workers }: PipelineBlueprint,
  records: RunRecords,
  engine: EngineOptions,
  project: ReadFrom,
  watched: WatchedPipeline | undefined,
): Promise<EngineResult> {
  const { threads } = engine.world;
  if (workers === 1 || !threads) return await runEngine(engine);
  const start = { project, tables: records.current!.tables!, show: watched?.show };
  return await runInThreads({ ...engine, threads, workers, start, gathered: watched?.gathered });
}

interface Conclusion {
  readonly records: RunRecords;
  readonly run: string;
  readonly kv: Kv;
  readonly snapshots: Snapshots;
  readonly world: World;
  readonly startedMs: number;
}

async function conclude(blueprint: PipelineBlueprint, plan: PipelinePlan, result: EngineResult, by: Conclusion): Promise<PipelineOutcome> {
  const { records, run, world, startedMs } = by;
  const reports = readReports(blueprint, result.lanes);
  const done = result.ended && blueprint.bounded;
  const checks = result.ended ? runChecks(blueprint, result.lanes) : [];
  const counts = countRecords(blueprint, result);
  if (done) {
    world.probe.step("finishing", blueprint.name);
    for (const { sink } of plan.sinks) await sink.finish();
    world.probe.step("published", blueprint.name);
    const identities = await identify(blueprint, plan, world, "behind");
    const summary = { ...counts, finishedMicros: world.clock.nowMicros() };
    await records.updateRun(run, (record) => ({ ...record, status: "done", identities, summary }));
    world.probe.step("run_done", blueprint.name);
  }
  await collectStale(by, blueprint);
  return {
    pipeline: blueprint.name,
    kind: blueprint.kind,
    status: result.ended ? "done" : "stopped",
    run,
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

/** What a start does with the run that the record tells of. */
export type Choice = "new" | "resume" | "already_done";

/** Decides from what the record says and what the inputs are now. */
export function chooseRun(
  blueprint: PipelineBlueprint,
  record: RunRecord | null,
  identities: Readonly<Record<string, string>>,
  { rerun, follows }: Pick<RunOptions, "rerun" | "follows">,
): Choice {
  if (!record || rerun || record.status === "reset" || record.follows !== follows) return "new";
  const changed = Object.keys(identities).filter((name) => record.identities[name] && record.identities[name] !== identities[name]);
  const samePlan = record.hash === blueprint.hash;
  if (record.status === "done") return samePlan && changed.length === 0 ? "already_done" : "new";
  if (!blueprint.bounded) return "resume"; // The engine refuses where an open epoch or the state does not fit the plan.
  if (!samePlan) {
    throw new MillraceError("plan_changed", `pipeline "${blueprint.name}" was changed while a run of it is unfinished`, {
      hint: "finish the run with the configuration that began it, or start over with --rerun; millrace plan shows what changed",
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

/** What the inputs of a bounded run are now, by source and table. */
export async function identify(
  blueprint: PipelineBlueprint,
  plan: PipelinePlan,
  world: World,
  asked: "before" | "behind",
): Promise<Record<string, string>> {
  const identities: Record<string, string> = {};
  if (!blueprint.bounded) return identities;
  for (const { name, intake } of blueprint.sources) {
    const node = plan.sources.find((source) => source.name === (intake ? readerName(name) : name))!;
    identities[name] = await node.source.identity(asked);
  }
  for (const { name, plan, needed } of blueprint.tables) identities[name] = await plan.create(world, needed).identity();
  return identities;
}

function newRecord(
  blueprint: PipelineBlueprint,
  before: RunRecord | null,
  identities: Readonly<Record<string, string>>,
  opener: string,
  { world, follows, rerun }: Pick<RunOptions, "world" | "follows" | "rerun">,
): RunRecord {
  const run = newRunId(world);
  return {
    version: 1,
    run,
    hash: blueprint.hash,
    status: "open",
    identities,
    tables: null,
    opening: runsInReplicas(blueprint) ? opener : null,
    startedMicros: world.clock.nowMicros(),
    ...pastOf(before),
    ...(rerun ? { anew: run } : {}),
    summary: null,
    ...(follows === undefined ? {} : { follows }),
  };
}

/** The first process of a run reads the tables; all others, and later starts, use what it kept. */
async function prepareTables(
  blueprint: PipelineBlueprint,
  records: RunRecords,
  snapshots: Snapshots,
  { world, events }: RunOptions,
): Promise<void> {
  const { run, tables } = records.current!;
  if (tables) return await reloadTables(blueprint, run, tables, snapshots);
  const { digests, rejects } = await snapshotTables(blueprint, run, snapshots, world);
  for (const { table, rejected, path } of rejects) {
    events.notice(blueprint.name, `table "${table}": ${rejected} row${rejected === 1 ? "" : "s"} rejected, kept in ${path}`);
  }
  const record = await records.updateRun(run, (newest) => newest.tables ? null : { ...newest, tables: digests });
  const isOurs = Object.keys(digests).every((name) => record.tables![name] === digests[name]);
  // A replica was faster, and saw other rows than we did.
  if (!isOurs) await reloadTables(blueprint, run, record.tables!, snapshots);
}

/** Old runs are removed only now: had this run not come so far, their markers would still be needed. */
async function collectStale({ records, run, kv, snapshots, world }: Conclusion, { stateFolder }: PipelineBlueprint): Promise<void> {
  const collected: string[] = [];
  for (const old of records.current!.stale) {
    try {
      await collectRun(kv, old);
    } catch (error) {
      if (error instanceof FencedError) continue; // A replica collects it, or writes it still: another time.
      throw error;
    }
    await snapshots.remove(old);
    await world.files.remove(redriveFolder(stateFolder, old));
    collected.push(old);
  }
  if (collected.length === 0) return;
  await records.updateRun(run, (record) => withoutStale(record, collected));
}

function countRecords(blueprint: PipelineBlueprint, result: EngineResult): { records: number; rejected: number } {
  let records = 0;
  let rejected = 0;
  for (const { name, intake } of blueprint.sources) records += result.counters.get(intake ? readerName(name) : name)?.in ?? 0;
  for (const counters of result.counters.values()) rejected += counters.rejected;
  return { records, rejected };
}

function describe(blueprint: PipelineBlueprint, plan: PipelinePlan, progress: Progress): PipelineProgress {
  const fraction = () => fractionOf(blueprint, plan, progress);
  return { pipeline: blueprint.name, records: progress.read, recordsNow: progress.readNow, fraction };
}

function fractionOf(blueprint: PipelineBlueprint, plan: PipelinePlan, progress: Progress): number | null {
  const sources = plan.sources.filter(({ table }) => !table);
  if (!blueprint.bounded || sources.length === 0) return null;
  const positions = progress.positions();
  let sum = 0;
  for (const { name, source } of sources) {
    if (!source.progress) return null;
    sum += source.progress(positions.get(name) ?? []);
  }
  return sum / sources.length;
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
