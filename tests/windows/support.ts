/** Pipelines with event time as text, with the shipped components. */
import { registry } from "../../src/app/full_registry.ts";
import { runTests } from "../../src/app/run_tests.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import { planIntake } from "../../src/transforms/intake.ts";
import { faultsOf, loadOne, type Setting } from "../project/support.ts";

const options = { registry, intake: planIntake };

export function blueprintOf(toml: string, setting: Setting = {}): Promise<PipelineBlueprint> {
  return loadOne(toml, { ...setting, options });
}
/** The faults as they are printed. */
export function faults(toml: string): Promise<string> {
  return faultsOf(toml, { options });
}
/** What differs from the [[tests]] of the pipeline; "" when they pass. */
export async function differences(toml: string): Promise<string> {
  const blueprint = await blueprintOf(toml, { purpose: "test" });
  return runTests(blueprint).flatMap(({ name, differences }) => differences.map((one) => `${name}: ${one}`)).join("\n");
}
