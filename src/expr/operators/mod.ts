/**
 * The operators of CEL, except logic and ?:, which narrow. Each takes its operands' types to one overload; whatever has none
 * is a fault that says what to write instead.
 */
import { requireValue } from "../check/context.ts";
import type { Context } from "../check/context.ts";
import type { Syntax } from "../syntax.ts";
import type { Node } from "../tree.ts";
import { add, divideNodes, modulo, multiply, negate, not, subtract } from "./arithmetic.ts";
import { compareNodes, equalNodes, type Relation } from "./comparison.ts";
import { containedIn, indexed } from "./membership.ts";
import { compareQuotients, isQuotient } from "./quotient.ts";

type Call = Extract<Syntax, { kind: "call" }>;
type Binary = (left: Node, right: Node, at: number, context: Context) => Node | null;

const ARITHMETIC: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ["_+_", add],
  ["_-_", subtract],
  ["_*_", multiply],
  ["_/_", divideNodes],
  ["_%_", modulo],
]);
const RELATIONS: ReadonlyMap<string, Relation> = new Map<string, Relation>([
  ["_<_", "<"],
  ["_<=_", "<="],
  ["_>_", ">"],
  ["_>=_", ">="],
  ["_==_", "=="],
  ["_!=_", "!="],
]);
/** The names under which the parser hands out operators. */
export const OPERATORS: ReadonlySet<string> = new Set([...ARITHMETIC.keys(), ...RELATIONS.keys(), "!_", "-_", "@in", "_[_]"]);

/** The typed node of an operator call, or null with faults reported. */
export function checkOperator(syntax: Call, context: Context): Node | null {
  const relation = RELATIONS.get(syntax.name);
  if (relation !== undefined) return checkRelation(relation, syntax, context);
  const operands = syntax.args.map((arg) => context.check(arg, context));
  if (operands.some((operand) => operand === null)) return null;
  const nodes = operands as Node[];
  if (syntax.name === "@in") return containedIn(nodes[0], nodes[1], syntax.at, context);
  const sign = syntax.name.replaceAll("_", "");
  // Both are reported at once, hence no short circuit.
  if (nodes.map((node) => requireValue(node, sign, context)).includes(false)) return null;
  switch (syntax.name) {
    case "!_":
      return not(nodes[0], syntax.at, context);
    case "-_":
      return negate(nodes[0], syntax.at, context);
    case "_[_]":
      return indexed(nodes[0], nodes[1], syntax.at, context);
    default:
      return ARITHMETIC.get(syntax.name)!(nodes[0], nodes[1], syntax.at, context);
  }
}

function checkRelation(relation: Relation, syntax: Call, context: Context): Node | null {
  const [left, right] = syntax.args;
  if (isQuotient(left) || isQuotient(right)) {
    const compared = compareQuotients(relation, left, right, syntax.at, context);
    if (compared !== "none") return compared;
  }
  const leftNode = context.check(left, context);
  const rightNode = context.check(right, context);
  if (leftNode === null || rightNode === null) return null;
  if (relation === "==" || relation === "!=") return equalNodes(relation, leftNode, rightNode, syntax.at, context);
  const fine = [leftNode, rightNode].map((node) => requireValue(node, relation, context));
  return fine.includes(false) ? null : compareNodes(relation, leftNode, rightNode, syntax.at, context);
}
