/** From a checked pipeline to what the page draws of it, and to what may be shown of its rows. */
import type { Edge } from "../../engine/contracts.ts";
import { taggedNames } from "../../observe/shown.ts";
import type { EdgeShape, NodeShape, PipelineShape, RowsShape } from "../../observe/shape.ts";
import type { CollectorOptions } from "../../observe/collector.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { isSinkName, sinkName, tableNode } from "../../project/hidden.ts";
import { readerName, tableReaderName } from "../build_plan.ts";
import { panelsOf } from "./default_panels.ts";

/** Hidden nodes of reports and checks have names that no file can say. */
/** The port of an edge along which nothing passes: rows are looked up. */
const LOOKUP = "lookup";
const isShown = (name: string): boolean => !name.includes(":");

export function shapeOf(blueprint: PipelineBlueprint): PipelineShape {
  return {
    name: blueprint.name,
    kind: blueprint.kind,
    nodes: nodesOf(blueprint),
    edges: edgesOf(blueprint),
    panels: panelsOf(blueprint),
    rows: blueprint.sinks.filter(({ inputs }) => inputs.some(({ port }) => port !== "rejected")).map((sink) => rowsOf(blueprint, sink)),
    epochEveryMs: blueprint.epoch.everyMs,
  };
}

/** What is looked at of a pipeline's rows; nothing of them where nobody has a page. */
export function collectorOptions(blueprint: PipelineBlueprint, show: "rows" | "counts"): CollectorOptions {
  const tagged = new Set<string>();
  for (const { schema } of blueprint.sources) for (const name of taggedNames(schema.type)) tagged.add(name);
  if (show === "counts") return { panels: [], columns: new Map(), tagged };
  const { panels, rows } = shapeOf(blueprint);
  return { panels, columns: new Map(rows.map(({ sink, columns }) => [sink, columns])), tagged };
}

function nodesOf({ sources, changelogs, transforms, sinks }: PipelineBlueprint): NodeShape[] {
  return [
    ...sources.map(({ name, intake, type }): NodeShape => {
      return { name, role: "source", type, comesTo: intake ? readerName(name) : name, leaves: name };
    }),
    ...changelogs.map(({ name }): NodeShape => {
      return { name: tableNode(name), role: "source", type: "table", comesTo: tableReaderName(name), leaves: tableNode(name) };
    }),
    ...transforms.filter(({ name }) => isShown(name)).map(({ name, type }): NodeShape => {
      return { name, role: "transform", type, comesTo: name, leaves: name };
    }),
    ...sinks.map(({ name, type }): NodeShape => {
      return { name: sinkLabel(name), role: "sink", type, comesTo: sinkName(name), leaves: sinkName(name) };
    }),
  ];
}

/** Sinks may share a name with what they are fed from; on the page they go by the engine's. */
const sinkLabel = sinkName;

function edgesOf({ sources, transforms, sinks }: PipelineBlueprint): EdgeShape[] {
  const drawn = (to: string, inputs: readonly Edge[]): EdgeShape[] =>
    inputs.filter(({ from }) => isShown(from) || isSinkName(from)).map(({ from, port }) => ({
      from,
      port,
      to,
      counted: { node: from, port },
    }));
  const readers = new Map(sources.filter(({ intake }) => intake).map(({ name }) => [name, readerName(name)]));
  const refused = (edges: readonly EdgeShape[]): EdgeShape[] =>
    edges.flatMap((edge) => {
      const reader = edge.port === "rejected" ? readers.get(edge.from) : undefined;
      return reader ? [edge, { ...edge, counted: { node: reader, port: "rejected" } }] : [edge];
    });
  const lookedUp = transforms.filter(({ name }) => isShown(name)).flatMap(({ name, plan }) =>
    (plan.tables ?? []).map((table): EdgeShape => ({ from: tableNode(table), port: LOOKUP, to: name, counted: null }))
  );
  return [
    ...lookedUp,
    ...transforms.filter(({ name }) => isShown(name)).flatMap(({ name, inputs }) => drawn(name, inputs.flat())),
    ...sinks.flatMap(({ name, inputs }) => refused(drawn(sinkLabel(name), inputs))),
  ];
}

function rowsOf({ sources }: PipelineBlueprint, { name, input }: PipelineBlueprint["sinks"][number]): RowsShape {
  const columns = input.fields.map((field) => field.name);
  const ids = new Set(sources.flatMap(({ schema }) => schema.id === null ? [] : [schema.id]));
  return { sink: sinkName(name), columns, ids: columns.filter((column) => ids.has(column) || isIdName(column)) };
}

const isIdName = (name: string): boolean => name === "id" || name.endsWith("_id") || name.endsWith("Id");
