/** The quick part of the model-checked commit protocol: what the repaired rules keep, and what goes wrong without each. */
import assert from "node:assert/strict";
import { EXPERIMENTS } from "./experiments.ts";
import { judge } from "./judge.ts";

for (const experiment of EXPERIMENTS.filter(({ runs }) => runs === "gate")) {
  const { name, expected } = experiment;
  const finds = "fault" in expected ? `is broken in ${expected.steps} steps` : `holds in all ${expected.states} states`;
  Deno.test(`the commit protocol, ${name}, ${finds}`, () => {
    const { outcome, differs } = judge(experiment);
    assert.equal(differs, "", `${differs}\n${outcome.trace.join("\n")}`);
  });
}
