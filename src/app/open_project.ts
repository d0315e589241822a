/** Reads a project with the real components: what every subcommand starts with. */
import { expressions } from "../expr/mod.ts";
import { loadProject } from "../project/mod.ts";
import type { PipelineBlueprint, Project } from "../project/contracts.ts";
import { assert, ConfigurationError, MillraceError } from "../data/fault.ts";
import { planIntake } from "../transforms/intake.ts";
import type { World } from "../ports/mod.ts";
import { namePrefix, relocated, SCRATCH_VARIABLE } from "./scratch_paths.ts";
import { loadRegistry, type Registry } from "./registry.ts";

export interface ProjectChoice {
  /** A folder or one TOML file. */
  readonly path: string;
  /** "params.x" and the like to text, from --set. */
  readonly overrides: ReadonlyMap<string, string>;
  readonly envFile?: string;
  /** The folder that all paths are taken into. Default: the one that a proof names in the environment, which its threads see too. */
  readonly scratch?: string;
  /** "test": fields that only [[tests]] look at are read too. */
  readonly purpose?: "run" | "test";
}

/** Throws ConfigurationError with every fault at once. */
export async function openProject(world: World, choice: ProjectChoice): Promise<Project> {
  try {
    return await openWith(loadRegistry, world, choice);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // What is wrong is told with all components at hand: a name that was meant may be one that nobody wrote.
    return await openWith(() => loadRegistry("all"), world, choice);
  }
}

function openWith(registry: (types: ReadonlySet<string>) => Promise<Registry>, world: World, choice: ProjectChoice): Promise<Project> {
  const scratch = choice.scratch ?? world.environment.get(SCRATCH_VARIABLE);
  return loadProject({
    path: choice.path,
    files: world.files,
    environment: world.environment,
    registry,
    expressions,
    intake: planIntake,
    overrides: choice.overrides,
    envFile: choice.envFile,
    purpose: choice.purpose,
    ...(scratch ? { relocate: (path: string) => relocated(scratch, path), proof: namePrefix(scratch) } : {}),
  });
}

/** A pipeline that runs by itself: one without stages, or a stage. */
export function findRunnable(project: Project, name: string): PipelineBlueprint {
  const found = project.pipelines.flatMap((pipeline) => [pipeline, ...pipeline.stages]).findLast((one) => one.name === name);
  assert(found, `"${name}" is a pipeline of the project, or a stage of one`);
  return found;
}

/** The pipelines of the given names, or those of the profile, or all; an unknown name is an error that lists what there is. */
export function choosePipelines(project: Project, names: readonly string[]): readonly PipelineBlueprint[] {
  const wanted = names.length === 0 ? project.chosen : names;
  if (wanted === null) return project.pipelines;
  return wanted.map((name) => {
    const found = project.pipelines.find((pipeline) => pipeline.name === name);
    if (found) return found;
    throw new MillraceError("unknown_pipeline", `there is no pipeline "${name}" in ${project.folder}`, {
      hint: `it has: ${project.pipelines.map((pipeline) => pipeline.name).join(", ")}`,
    });
  });
}
