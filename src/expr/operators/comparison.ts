/**
 * == != < <= > >=. Across scales one side is multiplied by a power of ten: even when that product is not exact it lies beyond
 * every exact number, so the answer is right for all values. Equality takes null; order does not.
 */
import { BOOL, type Type } from "../../data/types.ts";
import { type Context, kindText } from "../check/context.ts";
import { conversionHint } from "../check/joins.ts";
import { widened } from "../check/paths.ts";
import { commonType, convertNode, scaleOf } from "../conversions.ts";
import { call, nullTest } from "../nodes.ts";
import { equal } from "../runtime/lists.ts";
import { powerOfTen } from "../runtime/numbers.ts";
import { compareText } from "../runtime/text.ts";
import type { Emission, Node } from "../tree.ts";
import { bothDouble, noOverload } from "./arithmetic.ts";

export type Relation = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** A null test, an equality of one type, or an exact equality across scales. */
export function equalNodes(relation: "==" | "!=", leftNode: Node, rightNode: Node, at: number, context: Context): Node | null {
  const left = widened(leftNode);
  const right = widened(rightNode);
  const whenNull = relation === "==";
  if (right.type.kind === "null") return nullTest(left, whenNull, at);
  if (left.type.kind === "null") return nullTest(right, whenNull, at);
  const name = `_${relation}_`;
  const sign = relation === "==" ? "===" : "!==";
  const doubles = bothDouble(left, right);
  if (doubles !== null) return call(name, doubles, BOOL, at, ([a, b]) => `(${a} ${sign} ${b})`);
  const leftScale = scaleOf(left.type);
  const rightScale = scaleOf(right.type);
  if (leftScale !== null && rightScale !== null) {
    return call(name, [left, right], BOOL, at, equalNumbers(sign, left, right, leftScale, rightScale));
  }
  const common = commonType(left.type, right.type);
  if (common === null) return incomparable(relation, left, right, at, context);
  if (containsStruct(common)) {
    return context.report("expression-type", at, `structs are not compared as a whole`, "compare their fields, or the struct with null");
  }
  const nodes = [convertNode(left, common), convertNode(right, common)];
  if (isPlain(common)) return call(name, nodes, BOOL, at, ([a, b]) => `(${a} ${sign} ${b})`);
  return call(name, nodes, BOOL, at, ([a, b], emitter) => `${relation === "==" ? "" : "!"}${emitter.use(equal, "equal")}(${a}, ${b})`);
}

/** Null times a factor would be 0, so a nullable scaled side is tested first. */
function equalNumbers(sign: string, left: Node, right: Node, leftScale: number, rightScale: number): Emission {
  if (leftScale === rightScale) return ([a, b]) => `(${a} ${sign} ${b})`;
  const scaled = leftScale < rightScale ? 0 : 1;
  const factor = powerOfTen(Math.abs(leftScale - rightScale));
  const nullable = (scaled === 0 ? left : right).type.nullable;
  return (codes, emitter) => {
    if (!nullable) return `(${codes[scaled]} * ${factor} ${sign} ${codes[1 - scaled]})`;
    return emitter.once(codes[scaled], (value) => `((${value} === null ? null : ${value} * ${factor}) ${sign} ${codes[1 - scaled]})`);
  };
}

const ORDERED: readonly string[] = ["bool", "string", "timestamp", "date", "duration"];

/** Order of two values that are not null. */
export function compareNodes(relation: Relation, left: Node, right: Node, at: number, context: Context): Node | null {
  const name = `_${relation}_`;
  const plainly: Emission = ([a, b]) => `(${a} ${relation} ${b})`;
  const doubles = bothDouble(left, right);
  if (doubles !== null) return call(name, doubles, BOOL, at, plainly);
  const leftScale = scaleOf(left.type);
  const rightScale = scaleOf(right.type);
  if (leftScale !== null && rightScale !== null) {
    const factor = powerOfTen(Math.abs(leftScale - rightScale));
    if (factor === 1) return call(name, [left, right], BOOL, at, plainly);
    return call(
      name,
      [left, right],
      BOOL,
      at,
      ([a, b]) => leftScale < rightScale ? `(${a} * ${factor} ${relation} ${b})` : `(${a} ${relation} ${b} * ${factor})`,
    );
  }
  if (left.type.kind !== right.type.kind) return incomparable(relation, left, right, at, context);
  if (!ORDERED.includes(left.type.kind)) return noOverload(relation, [left, right], at, context);
  if (left.type.kind === "string") {
    return call(
      name,
      [left, right],
      BOOL,
      at,
      ([a, b], emitter) => `(${emitter.use(compareText, "compareText")}(${a}, ${b}) ${relation} 0)`,
    );
  }
  return call(name, [left, right], BOOL, at, plainly);
}

function incomparable(relation: Relation, left: Node, right: Node, at: number, context: Context): null {
  const literalInt = (node: Node) => node.op === "constant" && node.type.kind === "int";
  const other = (node: Node) => (node === left ? right : left).type.kind === "double";
  const written = [left, right].find((node) => literalInt(node) && other(node));
  const hint = written !== undefined && written.op === "constant"
    ? `write the number as a double: ${String(written.value)}.0`
    : conversionHint(left.type, right.type);
  return context.report("expression-type", at, `${relation} cannot compare ${kindText(left.type)} with ${kindText(right.type)}`, hint);
}

function isPlain(type: Type): boolean {
  return type.kind !== "list" && type.kind !== "map" && type.kind !== "json";
}
function containsStruct(type: Type): boolean {
  switch (type.kind) {
    case "struct":
      return true;
    case "list":
      return containsStruct(type.item);
    case "map":
      return containsStruct(type.value);
    default:
      return false;
  }
}
