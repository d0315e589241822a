/**
 * A project in a folder of its own, run by child processes. Invariant: what it reads and writes lies in that folder; a project for which
 * that cannot hold is refused before anything is started.
 */
import { MillraceError } from "../../data/fault.ts";
import type { PipelineBlueprint, Project } from "../../project/contracts.ts";
import type { ChildEnd, World } from "../../ports/mod.ts";
import { choosePipelines, openProject } from "../open_project.ts";
import { SCRATCH_VARIABLE } from "../scratch_paths.ts";
import { type InputFile, placeInputs } from "./inputs.ts";
import { LIFE_MS_MAX } from "./limits.ts";

/** What is proved. */
export interface Subject {
  readonly path: string;
  readonly overrides: ReadonlyMap<string, string>;
  readonly envFile?: string;
  readonly seed: number;
  /** Of each input file. */
  readonly records: number;
}

export class ScratchRun {
  private constructor(
    private readonly world: World,
    private readonly subject: Subject,
    private readonly folder: string,
    private readonly project: Project,
    /** Those that are run, in the project's order. */
    readonly pipelines: readonly PipelineBlueprint[],
    readonly inputs: readonly InputFile[],
  ) {}

  /** Opens the project as it will be run in `folder`, with `settings` before its own, and puts its input there. */
  static async prepare(world: World, subject: Subject, folder: string, settings: ReadonlyMap<string, string>): Promise<ScratchRun> {
    const overrides = new Map([...settings, ...subject.overrides, ["state", `${folder}/state`]]);
    const own = { ...subject, overrides };
    const project = await openProject(world, { path: subject.path, overrides, envFile: subject.envFile, scratch: folder });
    const pipelines = choosePipelines(project, []).filter(({ kind }) => kind !== "serve");
    refuseWhatCannotBeProved(pipelines, subject.path);
    const inputs = await placeInputs(world, pipelines, { scratch: folder, seed: subject.seed, records: subject.records });
    return new ScratchRun(world, own, folder, project, pipelines, inputs);
  }

  /** One life. Throws where it neither was killed nor did its work. */
  async live(environment: Readonly<Record<string, string>>, signal: AbortSignal): Promise<"killed" | "done"> {
    const { world, subject, folder } = this;
    if (!world.processes) throw new MillraceError("prove_processes", "there are no processes to be killed here");
    const settings = [...subject.overrides].flatMap(([name, value]) => ["--set", `${name}=${value}`]);
    const envFile = subject.envFile === undefined ? [] : ["--env-file", subject.envFile];
    const tooLong = new AbortController();
    const ended = new AbortController();
    world.clock.sleep(LIFE_MS_MAX, ended.signal).then(() => tooLong.abort());
    try {
      const end = await world.processes.run({
        args: ["run", subject.path, ...this.pipelines.map(({ name }) => name), "--quiet", "--json", ...settings, ...envFile],
        environment: { NO_COLOR: "1", [SCRATCH_VARIABLE]: folder, ...environment },
        signal: AbortSignal.any([signal, tooLong.signal]),
      });
      signal.throwIfAborted();
      if (tooLong.signal.aborted && end.killed) throw lifeTooLong();
      if (!end.killed && end.code !== 0) throw this.#failed(end);
      return end.killed ? "killed" : "done";
    } finally {
      ended.abort();
    }
  }

  /** Removes the folder. */
  async remove(): Promise<void> {
    await this.world.files.remove(this.folder);
  }

  #failed({ code, stderr, stdout }: ChildEnd): MillraceError {
    const told = (stderr.trim() || stdout.trim()).split("\n").slice(-12).join("\n");
    return new MillraceError("prove_failed_run", `the pipeline itself failed with exit code ${code}:\n${this.project.mask(told)}`, {
      hint: `its folder is left as it is: ${this.folder}`,
    });
  }
}

function lifeTooLong(): MillraceError {
  return new MillraceError("prove_life", `a run was not done after ${LIFE_MS_MAX / 1000} s`, {
    hint: "take fewer records (--records), or a faster rate of generated ones (--set)",
  });
}

/** Servers hold what is not ours to empty; an input without end has no last row to compare. */
function refuseWhatCannotBeProved(pipelines: readonly PipelineBlueprint[], path: string): void {
  const written = new Set(pipelines.flatMap((one) => [one, ...one.stages]).flatMap(({ sinks }) => sinks.map(({ plan }) => plan.place)));
  if (pipelines.length === 0) throw new MillraceError("usage", `${path} has no pipeline that can be proved`, { hint: "feeds are not" });
  for (const pipeline of pipelines.flatMap((one) => [one, ...one.stages])) {
    const { name, sources, tables, changelogs, sinks } = pipeline;
    const nodes = [...sources, ...tables, ...changelogs, ...sinks];
    const server = nodes.find(({ plan }) => plan.inspect !== undefined)?.name ?? sources.find(({ type }) => type === "socket")?.name;
    if (server !== undefined || pipeline.shared !== null) {
      const what = server === undefined ? "keeps its checkpoints" : `has "${server}"`;
      throw new MillraceError("prove_server", `the pipeline "${name}" ${what} on a server`, {
        hint: "a proof starts over and over again and is for files, log and sqlite: choose the embedded variant of the connection",
      });
    }
    const unwritten = [...sources, ...changelogs].find(({ plan }) => plan.place !== undefined && !written.has(plan.place));
    if (unwritten) {
      throw new MillraceError(
        "prove_input",
        `the pipeline "${name}" reads "${unwritten.name}", a topic that no pipeline of the project writes`,
        {
          hint: "add one that writes it, for example of kind produce with a file as its source: a proof makes missing files",
        },
      );
    }
    if (!pipeline.bounded) {
      throw new MillraceError("prove_unbounded", `the input of the pipeline "${name}" does not end`, {
        hint: 'let it end for the proof, for example by --set params.NAME=end where a source says until = "${params.NAME}"',
      });
    }
  }
}
