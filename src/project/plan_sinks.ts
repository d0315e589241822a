/**
 * Plans sinks, the one for rejects that nobody takes included. Invariant: every node's rejected records reach a sink, and no two
 * file sinks write to one place.
 */
import type { SinkPlan, SinkSpec } from "../component/component.ts";
import { assert, type Span } from "../data/fault.ts";
import type { RecordType } from "../data/types.ts";
import { RECEIVED_AT, REJECT_TYPE, TIMED_REJECT_TYPE } from "../engine/rejects.ts";
import { EVERYTHING, type PlacedEdge } from "./graph.ts";
import { planContext, type Planning } from "./plan_context.ts";
import { inputType, type Ports } from "./plan_transforms.ts";
import type { Connection } from "./connections.ts";
import type { CheckedGroup } from "./setting_group.ts";
import { readGroup } from "./settings.ts";
import type { TomlEntry, TomlString } from "./toml.ts";

/** A sink with its edges, ready to be planned. */
export interface WiredSink {
  readonly name: string;
  readonly span: Span;
  readonly spec: SinkSpec;
  /** Null when they have faults. */
  readonly settings: CheckedGroup | null;
  readonly connection: Connection | null;
  readonly edges: readonly PlacedEdge[] | null;
}
export interface PlannedSink extends WiredSink {
  readonly settings: CheckedGroup;
  readonly edges: readonly PlacedEdge[];
  readonly plan: SinkPlan;
  readonly input: RecordType;
}

/** "*.rejected" as the rejects of each of `nodes`; other edges as they are, none twice. */
export function expandRejects(edges: readonly PlacedEdge[], nodes: readonly string[]): readonly PlacedEdge[] {
  const expanded = new Map<string, PlacedEdge>();
  for (const edge of edges) {
    const all = edge.from === EVERYTHING ? nodes.map((from) => ({ ...edge, from })) : [edge];
    for (const one of all) expanded.set(`${one.from}.${one.port}`, one);
  }
  return [...expanded.values()];
}

/** "open": the input has no end now, and would have one with another value of what the file says. */
export type Boundedness = "bounded" | "open" | "unbounded";

/** Plans one sink; null with faults, here or upstream. */
export function planSink(wired: WiredSink, ports: Ports, boundedness: Boundedness, planning: Planning): PlannedSink | null {
  const { name, settings, connection, edges } = wired;
  const { faults } = planning.settings;
  const common = edges && inputType(edges, `the sink "${name}"`, ports, faults.report);
  const input = common === REJECT_TYPE && settings && namesReceivedAt(settings) ? TIMED_REJECT_TYPE : common;
  if (!settings || !edges || !input || connection?.settings === null) return null;
  const before = faults.reported;
  const context = planContext(planning, name, settings, connection?.settings ?? null, faults.report);
  const plan = wired.spec.plan({ ...context, input, bounded: boundedness === "bounded", mayEnd: boundedness !== "unbounded" });
  return plan && faults.reported === before ? { ...wired, settings, edges, plan, input } : null;
}

/** When a record came in differs between runs: only a sink that asks for it by name gets it. */
function namesReceivedAt(settings: CheckedGroup): boolean {
  return settings.declares("columns") && settings.has("columns") && settings.texts("columns").includes(RECEIVED_AT);
}

/**
 * The sink for the rejects that no edge of `taken` takes: newline-delimited JSON in the state folder. Null when all are taken.
 */
export function wireRejects(
  nodes: readonly string[],
  taken: readonly PlacedEdge[],
  names: ReadonlySet<string>,
  spec: SinkSpec | undefined,
  span: Span,
  planning: Planning,
): WiredSink | null {
  const covered = new Set(taken.filter((edge) => edge.port === "rejected").map((edge) => edge.from));
  const open = nodes.filter((name) => !covered.has(name));
  if (open.length === 0) return null;
  assert(spec, "there is a sink `ndjson` for rejects");
  const entries = new Map<string, TomlEntry>();
  for (const [key, text] of [["path", `${planning.stateFolder}/rejects`], ["publish", "parts"]]) {
    const value: TomlString = { kind: "string", text: text.replaceAll("${", "$${"), span, place: () => span };
    entries.set(key, { key, keySpan: span, value });
  }
  const settings = readGroup(spec.settings, { kind: "table", entries, span }, "the sink for rejects", planning.settings);
  const edges = open.map((from) => ({ from, port: "rejected", span }));
  return { name: names.has("rejects") ? "other_rejects" : "rejects", span, spec, settings, connection: null, edges };
}

/** The file that a sink without a connection writes, made comparable; null for others. */
export function filePlace(sink: PlannedSink): string | null {
  if (sink.connection || !Object.hasOwn(sink.spec.settings.fields, "path") || !sink.settings.has("path")) return null;
  const path = sink.settings.text("path");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts[parts.length - 1] !== "..") parts.pop();
    else parts.push(part);
  }
  return (path.startsWith("/") ? "/" : "") + parts.join("/");
}
