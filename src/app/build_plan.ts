/** From a blueprint (nothing opened) to the plan that the engine runs. */
import type { Edge, EventTime, OperatorNode, PipelinePlan, SinkNode, SourceNode } from "../engine/contracts.ts";
import type { GraphPlan } from "../engine/mod.ts";
import type { World } from "../ports/mod.ts";
import type { PipelineBlueprint } from "../project/contracts.ts";
import { sinkName, tableNode } from "../project/hidden.ts";
import { TableKeeper } from "../transforms/table_keeper.ts";

/** The engine's name of the reader behind a source that has an intake; the intake itself carries the source's name. */
export const readerName = (source: string): string => `${source}#read`;

/** The engine's names of a changelog table: what reads it, and what keeps it. */
export const tableReaderName = (table: string): string => readerName(tableNode(table));

/** Sources and sinks are made here, once per start; they open nothing before the engine asks. */
export function buildPlan(blueprint: PipelineBlueprint, world: World): PipelinePlan {
  const sources: SourceNode[] = blueprint.sources.map(({ name, schema, plan, rank, needed, intake }) => ({
    name: intake ? readerName(name) : name,
    type: schema.type,
    source: plan.create(world, needed),
    rank,
  }));
  const tables = blueprint.changelogs.map(({ name, schema, plan, needed, ready }): SourceNode => (
    { name: tableReaderName(name), type: schema.type, source: plan.create(world, needed), rank: 0, table: { ready } }
  ));
  const withIntake = new Set([
    ...blueprint.sources.filter((source) => source.intake).map((source) => source.name),
    ...blueprint.changelogs.map(({ name }) => tableNode(name)),
  ]);
  const sinks: SinkNode[] = blueprint.sinks.map(({ name, inputs, plan }) => ({
    name: sinkName(name),
    inputs: inputs.flatMap((edge) => bothRejects(edge, withIntake)),
    sink: plan.create(world),
  }));
  const { operators, times } = buildGraph(blueprint);
  return {
    pipeline: blueprint.name,
    shownAs: blueprint.shownAs,
    hash: blueprint.hash,
    sources: [...sources, ...tables],
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
): { sources: GraphPlan["sources"]; operators: OperatorNode[]; times: EventTime[] } {
  const intakes = blueprint.sources.flatMap(({ name, intake }): OperatorNode[] =>
    intake ? [{ name, inputs: [[{ from: readerName(name), port: "out" }]], create: (context) => intake.create(context) }] : []
  );
  const keepers = blueprint.changelogs.map(({ name, schema: { type }, key, kept, require }): OperatorNode => ({
    name: tableNode(name),
    inputs: [[{ from: tableReaderName(name), port: "out" }]],
    create: (context) => new TableKeeper({ table: name, type, key, kept, require }, context),
  }));
  const transforms = blueprint.transforms.map(({ name, inputs, plan }): OperatorNode => ({
    name,
    inputs,
    tables: plan.tables?.map(tableNode),
    create: (context) => plan.create(context),
  }));
  const sources = [
    ...blueprint.sources.map(({ name, intake }) => ({ name: intake ? readerName(name) : name })),
    ...blueprint.changelogs.map(({ name, ready }) => ({ name: tableReaderName(name), table: { ready } })),
  ];
  const times = blueprint.sources.flatMap(({ name, schema, time, intake, plan }): EventTime[] =>
    time === null ? [] : [{
      source: intake ? readerName(name) : name,
      node: name,
      field: time.field === null ? null : schema.type.fields.findIndex((field) => field.name === time.field),
      clockLagMicros: time.field === null && !time.carried ? (time.latenessMs + (plan.keepsArrival ? time.idleMs : 0)) * 1000 : null,
      latenessMicros: time.latenessMs * 1000,
      idleMs: time.idleMs,
      late: time.late,
      ...(time.carried ? { carried: true } : {}),
    }]
  );
  return { sources, operators: [...intakes, ...keepers, ...transforms], times };
}

/** A source with an intake refuses records in two places, as a table does: while decoding, and behind it. */
function bothRejects(edge: Edge, withIntake: ReadonlySet<string>): Edge[] {
  if (edge.port !== "rejected" || !withIntake.has(edge.from)) return [edge];
  return [{ from: readerName(edge.from), port: "rejected" }, edge];
}
