/**
 * Plans sinks, the one for rejects that nobody takes included. Invariant: every node's rejected records reach a sink, and no two
 * file sinks write to one place.
 */
import type { SinkPlan, SinkSpec } from "../component/component.ts";
import { assert, type Span } from "../data/fault.ts";
import type { RecordType } from "../data/types.ts";
import { FULL_REJECT_TYPE, MESSAGE, RECEIVED_AT, REJECT_TYPE } from "../engine/rejects.ts";
import type { Faults } from "./faults.ts";
import { EVERYTHING, type PlacedEdge } from "./graph.ts";
import { isSinkName, sinkName } from "./hidden.ts";
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
  const input = common === REJECT_TYPE && settings && namesMore(settings) ? FULL_REJECT_TYPE : common;
  if (!settings || !edges || !input || connection?.settings === null) return null;
  const before = faults.reported;
  const context = planContext(planning, name, settings, connection ?? null, faults.report);
  const plan = wired.spec.plan({ ...context, input, bounded: boundedness === "bounded", mayEnd: boundedness !== "unbounded" });
  return plan && faults.reported === before ? { ...wired, settings, edges, plan, input } : null;
}

/** When a record came in differs between runs, and few rejects have a message: only a sink that asks for them by name gets them. */
function namesMore(settings: CheckedGroup): boolean {
  if (!settings.declares("columns", "text_list") || !settings.has("columns")) return false;
  const columns = settings.texts("columns");
  return columns.includes(RECEIVED_AT) || columns.includes(MESSAGE);
}

/** Whether rows that the sink's target refuses are rejects of its own. */
export const rejectsRows = ({ settings }: Pick<WiredSink, "settings">): boolean =>
  settings !== null && settings.declares("refused", "choice") && settings.text("refused") === "reject";

/** The sinks' own rejects come from sinks that have some, and go to none of these: they would go round and round. */
export function checkRefusals(sinks: readonly WiredSink[], faults: Faults): void {
  const refusing = new Set(sinks.filter(rejectsRows).map(({ name }) => sinkName(name)));
  for (const sink of sinks) {
    const rejects = sink.edges?.filter(({ port }) => port === "rejected") ?? [];
    if (rejects.length > 0 && rejectsRows(sink)) {
      const message = `the sink "${sink.name}" takes rejects, so it cannot reject any itself`;
      faults.add("configuration", sink.settings!.at("refused"), message, 'leave refused out here: with "stop" nothing is lost either');
    }
    for (const { from, span } of rejects) {
      if (!isSinkName(from) || refusing.has(from)) continue;
      faults.add("unknown_name", span, `${from} rejects no rows`, 'say refused = "reject" at that sink');
    }
  }
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
