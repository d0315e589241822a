/**
 * Hidden aggregates behind reports and checks: ordinary transforms of the pipeline that nothing reads, so that their sums live in
 * the checkpoint like any state. Invariant: their names begin with "report:" or "check:", which no name in a file can.
 */
import type { TransformSpec } from "../component/component.ts";
import type { Span } from "../data/fault.ts";
import type { PlacedEdge } from "./graph.ts";
import type { PlannedTransform, WiredTransform } from "./plan_transforms.ts";
import { readGroup, type SettingContext } from "./settings.ts";
import type { TomlEntry, TomlNode } from "./toml.ts";

/** The node that keeps a changelog table. A shared table is known to pipelines that never look it up: it takes no name from them. */
export const tableNode = (table: string): string => `table:${table}`;

/** The engine's name of a sink: sinks may share a name with what they are fed from, counters and heads may not. */
export const sinkName = (sink: string): string => `${SINK}${sink}`;
const SINK = "sink:";
/** Whether a node is a sink, by its name in the engine. */
export const isSinkName = (node: string): boolean => node.startsWith(SINK);

/** True for the names of hidden nodes. */
export const isHidden = (name: string): boolean => name.includes(":");

/** Plans a hidden transform; null with faults. */
export type PlanHidden = (wired: WiredTransform) => PlannedTransform | null;

/** An aggregate over `edge` with the given settings, which stand at their own places in the file. */
export function wireAggregate(
  hidden: { readonly name: string; readonly title: string; readonly span: Span; readonly edge: PlacedEdge },
  settings: Readonly<Record<string, TomlNode | undefined>>,
  spec: TransformSpec,
  context: SettingContext,
): WiredTransform {
  const { name, title, span, edge } = hidden;
  const entries = new Map<string, TomlEntry>([["inputs", { key: "inputs", keySpan: edge.span, value: inputsNode(edge) }]]);
  for (const [key, value] of Object.entries(settings)) if (value) entries.set(key, { key, keySpan: value.span, value });
  const table = { kind: "table", entries, span } as const;
  return { name, span, title, spec, settings: readGroup(spec.settings, table, title, context, INPUTS), inputs: [[edge]], edges: [edge] };
}

const INPUTS: ReadonlySet<string> = new Set(["inputs"]);

/** As if it had been written: some components declare their inputs as a setting too. */
function inputsNode({ from, port, span }: PlacedEdge): TomlNode {
  const text = port === "out" ? from : `${from}.${port}`;
  return { kind: "array", items: [{ kind: "string", text, span, place: () => span }], span };
}
