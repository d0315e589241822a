/** From a blueprint (nothing opened) to the plan that the engine runs. */
import type { Edge, EventTime, OperatorNode, PipelinePlan, SinkNode, SourceNode } from "../engine/contracts.ts";
import type { World } from "../ports/mod.ts";
import type { PipelineBlueprint } from "../project/contracts.ts";

/** The engine's name of the reader behind a source that has an intake; the intake itself carries the source's name. */
export const readerName = (source: string): string => `${source}#read`;

/** The engine's name of a sink: sinks may share a name with what they are fed from, counters and heads may not. */
export const sinkName = (sink: string): string => `sink:${sink}`;

/** Sources and sinks are made here, once per start; they open nothing before the engine asks. */
export function buildPlan(blueprint: PipelineBlueprint, world: World): PipelinePlan {
  const sources: SourceNode[] = blueprint.sources.map(({ name, schema, plan, rank, needed, intake }) => ({
    name: intake ? readerName(name) : name,
    type: schema.type,
    source: plan.create(world, needed),
    rank,
  }));
  const withIntake = new Set(blueprint.sources.filter((source) => source.intake).map((source) => source.name));
  const sinks: SinkNode[] = blueprint.sinks.map(({ name, inputs, plan }) => ({
    name: sinkName(name),
    inputs: inputs.flatMap((edge) => bothRejects(edge, withIntake)),
    sink: plan.create(world),
  }));
  const { operators, times } = buildGraph(blueprint);
  return {
    pipeline: blueprint.name,
    hash: blueprint.hash,
    sources,
    operators,
    sinks,
    times,
    epoch: blueprint.epoch,
    lanesByPartition: blueprint.lanesByPartition,
  };
}

/**
 * The nodes without the outside world: names of the sources, and the operators, a source's intake right behind it. Event time comes
 * behind the intake: a record that its schema refuses does not move time.
 */
export function buildGraph(
  blueprint: PipelineBlueprint,
): { sources: { name: string }[]; operators: OperatorNode[]; times: EventTime[] } {
  const intakes = blueprint.sources.flatMap(({ name, intake }): OperatorNode[] =>
    intake ? [{ name, inputs: [[{ from: readerName(name), port: "out" }]], create: (context) => intake.create(context) }] : []
  );
  const transforms = blueprint.transforms.map(({ name, inputs, plan }): OperatorNode => ({
    name,
    inputs,
    create: (context) => plan.create(context),
  }));
  const sources = blueprint.sources.map(({ name, intake }) => ({ name: intake ? readerName(name) : name }));
  const times = blueprint.sources.flatMap(({ name, schema, time, intake, plan }): EventTime[] =>
    time === null ? [] : [{
      source: intake ? readerName(name) : name,
      node: name,
      field: time.field === null ? null : schema.type.fields.findIndex((field) => field.name === time.field),
      clockLagMicros: time.field === null ? (time.latenessMs + (plan.keepsArrival ? time.idleMs : 0)) * 1000 : null,
      latenessMicros: time.latenessMs * 1000,
      idleMs: time.idleMs,
      late: time.late,
    }]
  );
  return { sources, operators: [...intakes, ...transforms], times };
}

/** A source with an intake refuses records in two places: while decoding, and in the intake. */
function bothRejects(edge: Edge, withIntake: ReadonlySet<string>): Edge[] {
  if (edge.port !== "rejected" || !withIntake.has(edge.from)) return [edge];
  return [{ from: readerName(edge.from), port: "rejected" }, edge];
}
