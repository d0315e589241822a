/**
 * Constructors of typed nodes. Folding happens here, in one place: a call whose operands are all constants becomes its value,
 * unless evaluating it fails, in which case it stays and fails at run time like any other.
 */
import { BOOL, type Type } from "../data/types.ts";
import { EvaluationError } from "./contracts.ts";
import { runConstant } from "./emit/unit.ts";
import type {
  CallNode,
  ConditionalNode,
  ConstantNode,
  Emission,
  Emitter,
  Fold,
  LogicNode,
  MacroNode,
  Node,
  NullTestNode,
  PathNode,
} from "./tree.ts";

/** A value known at start-up. */
export function constant(value: unknown, type: Type, at: number, literal = false): ConstantNode {
  return { op: "constant", value, type, at, canFail: false, literal };
}

/** A call of an operator or function; "fails" when it can throw by itself, whatever its operands do. */
export function call(
  name: string,
  args: readonly Node[],
  type: Type,
  at: number,
  emit: Emission,
  failing: "fails" | "total" = "total",
): CallNode | ConstantNode {
  const node: CallNode = { op: "call", name, args, type, at, emit, canFail: failing === "fails" || args.some((arg) => arg.canFail) };
  if (!args.every((arg) => arg.op === "constant")) return node;
  try {
    const values = args.map((arg) => (arg as ConstantNode).value);
    return constant(runConstant((emitter: Emitter, literals) => emit(literals, emitter), values), type, at, keepsLiteral(node));
  } catch (error) {
    if (error instanceof EvaluationError) return node;
    throw error;
  }
}

/** The same call, which one loop over its list can compute. */
export function folding(node: CallNode | ConstantNode, fold: Fold): CallNode | ConstantNode {
  return node.op === "call" ? { ...node, fold } : node;
}

/** -1.50 and [0.1, 0.25] are as much literals as 1.50. */
function keepsLiteral(node: CallNode): boolean {
  return (node.name === "-_" || node.name === "list" || node.name === "convert") && node.args.length > 0 &&
    node.args.every((arg) => arg.op === "constant" && arg.literal);
}

/** c ? a : b; only the branch that can run when the condition is known. */
export function conditional(condition: Node, then: Node, otherwise: Node, type: Type, at: number): Node {
  if (condition.op === "constant") return condition.value === true ? then : otherwise;
  const node: ConditionalNode = {
    op: "if",
    condition,
    then,
    otherwise,
    type,
    at,
    canFail: condition.canFail || then.canFail || otherwise.canFail,
  };
  return node;
}

/** a && b, a || b with CEL's absorption: a known operand that decides, decides even when the other fails. */
export function logic(op: "and" | "or", left: Node, right: Node, guards: readonly PathNode[], at: number): Node {
  const deciding = op === "or";
  if (left.op === "constant") return left.value === deciding ? left : right;
  if (right.op === "constant") return right.value === deciding ? right : left;
  const node: LogicNode = { op, left, right, guards, type: BOOL, at, canFail: left.canFail || right.canFail };
  return node;
}

/** x == null (whenNull true) and x != null. */
export function nullTest(operand: Node, whenNull: boolean, at: number): Node {
  if (operand.op === "constant") return constant((operand.value === null) === whenNull, BOOL, at);
  if (!operand.type.nullable && !operand.canFail) return constant(!whenNull, BOOL, at);
  const node: NullTestNode = { op: "null_test", operand, whenNull, type: BOOL, at, canFail: operand.canFail };
  return node;
}

/** A comprehension over a list, or over the keys of a map. */
export function macro(parts: Omit<MacroNode, "op" | "canFail">): MacroNode {
  const canFail = parts.range.canFail || (parts.test?.canFail ?? false) || (parts.step?.canFail ?? false);
  return { op: "macro", ...parts, canFail };
}
