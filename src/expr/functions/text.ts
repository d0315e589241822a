/** Text functions. Places and lengths count code points. */
import { BOOL, INT, listOf, STRING } from "../../data/types.ts";
import { call, folding } from "../nodes.ts";
import * as privacy from "../runtime/privacy.ts";
import * as text from "../runtime/text.ts";
import type { Node } from "../tree.ts";
import { define, type FunctionTable, helperCall, type Invocation, noOverload, takes } from "./definition.ts";

type Kinds = Parameters<typeof takes>[1][];

/** One overload, on kinds that are fixed. */
function simple(kinds: Kinds, type: Node["type"], helper: (...args: never[]) => unknown, failing: "fails" | "total" = "total") {
  return (invocation: Invocation): Node | null =>
    takes(invocation.args, ...kinds) ? helperCall(invocation, type, helper, failing) : noOverload(invocation);
}
/** A method that JavaScript has with the same meaning. */
function native(method: string) {
  return (invocation: Invocation): Node | null =>
    takes(invocation.args, "string", "string")
      ? call(invocation.name, invocation.args, BOOL, invocation.at, ([a, b]) => `${a}.${method}(${b})`)
      : noOverload(invocation, "both are strings");
}

function size(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  switch (arg.type.kind) {
    case "string":
      return helperCall(invocation, INT, text.sizeOf);
    case "list":
      return folding(call("size", [arg], INT, invocation.at, ([list]) => `${list}.length`), { kind: "size" });
    case "map":
      return call("size", [arg], INT, invocation.at, ([map]) => `${map}.size`);
    default:
      return noOverload(invocation, "size is of a string, a list or a map");
  }
}
function substring(invocation: Invocation): Node | null {
  if (!takes(invocation.args, "string", "int", "int")) return noOverload(invocation);
  return helperCall(invocation, STRING, invocation.args.length === 3 ? text.substring : text.substringFrom, "fails");
}
function indexOf(invocation: Invocation): Node | null {
  if (!takes(invocation.args, "string", "string", "int")) return noOverload(invocation);
  if (invocation.args.length === 3) return helperCall(invocation, INT, text.indexOf, "fails");
  return call(
    "indexOf",
    invocation.args,
    INT,
    invocation.at,
    ([a, b], emitter) => `${emitter.use(text.indexOf, "indexOf")}(${a}, ${b}, 0)`,
  );
}
function lastIndexOf(invocation: Invocation): Node | null {
  if (!takes(invocation.args, "string", "string", "int")) return noOverload(invocation);
  return invocation.args.length === 3
    ? helperCall(invocation, INT, text.lastIndexOf, "fails")
    : helperCall(invocation, INT, text.lastIndex);
}
function split(invocation: Invocation): Node | null {
  if (!takes(invocation.args, "string", "string", "int")) return noOverload(invocation);
  const helper = (codes: readonly string[]) => `${codes[0]}, ${codes[1]}, ${codes[2] ?? "-1"}`;
  return call(
    "split",
    invocation.args,
    listOf(STRING),
    invocation.at,
    (codes, emitter) => `${emitter.use(text.split, "split")}(${helper(codes)})`,
  );
}
function replace(invocation: Invocation): Node | null {
  if (!takes(invocation.args, "string", "string", "string", "int")) return noOverload(invocation);
  const emit = (codes: readonly string[]) => `${codes.slice(0, 3).join(", ")}, ${codes[3] ?? "-1"}`;
  return call(
    "replace",
    invocation.args,
    STRING,
    invocation.at,
    (codes, emitter) => `${emitter.use(text.replace, "replace")}(${emit(codes)})`,
    "fails",
  );
}
function join(invocation: Invocation): Node | null {
  const [list, separator] = invocation.args;
  const strings = list.type.kind === "list" && (list.type.item.kind === "string" || list.type.item.kind === "null") &&
    !list.type.item.nullable;
  if (!strings || (separator !== undefined && separator.type.kind !== "string")) {
    return noOverload(invocation, "join is for a list of strings");
  }
  return call(
    "join",
    invocation.args,
    STRING,
    invocation.at,
    ([a, b], emitter) => `${emitter.use(text.join, "join")}(${a}, ${b ?? '""'})`,
    "fails",
  );
}

export const TEXT_FUNCTIONS: FunctionTable = {
  size: define("size(x)", size),
  contains: define("contains(text, part)", native("includes")),
  startsWith: define("startsWith(text, part)", native("startsWith")),
  endsWith: define("endsWith(text, part)", native("endsWith")),
  lowerAscii: define("lowerAscii(text)", simple(["string"], STRING, text.lowerAscii)),
  upperAscii: define("upperAscii(text)", simple(["string"], STRING, text.upperAscii)),
  trim: define("trim(text)", simple(["string"], STRING, text.trim)),
  charAt: define("charAt(text, place)", simple(["string", "int"], STRING, text.charAt, "fails")),
  reverse: define("reverse(text)", simple(["string"], STRING, text.reverse)),
  substring: define("substring(text, from[, to])", substring),
  indexOf: define("indexOf(text, part[, from])", indexOf),
  lastIndexOf: define("lastIndexOf(text, part[, from])", lastIndexOf),
  split: define("split(text, separator[, most])", split),
  replace: define("replace(text, part, by[, most])", replace),
  join: define("join(list[, separator])", join),
  mask: define("mask(text, keep)", simple(["string", "int"], STRING, privacy.mask)),
  sha256: define("sha256(text)", simple(["string"], STRING, privacy.sha256)),
};
