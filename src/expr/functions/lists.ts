/** Functions of lists and maps. Of nothing, sum is 0 and the others null. */
import { DOUBLE, type Type, withNull, withoutNull } from "../../data/types.ts";
import { joinNodes } from "../check/joins.ts";
import { convertNode, scaleOf } from "../conversions.ts";
import { call, folding } from "../nodes.ts";
import * as lists from "../runtime/lists.ts";
import { averageDoubles, averageExact, sumDoubles, sumExact } from "../runtime/numbers.ts";
import type { Node } from "../tree.ts";
import { constantMode, constantPlaces, define, type FunctionTable, helperCall, type Invocation, itemOf, noOverload } from "./definition.ts";

const ORDERED: readonly string[] = ["int", "decimal", "double", "timestamp", "date", "duration", "string", "bool"];

/** Runs `rule` on a list whose elements are there and can be ordered. */
function ordered(rule: (invocation: Invocation, item: Type) => Node | null) {
  return (invocation: Invocation): Node | null => {
    const item = elementType(invocation);
    if (item === null) return null;
    return ORDERED.includes(item.kind) || isEmpty(item) ? rule(invocation, item) : noOverload(invocation, "the elements have no order");
  };
}
/** The item type of a list without nulls; reports otherwise. */
function elementType(invocation: Invocation): Type | null {
  const [list] = invocation.args;
  if (list.type.kind !== "list") return noOverload(invocation, `${invocation.name} is of a list`);
  const item = itemOf(list);
  if (!item.nullable) return item;
  return invocation.context.report(
    "expression-null",
    list.at,
    `the list may hold nulls, and ${invocation.name} needs values`,
    "leave them out: list.filter(x, x != null), or list.map(x, x.f != null, x.f)",
  );
}
/** What is null of nothing: of a list that is never empty, it is never null. */
function unlessEmpty(list: Node, type: Type): Type {
  return list.type.kind === "list" && list.type.filled === true ? type : withNull(type);
}
/** The item type of []. */
function isEmpty(item: Type): boolean {
  return item.kind === "null";
}

function sum(invocation: Invocation): Node | null {
  const item = elementType(invocation);
  if (item === null) return null;
  if (item.kind === "double") return folding(helperCall(invocation, DOUBLE, sumDoubles), { kind: "sum", numbers: "double" });
  if (isEmpty(item)) return helperCall(invocation, { kind: "int", nullable: false }, sumExact);
  if (!["int", "decimal", "duration"].includes(item.kind)) return noOverload(invocation, "sum is of numbers or durations");
  return folding(helperCall(invocation, item, sumExact, "fails"), { kind: "sum", numbers: "exact" });
}

/** avg(places, mode) of exact numbers; avg() of doubles. */
function average(invocation: Invocation): Node | null {
  const item = elementType(invocation);
  if (item === null) return null;
  const { args, at } = invocation;
  if (item.kind === "double" && args.length === 1) {
    return folding(helperCall(invocation, unlessEmpty(args[0], DOUBLE), averageDoubles), { kind: "average", numbers: "double" });
  }
  const scale = scaleOf(item);
  if (scale === null || args.length !== 3) {
    return noOverload(invocation, "an average of exact numbers names its places and its rounding: list.avg(2, 'half_even')");
  }
  const places = constantPlaces(args[1], "the number of places", invocation);
  const mode = constantMode(args[2], invocation);
  if (places === null || mode === null) return null;
  const averaged = call(
    "avg",
    [args[0]],
    unlessEmpty(args[0], { kind: "decimal", scale: places, nullable: false }),
    at,
    ([list], emitter) => `${emitter.use(averageExact, "averageExact")}(${list}, ${scale}, ${places}, ${JSON.stringify(mode)})`,
    "fails",
  );
  return folding(averaged, { kind: "average", numbers: "exact", scale, places, mode });
}

function edge(kind: "first" | "last") {
  return (invocation: Invocation): Node | null => {
    const [list] = invocation.args;
    if (list.type.kind !== "list") return noOverload(invocation, `${invocation.name} is of a list`);
    return folding(helperCall(invocation, unlessEmpty(list, itemOf(list)), lists[kind]), { kind });
  };
}
function extreme(kind: "least" | "greatest") {
  return ordered((invocation, item) => folding(helperCall(invocation, unlessEmpty(invocation.args[0], item), lists[kind]), { kind }));
}
function distinct(invocation: Invocation): Node | null {
  const [list] = invocation.args;
  if (list.type.kind !== "list") return noOverload(invocation, "distinct is of a list");
  return folding(helperCall(invocation, list.type, lists.distinct), { kind: "distinct" });
}

/** get(map, key, default), get(list, index, default): what is missing gives the default. */
function get(invocation: Invocation): Node | null {
  const { args: [range, key, fallback], at } = invocation;
  const item = range.type.kind === "map" ? range.type.value : range.type.kind === "list" ? range.type.item : null;
  const keyKind = range.type.kind === "map" ? range.type.key.kind : "int";
  if (item === null || (key.type.kind !== keyKind && !isEmpty(range.type.kind === "map" ? range.type.key : item))) {
    return noOverload(invocation);
  }
  const element: Node = { op: "select", operand: range, field: "", type: item, at, canFail: false };
  const joined = joinNodes([element, fallback]);
  if (joined === null) return noOverload(invocation, "the default has the type of the elements");
  const type = joined.type;
  const converted = range.type.kind === "map"
    ? convertNode(range, { ...range.type, value: item.nullable ? withNull(type) : withoutNull(type) })
    : convertNode(range, { kind: "list", item: item.nullable ? withNull(type) : withoutNull(type), nullable: false });
  return call(
    "get",
    [converted, key, joined.nodes[1]],
    type,
    at,
    ([container, name, other], emitter) =>
      range.type.kind === "map"
        ? emitter.once(container, (map) => emitter.once(name, (k) => `(${map}.has(${k}) ? ${map}.get(${k}) : ${other})`))
        : emitter.once(container, (list) => emitter.once(name, (i) => `(${i} >= 0 && ${i} < ${list}.length ? ${list}[${i}] : ${other})`)),
  );
}

export const LIST_FUNCTIONS: FunctionTable = {
  distinct: define("distinct(list)", distinct),
  sort: define("sort(list)", ordered((invocation) => helperCall(invocation, invocation.args[0].type, lists.sort))),
  first: define("first(list)", edge("first")),
  last: define("last(list)", edge("last")),
  sum: define("sum(list)", sum),
  min: define("min(list)", extreme("least")),
  max: define("max(list)", extreme("greatest")),
  avg: define("avg(list[, places, mode])", average),
  get: { ...define("get(map, key, default)", get), nulls: "accepts" },
};
