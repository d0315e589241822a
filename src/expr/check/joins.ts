/**
 * Bringing several values to one type: branches, list elements, arguments. Invariant: nothing is converted that could lose a
 * digit, and only a literal ever turns from decimal into double.
 */
import { type Type } from "../../data/types.ts";
import { commonType, convertNode, NOTHING } from "../conversions.ts";
import { constant } from "../nodes.ts";
import type { Node } from "../tree.ts";

/** What to write when two types do not meet. */
export function conversionHint(left: Type, right: Type): string | undefined {
  const kinds = [left.kind, right.kind];
  if (kinds.includes("double") && (kinds.includes("int") || kinds.includes("decimal"))) {
    return "double never mixes with int or decimal: convert with double(x), or back with decimal(x, scale, mode)";
  }
  if (kinds.includes("string")) return "string(x) gives the text of a value; int(x) and decimal(x, scale) read the number in a text";
  if (kinds.includes("timestamp") && kinds.includes("date")) {
    return "date(x) gives the day of a timestamp, timestamp(x) the first instant of a date";
  }
  return undefined;
}

/** All nodes as one common type; decimal literals become doubles beside a double. Null when there is none. */
export function joinNodes(nodes: readonly Node[]): { readonly type: Type; readonly nodes: readonly Node[] } | null {
  const hasDouble = nodes.some((node) => node.type.kind === "double");
  const adopted = hasDouble ? nodes.map((node) => asDouble(node)) : nodes;
  let type: Type | null = adopted.length === 0 ? NOTHING : adopted[0].type;
  for (const node of adopted.slice(1)) type = type === null ? null : commonType(type, node.type);
  if (type === null) return null;
  const joined = type;
  return { type, nodes: adopted.map((node) => convertNode(node, joined)) };
}

/** A decimal literal as the double it was meant to be; anything else as it is. */
export function asDouble(node: Node): Node {
  if (node.op === "constant" && node.literal && node.type.kind === "decimal") {
    return constant((node.value as number) / 10 ** node.type.scale, { kind: "double", nullable: false }, node.at);
  }
  if (node.op === "if") {
    const then = asDouble(node.then);
    const otherwise = asDouble(node.otherwise);
    const both = then.type.kind === "double" && otherwise.type.kind === "double";
    return both ? { ...node, then, otherwise, type: { kind: "double", nullable: node.type.nullable } } : node;
  }
  return node;
}
