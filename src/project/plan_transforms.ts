/**
 * Plans transforms in topological order, record types flowing from outputs to inputs. Invariant: a component is only asked to
 * plan when the types of all of its inputs are known; what lies behind a faulty node waits silently.
 */
import type { TransformInput, TransformPlan, TransformSpec } from "../component/component.ts";
import type { Fault, Span } from "../data/fault.ts";
import { type RecordType, typeText } from "../data/types.ts";
import { REJECT_TYPE } from "../engine/rejects.ts";
import type { PlacedEdge } from "./graph.ts";
import { suggestion } from "./nearest.ts";
import { planContext, type Planning } from "./plan_context.ts";
import type { PlannedTables } from "./plan_sources.ts";
import type { CheckedGroup } from "./setting_group.ts";

/** A transform with its edges, ready to be planned. `settings` is null when they have faults. */
export interface WiredTransform {
  readonly name: string;
  readonly span: Span;
  readonly title: string;
  readonly spec: TransformSpec;
  readonly settings: CheckedGroup | null;
  /** By input. Null when an edge has a fault. */
  readonly inputs: readonly (readonly PlacedEdge[])[] | null;
  /** All edges in one list, for ordering. */
  readonly edges: readonly PlacedEdge[];
}
export interface PlannedTransform extends WiredTransform {
  readonly settings: CheckedGroup;
  readonly inputs: readonly (readonly PlacedEdge[])[];
  readonly plan: TransformPlan;
  /** Names of the tables that it looks up. */
  readonly tables: readonly string[];
}

/** The record types at the ports of every node planned so far; null for a node with faults. */
export class Ports {
  readonly #types = new Map<string, ReadonlyMap<string, RecordType> | null>();
  /** Of the nodes whose rows have event time, µs. */
  readonly #lateness = new Map<string, number>();

  /** `latenessMicros`: how far its rows may be behind the newest; null where they have no event time. */
  set(node: string, outputs: ReadonlyMap<string, RecordType> | null, latenessMicros: number | null = null): void {
    this.#types.set(node, outputs);
    if (latenessMicros !== null) this.#lateness.set(node, latenessMicros);
  }

  /** Lateness of the rows of all these ports; null where some have no event time. */
  latenessMicros(edges: readonly PlacedEdge[]): number | null {
    const all = edges.map(({ from, port }) => port === "rejected" ? undefined : this.#lateness.get(from));
    return all.every((micros) => micros !== undefined) ? Math.max(...all) : null;
  }

  /** A node's output of that port; null where it is not known because of an earlier fault; undefined where there is none. */
  at(node: string, port: string): RecordType | null | undefined {
    if (port === "rejected") return REJECT_TYPE;
    const outputs = this.#types.get(node);
    return outputs ? outputs.get(port) : null;
  }

  names(node: string): readonly string[] {
    return [...(this.#types.get(node)?.keys() ?? []), "rejected"];
  }
}

/** The common type of the edges into one input; null when unknown or when a fault was reported. */
export function inputType(edges: readonly PlacedEdge[], title: string, ports: Ports, report: (fault: Fault) => void): RecordType | null {
  let first: RecordType | null = null;
  let known = true;
  for (const { from, port, span } of edges) {
    const type = ports.at(from, port);
    if (type === undefined) {
      const message = `"${from}" has no output "${port}"`;
      report({ code: "unknown_name", span, message, hint: suggestion(port, ports.names(from).filter((name) => name !== "out")) });
      known = false;
    } else if (type === null) known = false;
    else if (!first) first = type;
    else {
      const difference = typeDifference(first, type);
      if (difference === null) continue;
      const message = `${title} reads different records: ${difference}, between "${edges[0].from}" and "${from}"`;
      report({ code: "type_mismatch", span, message, hint: "make them alike with a map in between" });
      known = false;
    }
  }
  return known ? first : null;
}

/** The first difference in words; null when both have the same fields of the same types. */
function typeDifference(a: RecordType, b: RecordType): string | null {
  for (let i = 0; i < Math.max(a.fields.length, b.fields.length); i++) {
    const left = a.fields[i];
    const right = b.fields[i];
    if (!left || !right) return `field "${(left ?? right).name}" is on one side only`;
    if (left.name !== right.name) return `"${left.name}" against "${right.name}"`;
    if (typeText(left.type) !== typeText(right.type)) return `"${left.name}" is ${typeText(left.type)} against ${typeText(right.type)}`;
  }
  return null;
}

/** Plans one transform and sets its ports; null when it cannot be. */
export function planTransform(wired: WiredTransform, ports: Ports, tables: PlannedTables, planning: Planning): PlannedTransform | null {
  const { settings, inputs, name } = wired;
  ports.set(name, null);
  if (!settings || !inputs) return null;
  const { faults } = planning.settings;
  const typed: TransformInput[] = [];
  for (const edges of inputs) {
    const type = inputType(edges, wired.title, ports, faults.report);
    const latenessMicros = ports.latenessMicros(edges);
    if (type) {
      typed.push({ node: edges[0].from, type, span: edges[0].span, timed: latenessMicros !== null, latenessMicros: latenessMicros ?? 0 });
    }
  }
  if (typed.length < inputs.length) return null;
  const held: Fault[] = [];
  const failuresBefore = tables.failures;
  const context = planContext(planning, name, settings, null, (fault) => held.push(fault));
  const { result: plan, asked } = tables.watch(() => wired.spec.plan({ ...context, inputs: typed, tables }));
  // A faulty table has been reported where it stands; what follows from it would only hide that.
  if (tables.failures > failuresBefore) return null;
  held.forEach(faults.report);
  if (!plan || held.length > 0) return null;
  // What is joined to a row does not change when it happened.
  ports.set(name, plan.outputs, typed[0].timed && !plan.timeless ? typed[0].latenessMicros : null);
  return { ...wired, settings, inputs, plan, tables: asked };
}
