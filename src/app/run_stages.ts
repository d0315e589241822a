/**
 * A pipeline that runs in stages: its linked pipelines side by side, told to people as one. Invariant: a stage reads what the run before
 * it writes, never what an older one left: it begins when that run has opened its topic, and is done anew where that is.
 */
import type { NodeCounters } from "../engine/run_contracts.ts";
import type { PipelineBlueprint } from "../project/contracts.ts";
import type { PipelineOutcome, PipelineProgress, RunEvents } from "./events.ts";
import { KinRuns } from "./kin_runs.ts";
import { type RunOptions, runPipeline } from "./run_pipeline.ts";

/** As `runPipeline`, for one with stages. The first failure stops the others after their current epoch and is thrown. */
export async function runStages(blueprint: PipelineBlueprint, options: RunOptions): Promise<PipelineOutcome> {
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const { stages } = blueprint;
  /** By stage: the run that writes for the next one; null where it never began. */
  const begun = stages.map(() => Promise.withResolvers<string | null>());
  const progress = new ProgressOfStages(blueprint, options.events);
  const last = stages.length - 1;
  const kin = new KinRuns(blueprint.stateFolder);
  const run = async (stage: PipelineBlueprint, index: number): Promise<PipelineOutcome | null> => {
    try {
      const follows = index === 0 ? undefined : await begun[index - 1].promise;
      if (follows === null) return null;
      const world = { ...options.world, stopping: signal };
      const opened = (run: string): void => {
        begun[index].resolve(run);
        if (index === last) options.opened?.(run);
      };
      const outcome = await runPipeline(stage, { ...options, world, signal, follows, opened, kin, events: progress.eventsOf(index) });
      begun[index].resolve(outcome.run);
      return outcome;
    } catch (error) {
      failure.abort();
      throw error;
    } finally {
      begun[index].resolve(null);
    }
  };
  const settled = await Promise.allSettled(stages.map(run));
  const failed = settled.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return together(blueprint, settled.flatMap((result) => result.status === "fulfilled" && result.value ? [result.value] : []));
}

/** What the stages tell, as one pipeline: the records are those of the first. */
class ProgressOfStages {
  readonly #of: (PipelineProgress | null)[];
  constructor(private readonly blueprint: PipelineBlueprint, private readonly events: RunEvents) {
    this.#of = blueprint.stages.map(() => null);
  }

  eventsOf(stage: number): RunEvents {
    const { events, blueprint: { name } } = this;
    return {
      ...events,
      started: (_, resumed) => stage === 0 && events.started(name, resumed),
      notice: (_, text) => events.notice(name, text),
      progress: (progress) => {
        this.#of[stage] = progress;
        this.#tell();
      },
    };
  }

  #tell(): void {
    const [first] = this.#of;
    if (!first) return;
    this.events.progress({ ...first, pipeline: this.blueprint.name, fraction: () => this.#fraction() });
  }

  #fraction(): number | null {
    const fractions = this.#of.map((progress) => progress === null ? 0 : progress.fraction());
    const sum = fractions.reduce((sum, fraction) => sum === null || fraction === null ? null : sum + fraction, 0);
    return sum === null ? null : sum / fractions.length;
  }
}

/** One outcome of all stages. What passes between them is nobody's result. */
function together(blueprint: PipelineBlueprint, outcomes: readonly PipelineOutcome[]): PipelineOutcome {
  const statuses = new Set(outcomes.map(({ status }) => status));
  const stopped = outcomes.length < blueprint.stages.length || statuses.has("stopped");
  const [first] = outcomes;
  const counters: Record<string, NodeCounters> = {};
  for (const { counters: own } of outcomes) {
    for (const [name, one] of Object.entries(own)) if (!isBetween(name)) counters[name] = added(counters[name], one);
  }
  return {
    ...first,
    pipeline: blueprint.name,
    status: stopped ? "stopped" : statuses.has("done") ? "done" : "already_done",
    rejected: outcomes.reduce((sum, { rejected }) => sum + rejected, 0),
    epochs: outcomes.reduce((sum, { epochs }) => sum + epochs, 0),
    durationMs: Math.max(...outcomes.map(({ durationMs }) => durationMs)),
    counters,
    reports: outcomes.flatMap(({ reports }) => reports),
    checks: outcomes.flatMap(({ checks }) => checks),
    warnings: blueprint.warnings,
    places: placesOf(outcomes),
  };
}

/** Both ends of a topic between stages that no repartition of the file stands for. */
const isBetween = (counter: string): boolean => /:(out|carried|partial)$/.test(counter);

function added(sum: NodeCounters | undefined, one: NodeCounters): NodeCounters {
  if (!sum) return one;
  const names = Object.keys(one) as (keyof NodeCounters)[];
  return Object.fromEntries(names.map((name) => [name, sum[name] + one[name]])) as unknown as NodeCounters;
}

/** Each stage has a place of its own for the rejects that no sink takes. */
function placesOf(outcomes: readonly PipelineOutcome[]): Record<string, string> {
  const places: Record<string, string> = {};
  for (const { pipeline, places: own } of outcomes) {
    for (const [sink, place] of Object.entries(own)) {
      if (!sink.includes(":")) places[sink in places ? `${sink} of ${pipeline}` : sink] = place;
    }
  }
  return places;
}
