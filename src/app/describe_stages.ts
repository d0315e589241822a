/** What `check` tells of pipelines that run in stages: the plan that their repartitions lead to. */
import type { PipelineBlueprint, Project } from "../project/contracts.ts";

export interface StageDescription {
  readonly pipeline: string;
  /** "first", else the repartition that leads into it. */
  readonly stage: string;
  /** What it reads: sources, or the topic in between. */
  readonly reads: string;
  /** How many it has and why. */
  readonly lanes: string;
}

/** Of all pipelines, in the order of their files. */
export function describeStages(project: Project): StageDescription[] {
  return project.pipelines.flatMap(({ name: pipeline, stages }) =>
    stages.map((stage, index): StageDescription => (
      {
        pipeline,
        stage: index === 0 ? "first" : stage.name.slice(pipeline.length + 1),
        reads: readsOf(stage, index),
        lanes: stage.lanesReason,
      }
    ))
  );
}

function readsOf({ sources }: PipelineBlueprint, index: number): string {
  const read = index === 0 ? sources.map(({ name }) => name) : sources.map(({ plan, name }) => plan.place ?? name);
  return read.join(", ");
}
