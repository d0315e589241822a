/**
 * Several pipelines of one project: each starts as soon as those it comes `after` are done, and those that write what it reads
 * have begun: so a producer and a stream that follows it run side by side, and a reader never meets what is about to be replaced.
 */
import { MillraceError } from "../data/fault.ts";
import type { PipelineBlueprint, Project } from "../project/contracts.ts";
import type { PipelineOutcome } from "./events.ts";
import { mayHaveCheckpoint, openCheckpoint } from "./checkpoint_store.ts";
import { type RunOptions, runPipeline } from "./run_pipeline.ts";
import { RunRecords } from "./run_record.ts";
import { runStages } from "./run_stages.ts";

/** What all pipelines of a run have in common. */
export type ProjectRunOptions = Omit<RunOptions, "readFrom">;

/** Runs the chosen pipelines. The first failure stops the others after their current epoch and is thrown. */
export async function runProject(
  project: Project,
  chosen: readonly PipelineBlueprint[],
  options: ProjectRunOptions,
): Promise<readonly PipelineOutcome[]> {
  await requireEarlier(project, chosen, options);
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const running = new Map<string, Promise<PipelineOutcome | null>>();
  const opened = new Map(chosen.map(({ name }) => [name, Promise.withResolvers<void>()]));
  const begin = async (blueprint: PipelineBlueprint): Promise<PipelineOutcome | null> => {
    const { resolve } = opened.get(blueprint.name)!;
    try {
      await Promise.all(writersFor(blueprint, chosen).map((name) => opened.get(name)!.promise));
      const earlier = await Promise.all(blueprint.after.map((name) => running.get(name)));
      const ready = earlier.every((outcome) => outcome === undefined || (outcome !== null && outcome.status !== "stopped"));
      if (!ready || signal.aborted) return null;
      const world = { ...options.world, stopping: signal };
      const run = blueprint.stages.length > 0 ? runStages : runPipeline;
      const outcome = await run(blueprint, { ...options, world, signal, readFrom: project.readFrom, opened: () => resolve() });
      options.events.finished(outcome);
      return outcome;
    } catch (error) {
      failure.abort();
      throw error;
    } finally {
      resolve();
    }
  };
  for (const blueprint of inOrder(chosen)) running.set(blueprint.name, begin(blueprint));
  const settled = await Promise.allSettled(running.values());
  const failed = settled.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return settled.flatMap((result) => result.status === "fulfilled" && result.value ? [result.value] : []);
}

/** The chosen pipelines that write what this one follows, without those that wait for it themselves. */
function writersFor(blueprint: PipelineBlueprint, chosen: readonly PipelineBlueprint[]): string[] {
  const places = new Set([...blueprint.sources, ...blueprint.changelogs].flatMap(({ plan }) => plan.place ?? []));
  const writes = (other: PipelineBlueprint): boolean => other.sinks.some(({ plan }) => places.has(plan.place));
  return chosen.filter((other) => other !== blueprint && writes(other) && !comesAfter(other, blueprint, chosen)).map(({ name }) => name);
}

function comesAfter(later: PipelineBlueprint, earlier: PipelineBlueprint, chosen: readonly PipelineBlueprint[]): boolean {
  return later.after.some((name) => {
    const before = chosen.find((candidate) => candidate.name === name);
    return before !== undefined && (before === earlier || comesAfter(before, earlier, chosen));
  });
}

/** So that every pipeline finds those it waits for already begun. Cycles were refused by the project's check. */
function inOrder(chosen: readonly PipelineBlueprint[]): readonly PipelineBlueprint[] {
  const ordered = new Set<PipelineBlueprint>();
  const visit = (blueprint: PipelineBlueprint): void => {
    if (ordered.has(blueprint)) return;
    for (const name of blueprint.after) {
      const earlier = chosen.find((candidate) => candidate.name === name);
      if (earlier) visit(earlier);
    }
    ordered.add(blueprint);
  };
  chosen.forEach(visit);
  return [...ordered];
}

/** A pipeline started alone wants those before it done. */
async function requireEarlier(project: Project, chosen: readonly PipelineBlueprint[], { world }: ProjectRunOptions): Promise<void> {
  for (const blueprint of chosen) {
    for (const name of blueprint.after) {
      if (chosen.some((other) => other.name === name)) continue;
      const earlier = project.pipelines.find((candidate) => candidate.name === name);
      if (earlier && await isDone(earlier, world)) continue;
      throw new MillraceError("not_ready", `pipeline "${blueprint.name}" comes after "${name}", which is not done yet`, {
        hint: `run it first: millrace run ${project.folder} ${name}`,
      });
    }
  }
}

async function isDone(blueprint: PipelineBlueprint, world: RunOptions["world"]): Promise<boolean> {
  for (const stage of blueprint.stages) if (!(await isDone(stage, world))) return false;
  if (blueprint.stages.length > 0) return true;
  if (!(await mayHaveCheckpoint(blueprint, world))) return false;
  const kv = await openCheckpoint(blueprint, world);
  try {
    return (await RunRecords.open(kv)).current?.status === "done";
  } finally {
    kv.close();
  }
}
