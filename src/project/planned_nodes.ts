/** What was planned, as the nodes of a blueprint and as what its digest covers. Invariant: nothing in the pipeline has a fault any more. */
import { assert } from "../data/fault.ts";
import type { PipelineBlueprint } from "./contracts.ts";
import type { PlacedEdge } from "./graph.ts";
import type { HashedNode } from "./hash.ts";
import type { PlannedSink } from "./plan_sinks.ts";
import type { PlannedSource, PlannedTables } from "./plan_sources.ts";
import type { PlannedTransform } from "./plan_transforms.ts";
import { rankSources } from "./ranks.ts";

/** `neededOf`: the fields of a node's output that somebody reads. */
export function blueprintNodes(
  sources: readonly PlannedSource[],
  tables: PlannedTables,
  transforms: readonly PlannedTransform[],
  sinks: readonly PlannedSink[],
  neededOf: (node: string) => ReadonlySet<string>,
): Pick<PipelineBlueprint, "sources" | "tables" | "changelogs" | "transforms" | "sinks"> {
  const ranks = rankSources(sources.map(({ name }) => name), transforms);
  return {
    sources: sources.map(({ name, reading, schema, plan, intake, time: planned }) => {
      assert(reading && schema && plan, "a pipeline without faults has planned sources");
      const time = planned?.plan ?? null;
      const read = new Set([...neededOf(name), ...(time && time.field !== null ? [time.field] : [])]);
      const needed = intake ? intake.needs(new Map([["out", read]]))[0] : read;
      return { name, type: reading.spec.type, schema, plan, rank: ranks.get(name)!, needed, time, intake };
    }),
    tables: tables.planned().flatMap(({ name, key, schema, plan, rows, read }) => {
      assert(plan, "a pipeline without faults has planned tables");
      return rows === null ? [] : [{ name, key, schema, plan, needed: new Set([...read, key]), rows }];
    }),
    changelogs: tables.planned().flatMap(({ name, key, schema, plan, changelog, intake, read }) => {
      assert(plan, "a pipeline without faults has planned tables");
      if (changelog === null) return [];
      const needed = new Set([...read, key, ...intake ? intake.needs(new Map([["out", read]]))[0] : []]);
      return [{ name, key, schema, plan, kept: read, needed, require: intake, missing: changelog.missing, ready: changelog.ready }];
    }),
    transforms: transforms.map(({ name, spec, inputs, plan, span }) => ({
      name,
      type: spec.type,
      inputs: inputs.map(bareEdges),
      plan,
      span,
    })),
    sinks: sinks.map(({ name, spec, edges, plan, input }) => ({ name, type: spec.type, inputs: bareEdges(edges), plan, input })),
  };
}

const bareEdges = (edges: readonly PlacedEdge[]) => edges.map(({ from, port }) => ({ from, port }));

/** Everything of the nodes that outputs can depend on. */
export function hashedNodes(
  sources: readonly PlannedSource[],
  tables: PlannedTables,
  transforms: readonly PlannedTransform[],
  sinks: readonly PlannedSink[],
): readonly HashedNode[] {
  const input = (role: "source" | "table", { name, reading, schema }: PlannedSource): HashedNode => {
    assert(reading?.settings && schema, "a pipeline without faults has read sources");
    return { role, name, type: reading.spec.type, settings: reading.settings, connection: reading.connection, schema };
  };
  return [
    ...sources.map((source) => ({ ...input("source", source), time: source.time?.settings ?? null })),
    ...tables.planned().map((table) => ({ ...input("table", table), key: table.key, changelog: table.changelog?.settings ?? null })),
    ...transforms.map(({ name, spec, settings, inputs }): HashedNode => ({ role: "transform", name, type: spec.type, settings, inputs })),
    ...sinks.map(({ name, spec, settings, connection, edges }): HashedNode => (
      { role: "sink", name, type: spec.type, settings, connection, inputs: [edges] }
    )),
  ];
}
