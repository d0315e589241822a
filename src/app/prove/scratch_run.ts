/**
 * A project in a folder of its own, run by child processes. Invariant: what it reads and writes lies in that folder, and in places of its
 * own at servers that are there for tests; a project for which that cannot hold is refused before anything is started.
 */
import type { ProofPlace } from "../../component/component.ts";
import { MillraceError } from "../../data/fault.ts";
import type { PipelineBlueprint, Project } from "../../project/contracts.ts";
import type { ChildEnd, World } from "../../ports/mod.ts";
import { choosePipelines, openProject } from "../open_project.ts";
import { SCRATCH_VARIABLE } from "../scratch_paths.ts";
import { type InputFile, placeInputs } from "./inputs.ts";
import { LIFE_MS_MAX } from "./limits.ts";
import { refuseWhatCannotBeProved, withStages } from "./refusals.ts";

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
    private readonly places: readonly ProofPlace[],
  ) {}

  /** Opens the project as it will be run in `folder`, with `settings` before its own, and puts its input there. */
  static async prepare(world: World, subject: Subject, folder: string, settings: ReadonlyMap<string, string>): Promise<ScratchRun> {
    const overrides = new Map([...settings, ...subject.overrides, ["state", `${folder}/state`]]);
    const own = { ...subject, overrides };
    const project = await openProject(world, { path: subject.path, overrides, envFile: subject.envFile, scratch: folder });
    const pipelines = choosePipelines(project, []).filter(({ kind }) => kind !== "serve");
    refuseWhatCannotBeProved(pipelines, subject.path);
    const inputs = await placeInputs(world, pipelines, { scratch: folder, seed: subject.seed, records: subject.records });
    return new ScratchRun(world, own, folder, project, pipelines, inputs, placesOf(pipelines));
  }

  /** Makes its places at servers. */
  async makePlaces(): Promise<void> {
    for (const place of this.places) await place.make(this.world);
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

  /** Removes its places at servers, and the folder. */
  async remove(): Promise<void> {
    await this.removePlaces();
    await this.world.files.remove(this.folder);
  }

  /** With what stands there. May be done again. */
  async removePlaces(): Promise<void> {
    for (const place of this.places) await place.remove(this.world);
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

/** At servers, each once. */
function placesOf(pipelines: readonly PipelineBlueprint[]): readonly ProofPlace[] {
  const places = new Map<string, ProofPlace>();
  for (const { sources, tables, changelogs, sinks } of withStages(pipelines)) {
    for (const { plan: { proof } } of [...sinks, ...sources, ...tables, ...changelogs]) {
      // The first of a key is a sink's, which knows what has to be made.
      if (proof && proof.key !== null && !places.has(proof.key)) places.set(proof.key, proof);
    }
  }
  return [...places.values()];
}
