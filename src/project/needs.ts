/** Which fields are read: backwards from sinks, reports and checks to the sources. Only those are decoded. */
import type { RecordType } from "../data/types.ts";
import type { Edge } from "../engine/contracts.ts";
import type { PlannedTransform } from "./plan_transforms.ts";

/** Fields wished at the end of some edges. */
export interface Demand {
  readonly edges: readonly Edge[];
  readonly fields: ReadonlySet<string>;
}

/**
 * The fields of each node's output that somebody reads, by node; late rows included. `transforms` stand in topological order; those of `whole` have
 * all of their own output read (nobody is connected to them, but people look at it).
 */
export function propagateNeeds(
  transforms: readonly PlannedTransform[],
  demands: readonly Demand[],
  whole: ReadonlySet<string>,
): (node: string) => ReadonlySet<string> {
  const needed = new Map<string, Map<string, Set<string>>>();
  const at = (node: string, port: string): Set<string> => {
    const ports = needed.get(node) ?? new Map<string, Set<string>>();
    needed.set(node, ports);
    const fields = ports.get(port) ?? new Set<string>();
    ports.set(port, fields);
    return fields;
  };
  const demand = (edges: readonly Edge[], fields: Iterable<string>): void => {
    for (const { from, port } of edges) {
      // Rejects carry the record's own bytes, whatever was decoded of it.
      if (port === "rejected") continue;
      const into = at(from, port);
      for (const field of fields) into.add(field);
    }
  };
  for (const { edges, fields } of demands) demand(edges, fields);
  for (const { name, plan, inputs } of [...transforms].reverse()) {
    const outputs = new Map<string, ReadonlySet<string>>();
    for (const [port, type] of plan.outputs) outputs.set(port, whole.has(name) ? fieldNames(type) : at(name, port));
    plan.needs(outputs).forEach((fields, index) => demand(inputs[index], fields));
  }
  return (node) => new Set([...at(node, "out"), ...at(node, "late")]);
}

/** All field names of a type. */
export const fieldNames = (type: RecordType): ReadonlySet<string> => new Set(type.fields.map((field) => field.name));
