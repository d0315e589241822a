/**
 * Filters and maps over a list that lies in columns, taken apart so that one loop can run through all of them; and which part of a filter
 * says no more than where in an ascending column its elements lie.
 */
import type { Bindings, ColumnList, ListBinding } from "../contracts.ts";
import { type CallNode, childrenOf, type MacroNode, type Node, type PathNode } from "../tree.ts";

/** One step from the columns to the elements of a list. */
export interface Stage {
  readonly kind: "filter" | "map";
  /** The name of the element in generated code, inside of `node`. */
  readonly variable: string;
  readonly node: Node;
  /** What names outside of the list mean where the stage was written. */
  readonly bindings: Bindings;
  /** Of a filter: code for the places that its conditions on the ascending member leave, and its other conditions. */
  readonly range?: { readonly code: string; readonly rest: Node | null };
}
export interface Chain {
  readonly columns: ColumnList;
  readonly stages: readonly Stage[];
}

/** What `range` of a macro or fold runs over, where that lies in columns. */
export function chainOf(node: Node, bindings: Bindings): Chain | null {
  if (node.op === "path") {
    const list = listBinding(node, bindings);
    return list === null ? null : { columns: list.columns, stages: list.stages as readonly Stage[] };
  }
  if (node.op !== "macro" || node.macro !== "filter" && node.macro !== "map") return null;
  const chain = chainOf(node.range, bindings);
  return chain && { columns: chain.columns, stages: [...chain.stages, ...stagesOf(node, bindings)] };
}

function listBinding(node: PathNode, bindings: Bindings): ListBinding | null {
  if (node.local !== null) return null;
  let binding = bindings.get(node.root);
  for (const field of node.fields) binding = binding?.fields?.get(field);
  return binding?.list ?? null;
}

function stagesOf(node: MacroNode, bindings: Bindings): readonly Stage[] {
  const stages: Stage[] = [];
  if (node.test !== null) stages.push({ kind: "filter", variable: node.variable, node: node.test, bindings });
  if (node.step !== null) stages.push({ kind: "map", variable: node.variable, node: node.step, bindings });
  return stages;
}

/** A condition on the ascending member alone: the places below or above a bound that does not change from element to element. */
export interface Bound {
  readonly relation: "<" | "<=" | ">" | ">=";
  readonly bound: Node;
}
const TURNED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

/** The bounds among the conditions that `test` joins by &&, and what is left of it. */
export function boundsOf(
  test: Node,
  variable: string,
  ascending: string,
): { readonly bounds: readonly Bound[]; readonly rest: Node | null } {
  if (test.op === "and") {
    const left = boundsOf(test.left, variable, ascending);
    const right = boundsOf(test.right, variable, ascending);
    const bounds = [...left.bounds, ...right.bounds];
    if (left.rest === null || right.rest === null) return { bounds, rest: left.rest ?? right.rest };
    return { bounds, rest: { ...test, left: left.rest, right: right.rest, canFail: left.rest.canFail || right.rest.canFail } };
  }
  const bound = test.op === "call" ? boundOf(test, variable, ascending) : null;
  return bound === null ? { bounds: [], rest: test } : { bounds: [bound], rest: null };
}

function boundOf(test: CallNode, variable: string, ascending: string): Bound | null {
  const relation = test.name.replaceAll("_", "");
  if (!(relation in TURNED) || test.args.length !== 2) return null;
  const [left, right] = test.args;
  const isMember = (node: Node): boolean =>
    node.op === "path" && node.local === variable && node.fields.length === 1 && node.fields[0] === ascending;
  if (isMember(left) && isFree(right, new Set([variable]))) return { relation: relation as Bound["relation"], bound: right };
  if (isMember(right) && isFree(left, new Set([variable]))) return { relation: TURNED[relation as Bound["relation"]], bound: left };
  return null;
}

/** Whether the node reads none of the variables, which are names in generated code. */
export function isFree(node: Node, variables: ReadonlySet<string>): boolean {
  if (node.op === "path") return node.local === null || !variables.has(node.local);
  if ((node.op === "and" || node.op === "or") && !node.guards.every((guard) => isFree(guard, variables))) return false;
  // A variable of its own that has the same name hides the other; to leave such a node where it stands is right in any case.
  return childrenOf(node).every((child) => isFree(child, variables));
}
