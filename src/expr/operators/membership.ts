/** `in` and indexing. A list of constants becomes a few comparisons or a set, made once. */
import { BOOL, DOUBLE, type Type, withNull, withoutNull } from "../../data/types.ts";
import { type Context, kindText, requireValue } from "../check/context.ts";
import { joinNodes } from "../check/joins.ts";
import { convertNode, scaleOf } from "../conversions.ts";
import { literalCode } from "../emit/unit.ts";
import { call, constant } from "../nodes.ts";
import { elementAt, includesEqual, valueAt } from "../runtime/lists.ts";
import { powerOfTen } from "../runtime/numbers.ts";
import type { ConstantNode, Emission, Node } from "../tree.ts";
import { noOverload } from "./arithmetic.ts";

/** Beyond so many constants a hashed set is faster than comparing one by one. */
const COMPARED_ONE_BY_ONE_MAX = 6;

/** x in list, key in map. */
export function containedIn(item: Node, range: Node, at: number, context: Context): Node | null {
  const fine = [item, range].map((node) => requireValue(node, "in", context));
  if (fine.includes(false)) return null;
  if (range.type.kind === "map") {
    if (range.type.key.kind === "null") return constant(false, BOOL, at);
    const key = joinNodes([item, constant(null, range.type.key, at)]);
    if (key === null || key.type.kind !== range.type.key.kind) return mismatch(item, kindText(range.type.key), at, context);
    return call("@in", [item, range], BOOL, at, ([value, map]) => `${map}.has(${value})`);
  }
  if (range.type.kind !== "list") return noOverload("in", [item, range], at, context, "in looks into a list or the keys of a map");
  // A decimal literal beside doubles is one of them, on either side.
  const joined = joinNodes([item, elementsOf(range)]);
  if (joined === null) return mismatch(item, kindText(range.type.item), at, context);
  const itemType = withoutNull(joined.type);
  const value = comparable(itemType.kind === "double" ? joined.nodes[0] : item, itemType);
  const elements = itemType.kind === "double" ? asDoubles(range) : range;
  const list = comparable(elements, { kind: "list", item: range.type.item.nullable ? withNull(itemType) : itemType, nullable: false });
  const plain = itemType.kind !== "list" && itemType.kind !== "map" && itemType.kind !== "struct" && itemType.kind !== "json";
  if (list.op === "constant" && plain) return call("@in", [value], BOOL, at, amongConstants(list));
  if (plain) return call("@in", [value, list], BOOL, at, ([needle, hay]) => `${hay}.includes(${needle})`);
  return call(
    "@in",
    [value, list],
    BOOL,
    at,
    ([needle, hay], emitter) => `${emitter.use(includesEqual, "includesEqual")}(${hay}, ${needle})`,
  );
}

/**
 * As `type`, for comparing only: a number that passes 2^53 when it is scaled equals none that is exact, so it need not fail.
 */
function comparable(node: Node, type: Type): Node {
  const [from, to] = [node.type, type].map((one) => scaleOf(one.kind === "list" ? one.item : one));
  if (from === null || to === null || from === to) return convertNode(node, type);
  const factor = powerOfTen(to - from);
  const scaled = (code: string) => `${code} === null ? null : ${code} * ${factor}`;
  return call(
    "convert",
    [node],
    type,
    node.at,
    ([code], emitter) =>
      type.kind === "list" ? `${code}.map((item) => ${scaled("item")})` : emitter.once(code, (name) => `(${scaled(name)})`),
  );
}
/** A list of decimal literals as doubles. */
function asDoubles(range: Node): Node {
  if (range.op !== "constant" || range.type.kind !== "list" || range.type.item.kind !== "decimal") return range;
  const { scale } = range.type.item;
  return { ...range, value: (range.value as number[]).map((value) => value / powerOfTen(scale)), type: { ...range.type, item: DOUBLE } };
}
/** Stands for the elements when types are joined: a constant list of decimal literals counts as a literal. */
function elementsOf(range: Node): Node {
  const item = range.type.kind === "list" ? range.type.item : range.type;
  if (range.op === "constant" && range.literal) return constant(0, item, range.at, true);
  return { op: "select", operand: range, field: "", type: item, at: range.at, canFail: false };
}

function amongConstants(list: ConstantNode): Emission {
  const values = [...new Set(list.value as readonly unknown[])];
  if (values.length === 0) return () => "false";
  if (values.length > COMPARED_ONE_BY_ONE_MAX) {
    const set = new Set(values);
    return ([value], emitter) => `${emitter.use(set, "set")}.has(${value})`;
  }
  return ([value], emitter) =>
    emitter.once(value, (name) => `(${values.map((one) => `${name} === ${literalCode(one, emitter)}`).join(" || ")})`);
}

function mismatch(item: Node, elements: string, at: number, context: Context): null {
  return context.report("expression-type", at, `in looks for ${kindText(item.type)} among ${elements}`);
}

/** list[i], map[k]; what is not there rejects the record. */
export function indexed(range: Node, index: Node, at: number, context: Context): Node | null {
  if (range.type.kind === "list" && index.type.kind === "int") {
    return call(
      "_[_]",
      [range, index],
      range.type.item,
      at,
      ([list, i], emitter) => `${emitter.use(elementAt, "elementAt")}(${list}, ${i})`,
      "fails",
    );
  }
  if (range.type.kind === "map" && range.type.key.kind === index.type.kind) {
    return valueOfKey(range, index, at);
  }
  const hint = range.type.kind === "struct" ? "read a field with a dot: x.field" : "a list is read by an int, a map by its key";
  return noOverload("[...]", [range, index], at, context, hint);
}

/** map[key], also written map.key. */
export function valueOfKey(map: Node, key: Node, at: number): Node {
  const type = map.type.kind === "map" ? map.type.value : map.type;
  return call(
    "_[_]",
    [map, key],
    type,
    at,
    ([container, name], emitter) => `${emitter.use(valueAt, "valueAt")}(${container}, ${name})`,
    "fails",
  );
}
