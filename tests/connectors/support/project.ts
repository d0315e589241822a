/** A pipeline from TOML text with the real components, as the program plans it. */
import { registry } from "../../../src/app/full_registry.ts";
import { ConfigurationError } from "../../../src/data/fault.ts";
import { expressions } from "../../../src/expr/mod.ts";
import type { PipelineBlueprint } from "../../../src/project/contracts.ts";
import { loadProject, renderFaults } from "../../../src/project/mod.ts";
import { planIntake } from "../../../src/transforms/intake.ts";
import { Machine, Process } from "./memory_world.ts";

/** The only pipeline of a file "p.toml". */
export async function plan(toml: string): Promise<PipelineBlueprint> {
  const machine = new Machine();
  machine.put("p.toml", toml);
  const { files, environment } = new Process(machine).world();
  const project = await loadProject({
    path: "p.toml",
    files,
    environment,
    registry,
    expressions,
    intake: planIntake,
    overrides: new Map(),
  });
  return project.pipelines[0];
}

/** What `check` would say about it; "" when nothing is wrong. */
export async function faultsOf(toml: string): Promise<string> {
  try {
    await plan(toml);
    return "";
  } catch (error) {
    if (error instanceof ConfigurationError) return renderFaults(error.faults);
    throw error;
  }
}
