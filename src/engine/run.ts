/**
 * The engine's entry: from a plan to lanes, and from lanes to a result. Invariant: either every lane ran to the end of its input
 * or to the signal, and no row is unaccounted for, or it throws.
 */
import { assert, MillraceError } from "../data/fault.ts";
import type { PipelinePlan, Position } from "./contracts.ts";
import { addTallies, summarize, type Tallies, verifyTallies } from "./counters.ts";
import type { Head } from "./head.ts";
import type { HeldLane, LaneSink } from "./held_lane.ts";
import { requireKnownRuns } from "./known_runs.ts";
import { Lane, type LaneEnd } from "./lane.ts";
import { LaneGraph } from "./lane_graph.ts";
import type { LaneInput, LaneInputs } from "./lane_inputs.ts";
import type { EngineOptions, EngineResult, Progress, Replicas } from "./run_contracts.ts";
import { SharedLanes } from "./shared_lanes.ts";
import { createStateStore } from "./state/store.ts";

/**
 * Runs a pipeline until its input has ended or the signal aborts. When it returns, the sinks are open and hold everything: the
 * caller finishes (if `ended`) and closes them. When it throws, they are closed. Throws FencedError when another owner took a
 * lane over, MillraceError for everything else a user can meet.
 */
export async function runPipeline(options: EngineOptions): Promise<EngineResult> {
  const { plan, signal } = options;
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const progress = new ProgressOfLanes(options);
  const inputs = await findInputs(plan, signal);
  if (inputs === null) return nothingRead(plan);
  if (options.replicas) return await runShared(options, options.replicas, inputs, progress);
  const numbers = options.part?.lanes ?? [...inputs.keys()];
  const lanes = numbers.map((lane) => new Lane(progress.setting(inputs[lane], lane), options.kv));
  // Once every lane is taken over no older owner can begin an epoch: only then "nothing was ever committed" stays true.
  const heads = await settle(lanes.map((lane) => lane.takeOver(stop)), failed);
  try {
    const fresh = !options.part && heads.every((head) => head.epoch === 0 && head.intent === null);
    const run = {
      pipeline: plan.pipeline,
      shownAs: plan.shownAs,
      run: options.run,
      lanes: inputs.length,
      fresh,
      epochMs: plan.epoch.everyMs,
    };
    if (!options.part) await requireKnownRuns(options, inputs.length, heads);
    await settle(plan.sinks.map(({ sink }) => sink.open(run)), failed);
    options.observer?.opened?.();
    const ends = await settle(lanes.map((lane, i) => lane.run(sinksOf(plan, numbers[i]), stop)), failed);
    return conclude(plan, ends, progress.epochs);
  } catch (error) {
    await Promise.allSettled(plan.sinks.map(({ sink }) => sink.close()));
    throw error;
  }
}

/** As one of several replicas: this one's lanes are those whose partitions it is given. */
async function runShared(
  options: EngineOptions,
  replicas: Replicas,
  inputs: readonly (readonly LaneInput[])[],
  progress: ProgressOfLanes,
): Promise<EngineResult> {
  const { plan, world, kv, signal, run } = options;
  const shared = plan.sources.find(({ source, table }) => source.share && !table);
  assert(shared?.source.share, "replicas have a source that they share");
  const share = replicas.share ?? shared.source.share(plan.lanesByPartition ? "each" : "whole");
  try {
    const fresh = await replicas.mayClear() === "nobody has begun";
    const opening = { pipeline: plan.pipeline, shownAs: plan.shownAs, run, lanes: inputs.length, fresh, epochMs: plan.epoch.everyMs };
    await requireKnownRuns(options, inputs.length, []);
    await Promise.all(plan.sinks.map(({ sink }) => sink.open(opening)));
    await replicas.opened();
    options.observer?.opened?.();
    const lanes = new SharedLanes({
      world,
      share,
      replicas,
      signal,
      partitions: inputs.map((each) => each.filter(({ node }) => node === shared).map(({ partition }) => partition)),
      sinksOf: (lane) => sinksOf(plan, lane),
      makeLane: (lane, flipped) => new Lane(progress.setting(inputs[lane], lane, flipped), kv),
      released: (lane) => progress.forget(lane),
    });
    const ends = await lanes.run();
    return ends.length === 0 ? nothingRead(plan) : conclude(plan, ends, progress.epochs);
  } catch (error) {
    await Promise.allSettled(plan.sinks.map(({ sink }) => sink.close()));
    throw error;
  }
}

/** How many lanes the pipeline has; null when the signal comes before that can be told. */
export async function countLanes(plan: PipelinePlan, signal: AbortSignal): Promise<number | null> {
  return (await findInputs(plan, signal))?.length ?? null;
}

async function findInputs(plan: PipelinePlan, signal: AbortSignal): Promise<readonly (readonly LaneInput[])[] | null> {
  const counts = await unlessStopped(Promise.all(plan.sources.map(({ source }) => source.partitions())), signal);
  return counts && inputsOfLanes(plan, counts);
}

