/** Which charts a pipeline gets: those of its [[panels]], else what can be told from its nodes. */
import type { Field, RecordType } from "../../data/types.ts";
import type { Edge } from "../../engine/contracts.ts";
import type { Panel } from "../../observe/panel.ts";
import { isMeasurable } from "../../observe/panel_taker.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";

/** Charts of one edge. */
const MEASURED_MAX = 2;
const SECOND_MICROS = 1_000_000;
/** By the clock, minutes are looked at where event time may be days. */
const CLOCK_WIDTH_MAX_MICROS = 10 * SECOND_MICROS;

export function panelsOf(blueprint: PipelineBlueprint): readonly Panel[] {
  const configured = blueprint.panels.flatMap(({ right, ...panel }, i): Panel[] => {
    const one = { id: `panel-${i}`, ...panel, aside: null };
    return right === null ? [one] : [one, { ...one, ...right, id: `${one.id}-right`, aside: { of: one.id, as: "right" } }];
  });
  return (configured.length > 0 ? configured : defaultPanels(blueprint)).flatMap(withClock);
}

/** Beside a panel over event time the same over the clock: the page can be switched from one to the other. */
function withClock(panel: Panel): Panel[] {
  const isOver = panel.kind === "lines" || panel.kind === "bars" || panel.kind === "stack" || panel.kind === "number";
  if (!isOver || panel.x === null || !panel.xIsTime || panel.key !== null) return [panel];
  const every = panel.every > 0 ? Math.min(panel.every, CLOCK_WIDTH_MAX_MICROS) : SECOND_MICROS;
  return [panel, { ...panel, id: `${panel.id}-clock`, x: null, every, aside: { of: panel.id, as: "clock" } }];
}

/** Of what leaves for a sink: values of windows over their time, and how many records were decided how. */
function defaultPanels(blueprint: PipelineBlueprint): Panel[] {
  const panels: Panel[] = [];
  const seen = new Set<string>();
  for (const { inputs } of blueprint.sinks) {
    for (const input of inputs) {
      const edge = windowBehind(blueprint, input);
      const type = typeAt(blueprint, edge);
      if (!type || edge.port !== "out" || seen.has(edge.from)) continue;
      seen.add(edge.from);
      panels.push(...windowPanels(edge, type));
      if (!windowTime(type)) panels.push(...decisionPanels(blueprint, edge, type));
    }
  }
  return panels.map((panel, i) => ({ ...panel, id: `default-${i}` }));
}

/** The aggregate whose windows come out at an edge, through nodes that only change them; else the edge itself. */
function windowBehind(blueprint: PipelineBlueprint, edge: Edge): Edge {
  for (let at = edge;;) {
    const type = typeAt(blueprint, at);
    const node = blueprint.transforms.find(({ name }) => name === at.from);
    if (!type || !node || !windowTime(type)) return edge;
    if (node.type === "aggregate") return at;
    const before = node.inputs.flat();
    if (before.length !== 1) return edge;
    at = before[0];
  }
}

const windowTime = ({ fields }: RecordType): Field | undefined =>
  fields.find(({ name, type }) => name === "window_start" && type.kind === "timestamp");

function windowPanels(edge: Edge, type: RecordType): Panel[] {
  const x = windowTime(type);
  if (!x) return [];
  const measured = type.fields.filter((field) => isMeasurable(field) && !isTime(field) && field.tag === undefined).slice(0, MEASURED_MAX);
  const by = type.fields.find(({ type, tag }) => type.kind === "string" && tag === undefined);
  return measured.map((y): Panel => ({
    ...plain(edge),
    title: `${edge.from}: ${y.name}`,
    kind: by ? "stack" : "bars",
    x: x.name,
    every: 0,
    measure: "sum",
    y: y.name,
    by: by?.name ?? null,
  }));
}

/** By the first text that the node adds to its records. */
function decisionPanels(blueprint: PipelineBlueprint, edge: Edge, type: RecordType): Panel[] {
  const node = blueprint.transforms.find(({ name }) => name === edge.from);
  if (node?.type !== "decide") return [];
  const before = new Set(node.inputs.flat().flatMap((input) => typeAt(blueprint, input)?.fields.map(({ name }) => name) ?? []));
  const by = type.fields.find(({ name, type, tag }) => type.kind === "string" && tag === undefined && !before.has(name));
  if (!by) return [];
  return [{ ...plain(edge), title: `${edge.from} by ${by.name}`, kind: "stack", by: by.name }];
}

const plain = (edge: Edge): Panel => ({
  id: "",
  title: "",
  group: "",
  kind: "lines",
  edge,
  x: null,
  xIsTime: true,
  every: SECOND_MICROS,
  measure: "count",
  y: null,
  by: null,
  key: null,
  columns: [],
  unit: "",
  bands: [],
  slider: null,
  isOverview: false,
  aside: null,
});

const isTime = ({ type }: Field): boolean => type.kind === "timestamp" || type.kind === "date";

/** The record type at an edge; null for rejects. */
export function typeAt({ sources, transforms }: PipelineBlueprint, { from, port }: Edge): RecordType | null {
  if (port === "rejected") return null;
  const source = sources.find(({ name }) => name === from);
  if (source) return source.schema.type;
  return transforms.find(({ name }) => name === from)?.plan.outputs.get(port) ?? null;
}
