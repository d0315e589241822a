/**
 * Whether a record that a node refused may go through the whole pipeline again. Invariant: only where nothing before that node has kept
 * anything of it, in state or in a sink; else it would count twice there.
 */
import type { Edge } from "../../engine/contracts.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { sinkName } from "../../project/hidden.ts";

/** Why the records of a source that `step` refused cannot be redriven; null where they can. */
export function redriveObstacle(blueprint: PipelineBlueprint, source: string, step: string): string | null {
  const found = blueprint.sources.find(({ name }) => name === source);
  if (!found) return `"${source}" is no source of it, or one of a later stage`;
  if (!found.plan.redecode) return `records of a ${found.type} source cannot be decoded again`;
  if (step === source) return null;
  const { transforms, sinks } = blueprint;
  const nodes = [
    ...transforms.map(({ name, inputs, plan }) => ({
      name,
      inputs: inputs.flat(),
      kind: "transform" as const,
      keeps: plan.keyedBy !== null || plan.needsEnd || (plan.tables?.length ?? 0) > 0,
    })),
    ...sinks.map(({ name, inputs }) => ({ name: sinkName(name), inputs, kind: "sink" as const, keeps: true })),
  ];
  if (!nodes.some(({ name }) => name === step)) return `it has no node "${step}" any more`;
  // What a record reaches without having passed `step`.
  const reached = new Set([source]);
  const feeds = ({ from, port }: Edge): boolean => port !== "rejected" && from !== step && reached.has(from);
  for (let grown = true; grown;) {
    const more = nodes.filter(({ name, inputs }) => !reached.has(name) && name !== step && inputs.some(feeds));
    for (const { name } of more) reached.add(name);
    grown = more.length > 0;
  }
  const keeper = nodes.find(({ name, keeps }) => keeps && reached.has(name));
  if (!keeper) return null;
  return keeper.kind === "sink"
    ? `the sink "${keeper.name.slice(sinkName("").length)}" got them already: they do not reach it by way of "${step}"`
    : `"${keeper.name}" keeps state of them, which they changed before "${step}" refused them`;
}
