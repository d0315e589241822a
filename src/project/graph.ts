/**
 * The graph of a pipeline: who reads what, and in which order nodes can be planned. Invariant: an edge that is handed out
 * starts at a node that exists, and nodes stand behind everything they read.
 */
import type { Span } from "../data/fault.ts";
import type { Edge } from "../engine/contracts.ts";
import type { Faults } from "./faults.ts";
import { sinkName } from "./hidden.ts";
import { suggestion } from "./nearest.ts";
import type { TomlNode, TomlTable } from "./toml.ts";

/** An edge with the place where it was written. */
export interface PlacedEdge extends Edge {
  readonly span: Span;
}
/** `from` of the edge that stands for the rejects of all nodes. */
export const EVERYTHING = "*";

/** Names that edges may start at. */
export interface Origins {
  readonly nodes: ReadonlySet<string>;
  readonly tables: ReadonlySet<string>;
  readonly sinks: ReadonlySet<string>;
}

/**
 * The edges of one input setting: "inputs" is a list, any other input one text. `everything` says whether "*.rejected" may be
 * asked for. Null when there is a fault.
 */
export function readEdges(
  table: TomlTable,
  input: string,
  title: string,
  origins: Origins,
  everything: "allowed" | "refused",
  faults: Faults,
): readonly PlacedEdge[] | null {
  const entry = table.entries.get(input);
  if (!entry) {
    const example = input === "inputs" ? 'inputs = ["NAME"]' : `${input} = "NAME"`;
    faults.add("missing_key", table.span, `${title} needs "${input}"`, `name what it reads: ${example}`);
    return null;
  }
  const { value } = entry;
  if (input !== "inputs") {
    if (value.kind === "string") return collect([value], title, origins, everything, faults);
    faults.add("wrong_type", value.span, `${title}: ${input} is the name of one node`, `${input} = "NAME"`);
    return null;
  }
  if (value.kind === "array" && value.items.length > 0) return collect(value.items, title, origins, everything, faults);
  const hint = value.kind === "string" ? `write inputs = ["${value.text}"]` : 'inputs = ["NAME"]';
  faults.add("wrong_type", value.span, `${title}: inputs is a list of at least one node`, hint);
  return null;
}

function collect(
  nodes: readonly TomlNode[],
  title: string,
  origins: Origins,
  everything: "allowed" | "refused",
  faults: Faults,
): readonly PlacedEdge[] | null {
  const edges: PlacedEdge[] = [];
  const seen = new Set<string>();
  for (const node of nodes) {
    const edge = parseEdge(node, title, origins, everything, faults);
    if (!edge) continue;
    const key = `${edge.from}.${edge.port}`;
    if (seen.has(key)) {
      faults.add("duplicate_name", node.span, `${title} reads "${edge.from}${edge.port === "out" ? "" : `.${edge.port}`}" twice`);
    } else edges.push(edge);
    seen.add(key);
  }
  return edges.length === nodes.length ? edges : null;
}

/** "x", "x.duplicates", "*.rejected". */
export function parseEdge(
  node: TomlNode,
  title: string,
  origins: Origins,
  everything: "allowed" | "refused",
  faults: Faults,
): PlacedEdge | null {
  if (node.kind !== "string") {
    faults.add("wrong_type", node.span, `${title}: an input is the name of a node, a text`);
    return null;
  }
  const point = node.text.indexOf(".");
  const from = point < 0 ? node.text : node.text.slice(0, point);
  const port = point < 0 ? "out" : node.text.slice(point + 1);
  if (from === EVERYTHING) {
    if (port === "rejected" && everything === "allowed") return { from, port, span: node.span };
    const message = port === "rejected"
      ? `${title} cannot read the rejects of all nodes: its own are among them`
      : `${title}: * goes with rejected only`;
    faults.add("unknown_name", node.span, message, port === "rejected" ? "only a sink can" : 'write "*.rejected"');
    return null;
  }
  if (port === "rejected" && everything === "allowed" && [...origins.sinks].some((sink) => sinkName(sink) === from)) {
    return { from, port, span: node.span };
  }
  if (origins.nodes.has(from)) return { from, port, span: node.span };
  if (origins.tables.has(from)) {
    faults.add("unknown_name", node.span, `${title} cannot read "${from}": a table is looked up, not read`, `make it [sources.${from}]`);
  } else if (origins.sinks.has(from)) {
    faults.add("unknown_name", node.span, `${title} cannot read "${from}": a sink has no output`, suggestion(from, origins.nodes));
  } else faults.add("unknown_name", node.span, `${title}: there is no node "${from}"`, suggestion(from, origins.nodes));
  return null;
}

/** A node to be put into order. */
export interface OrderedNode {
  readonly name: string;
  readonly span: Span;
  readonly edges: readonly PlacedEdge[];
}

/** Topological order, ties by document order; nodes on a cycle or behind one are left out, each cycle being one fault. */
export function orderNodes<N extends OrderedNode>(nodes: readonly N[], faults: Faults): readonly N[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const ordered: N[] = [];
  const state = new Map<string, "open" | "good" | "bad">();
  const path: string[] = [];
  const visit = (node: N): "good" | "bad" => {
    const known = state.get(node.name);
    if (known === "open") {
      const cycle = [...path.slice(path.indexOf(node.name)), node.name];
      faults.add("cycle", node.span, `these nodes read one another: ${cycle.join(" <- ")}`, "a pipeline has no loops");
      return "bad";
    }
    if (known) return known;
    state.set(node.name, "open");
    path.push(node.name);
    let result: "good" | "bad" = "good";
    for (const { from } of node.edges) {
      const upstream = byName.get(from);
      if (upstream && visit(upstream) === "bad") result = "bad";
    }
    path.pop();
    state.set(node.name, result);
    if (result === "good") ordered.push(node);
    return result;
  };
  nodes.forEach(visit);
  return ordered;
}
