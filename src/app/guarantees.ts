/** What each path from a source to a sink guarantees, and what that rests on. */
import type { Guarantee } from "../engine/contracts.ts";
import type { PipelineBlueprint, Project } from "../project/contracts.ts";

export interface PathGuarantee {
  readonly pipeline: string;
  readonly source: string;
  readonly sink: string;
  readonly guarantee: Guarantee;
  readonly note: string;
}

export function describeGuarantees(project: Project): PathGuarantee[] {
  return project.pipelines.flatMap((blueprint) =>
    blueprint.sinks.flatMap((sink) =>
      sourcesOf(blueprint, sink.inputs.map((edge) => edge.from)).map((source) => ({
        pipeline: blueprint.name,
        source,
        sink: sink.name,
        guarantee: sink.plan.guarantee,
        note: sink.plan.guaranteeNote,
      }))
    )
  );
}

/** The sources upstream of the nodes, in the order of the file. */
function sourcesOf(blueprint: PipelineBlueprint, nodes: readonly string[]): string[] {
  const seen = new Set<string>();
  const visit = (node: string): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const transform = blueprint.transforms.find((candidate) => candidate.name === node);
    transform?.inputs.flat().forEach((edge) => visit(edge.from));
  };
  nodes.forEach(visit);
  return blueprint.sources.map((source) => source.name).filter((name) => seen.has(name));
}