/** A source may wait until it exists, as a topic until somebody makes it; null when the signal comes first. */
async function unlessStopped<T>(wait: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null;
  const stopped = Promise.withResolvers<null>();
  const stop = (): void => stopped.resolve(null);
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([wait, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The result of a run that was stopped before its sources were there: its operators are as new. */
export function nothingRead(plan: PipelinePlan): EngineResult {
  const graph = new LaneGraph({ plan, lane: 0, state: createStateStore(), write: () => {} });
  return { ended: false, counters: new Map(), lanes: [graph.operators()], epochs: 0 };
}

/** One lane per partition, co-partitioned sources together; or one lane that reads everything. Every lane reads all of a table. */
function inputsOfLanes(plan: PipelinePlan, counts: readonly number[]): readonly (readonly LaneInput[])[] {
  const each = plan.sources.map((node, i) => Array.from({ length: counts[i] }, (_, partition): LaneInput => ({ node, partition })));
  if (!plan.lanesByPartition) return [each.flat()];
  const tables = each.filter(([input]) => input?.node.table).flat();
  const split = each.filter(([input]) => !input?.node.table);
  if (split.some((inputs) => inputs.length !== split[0].length)) {
    const list = split.map((inputs) => `"${inputs[0]?.node.name}" has ${inputs.length}`).join(", ");
    throw new MillraceError(
      "partitions_differ",
      `the sources of "${plan.pipeline}" are read partition by partition together, but ${list}`,
      {
        hint: "give them equal numbers of partitions, or send one through a repartition",
      },
    );
  }
  return split[0].map((_, partition) => [...split.map((inputs) => inputs[partition]), ...tables]);
}

/** A quiet partition is of interest only where it holds event time back: of another one here, or of those who read what is written. */
function withQuietness(inputs: readonly LaneInput[], { times = [], sinks }: PipelinePlan): readonly LaneInput[] {
  const timed = inputs.filter(({ node }) => !node.table).length;
  if (timed < 2 && !sinks.some(({ sink }) => sink.carriesTime)) return inputs;
  return inputs.map((input) => {
    const time = times.find(({ source }) => source === input.node.name);
    return time ? { ...input, quietAfterMs: time.idleMs } : input;
  });
}

const sinksOf = (plan: PipelinePlan, lane: number): readonly LaneSink[] => plan.sinks.map((node) => ({ node, lane: node.sink.lane(lane) }));

/** Waits for all; the first fault stops the others at their next epoch and is thrown when they have come to rest. */
async function settle<T>(promises: readonly Promise<T>[], failed: AbortController): Promise<T[]> {
  let fault: { readonly error: unknown } | null = null;
  const results = await Promise.all(promises.map((promise) =>
    promise.catch((error: unknown) => {
      fault ??= { error };
      failed.abort();
      return null;
    })
  ));
  if (fault) throw (fault as { readonly error: unknown }).error;
  return results as T[];
}

function conclude(plan: PipelinePlan, ends: readonly LaneEnd[], epochs: number): EngineResult {
  const ended = ends.every((end) => end.ended);
  const tallies: Tallies = new Map();
  for (const { held } of ends) addTallies(tallies, held.graph.counters());
  // Where the configuration changed on the way, older epochs were counted by other nodes.
  if (ends.every(({ held }) => countedBy(held.head) === plan.hash)) verifyTallies(plan, tallies, ended ? "ended" : "stopped");
  const counters = new Map([...tallies].map(([name, tally]) => [name, summarize(tally)]));
  return { ended, counters, lanes: ends.map(({ held }) => held.graph.operators()), epochs };
}

const countedBy = (head: Head): string => head.firstPlanHash;

/** Brings the lanes' steps together for the observer. */
class ProgressOfLanes {
  epochs = 0;
  readonly #options: EngineOptions;
  readonly #read: number[] = [];
  /** What the heads said when this process began. */
  readonly #readBefore: number[] = [];
  /** Read by this process of lanes that are others' now. */
  #readOfForgotten = 0;
  /** Where each lane is read from. */
  readonly #inputs: LaneInputs[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /** The lane is another replica's now. */
  forget(lane: number): void {
    this.#readOfForgotten += (this.#read[lane] ?? 0) - (this.#readBefore[lane] ?? 0);
    delete this.#inputs[lane];
    delete this.#read[lane];
    delete this.#readBefore[lane];
  }

  /** What lane number `lane` is made of. `flipped` is told of every epoch. */
  setting(inputs: readonly LaneInput[], lane: number, flipped?: () => void): ConstructorParameters<typeof Lane>[0] {
    const { world, plan, run, observer, signal, replicas } = this.#options;
    return {
      world,
      plan,
      run,
      lane,
      inputs: withQuietness(inputs, plan),
      // A replica that stops does not stop the pipeline: others go on with its lanes.
      stopWanted: () => signal.aborted && !replicas,
      covered: (source, partition, position) => observer?.covered?.(source, partition, position),
      spectator: observer?.spectator,
      batchProcessed: (held) => {
        if (!observer?.progress) return;
        this.#note(held, lane);
        observer.progress(this.#now());
      },
      epochFlipped: (epoch, durationMs) => {
        this.epochs++;
        flipped?.();
        observer?.epochFlipped?.(lane, epoch, durationMs);
      },
    };
  }

  #note(held: HeldLane, lane: number): void {
    this.#inputs[lane] = held.inputs;
    // The first batch is noted before its epoch changes the head.
    this.#readBefore[lane] ??= this.#options.plan.sources.reduce(
      (sum, { name, table }) => sum + (table ? 0 : held.head.tallies.get(name)?.in ?? 0),
      0,
    );
    this.#read[lane] = held.graph.recordsRead;
  }

  #now(): Progress {
    const read = this.#read.reduce((sum, read) => sum + (read ?? 0), 0);
    const readBefore = this.#readBefore.reduce((sum, before) => sum + (before ?? 0), 0);
    return { read, readNow: read - readBefore + this.#readOfForgotten, positions: () => this.#positions() };
  }

  #positions(): ReadonlyMap<string, readonly Position[]> {
    const positions = new Map(this.#options.plan.sources.map(({ name }) => [name, [] as Position[]]));
    for (const inputs of this.#inputs) {
      for (const { source, partition, position } of inputs?.positions() ?? []) positions.get(source)![partition] = position;
    }
    return positions;
  }
}
