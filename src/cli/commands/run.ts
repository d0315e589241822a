/** `run`, `load`, `produce`, `stream`, `batch`: choose pipelines, run them, tell how it went. */
import { MillraceError } from "../../data/fault.ts";
import { choosePipelines, openProject } from "../../app/open_project.ts";
import { runProject } from "../../app/run_project.ts";
import { serveProject } from "../../app/serve_project.ts";
import { stopWithin } from "../../app/stop_within.ts";
import { stopAfter } from "../../app/stop_after.ts";
import type { PipelineOutcome, RunEvents } from "../../app/events.ts";
import type { PipelineBlueprint, Project } from "../../project/contracts.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { LayerCommand, RunCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { underWatch } from "../watching.ts";
import { outcomeLines, summaryText } from "../render/outcome.ts";
import { ProgressLines } from "../render/progress.ts";

export async function run(command: RunCommand | LayerCommand, context: CommandContext): Promise<number> {
  const { world, terminal, signal } = context;
  const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
  const chosen = command.command === "run" ? choosePipelines(project, command.pipelines) : chooseByKind(project, command);
  const progress = new ProgressLines(terminal, world.clock);
  const stop = stopAfter(command, signal, eventsBeside(chosen, progress, command.quiet), world.clock);
  try {
    const tell = (pipeline: string, line: string): void => progress.finish("", [`  ${pipeline.padEnd(16)} ${line}`]);
    const work = () =>
      underWatch(command, { project, chosen, stopping: stop.signal }, context, async (world, watch) => {
        const options = { world, signal: stop.signal, rerun: command.rerun, events: stop.events, watch };
        const { outcomes } = chosen.some(({ kind }) => kind === "serve")
          ? await serveProject(project, chosen, { ...options, tell: command.quiet ? () => {} : tell })
          : { outcomes: await runProject(project, chosen, options) };
        progress.clear();
        terminal.out(command.json ? JSON.stringify(outcomes, null, 2) + "\n" : summaryText(outcomes));
        return exitCode(chosen, outcomes, signal);
      });
    return await stopWithin(work, { signal, chosen, wished: command.stopWithin, clock: world.clock });
  } finally {
    stop.release();
    progress.clear();
  }
}

/** Where rows are printed as they come, a line that is redrawn would stand in between. */
function eventsBeside(chosen: readonly PipelineBlueprint[], progress: ProgressLines, quiet: boolean): RunEvents {
  const events = eventsOf(progress, quiet);
  return chosen.some(({ sinks }) => sinks.some(({ type }) => type === "console")) ? { ...events, progress() {} } : events;
}

/** What running pipelines tell, drawn by `progress`. */
export function eventsOf(progress: ProgressLines, quiet: boolean): RunEvents {
  if (quiet) return { started() {}, progress() {}, finished() {}, notice() {} };
  return {
    started: (pipeline, resumed) => {
      if (resumed) progress.finish(pipeline, [`  ${pipeline.padEnd(16)} goes on with an unfinished run`]);
    },
    progress: (update) => progress.update(update),
    finished: (outcome) => progress.finish(outcome.pipeline, outcomeLines(outcome)),
    notice: (pipeline, text) => progress.finish("", [`  ${pipeline.padEnd(16)} ${text}`]),
  };
}

/** Names stand for themselves or, shorter, without their kind: `load initial` is load-initial. */
export function chooseByKind(
  project: Project,
  { kind, names }: { readonly kind: string; readonly names: readonly string[] },
): readonly PipelineBlueprint[] {
  const candidates = project.pipelines.filter((pipeline) => pipeline.kind === kind);
  const known = candidates.map((pipeline) => pipeline.name).join(", ");
  if (candidates.length === 0) {
    throw new MillraceError("unknown_pipeline", `${project.folder} has no pipeline of kind "${kind}"`, {
      hint: `it has: ${project.pipelines.map((pipeline) => `${pipeline.name} (${pipeline.kind})`).join(", ")}`,
    });
  }
  if (names.length === 0) {
    const ofProfile = candidates.filter(({ name }) => project.chosen?.includes(name));
    return ofProfile.length > 0 ? ofProfile : candidates;
  }
  return names.map((name) => {
    const found = candidates.find((pipeline) => pipeline.name === name) ??
      candidates.find((pipeline) => pipeline.name === `${kind}-${name}`);
    if (found) return found;
    throw new MillraceError("unknown_pipeline", `${project.folder} has no pipeline "${name}" of kind "${kind}"`, {
      hint: `it has: ${known}`,
    });
  });
}

/** An endless pipeline that was told to stop is done; a bounded one was interrupted. */
function exitCode(chosen: readonly PipelineBlueprint[], outcomes: readonly PipelineOutcome[], signal: AbortSignal): number {
  if (!signal.aborted) return EXIT.done;
  if (signal.reason === "SIGINT") return EXIT.interrupted;
  const unfinished = chosen.some((pipeline) =>
    pipeline.bounded && !outcomes.some((outcome) => outcome.pipeline === pipeline.name && outcome.status !== "stopped")
  );
  return unfinished ? EXIT.interrupted : EXIT.done;
}
