/**
 * What a function of the language is: its usage, its arity, whether it takes null, and the rule from typed arguments to a typed
 * node. f(x, y) and x.f(y) are one call.
 */
import { assert } from "../../data/fault.ts";
import { isRoundingMode, ROUNDING_MODES, type RoundingMode } from "../../data/decimal.ts";
import type { Type } from "../../data/types.ts";
import { type Context, kindText } from "../check/context.ts";
import { SCALE_MAX } from "../literals.ts";
import { call } from "../nodes.ts";
import type { Syntax } from "../syntax.ts";
import type { CallNode, ConstantNode, Emission, Node } from "../tree.ts";

/** A call whose arguments are checked. */
export interface Invocation {
  readonly name: string;
  readonly args: readonly Node[];
  readonly at: number;
  readonly context: Context;
  readonly definition: FunctionDefinition;
}
export interface FunctionDefinition {
  /** For faults and the reference: "substring(text, from[, to])". */
  readonly usage: string;
  readonly argumentsMin: number;
  readonly argumentsMax: number;
  /** Nullable arguments are faults unless "accepts". */
  readonly nulls: "accepts" | "refuses";
  /** Gives the node, or null with a fault reported. */
  readonly rule: (invocation: Invocation) => Node | null;
  /** Instead of `rule`, for what has to see the syntax: round, with its quotients. */
  readonly syntaxRule?: (args: readonly Syntax[], at: number, context: Context, definition: FunctionDefinition) => Node | null;
}
/** As much of an invocation as is needed to report. */
export interface Reporting {
  readonly context: Pick<Context, "report">;
}
export type FunctionTable = Readonly<Record<string, FunctionDefinition>>;

/** A function that refuses null. The arity is read from the usage: what stands in brackets may be left out, ... repeats. */
export function define(usage: string, rule: FunctionDefinition["rule"]): FunctionDefinition {
  const parameters = usage.slice(usage.indexOf("(") + 1, -1);
  const required = parameters.replace(/\[.*\]/, "").split(",").filter((part) => part.trim() !== "" && part.trim() !== "...").length;
  const all = parameters.replace(/[[\]]/g, "").split(",").filter((part) => part.trim() !== "").length;
  const argumentsMax = parameters.includes("...") ? Infinity : all;
  return { usage, argumentsMin: required, argumentsMax, nulls: "refuses", rule };
}
/** The same for one that gives nulls a meaning. */
export function defineWithNulls(usage: string, rule: FunctionDefinition["rule"]): FunctionDefinition {
  return { ...define(usage, rule), nulls: "accepts" };
}

/** The fault of arguments that no overload takes. */
export function noOverload({ name, args, at, context, definition }: Invocation, hint?: string): null {
  const kinds = args.map((arg) => kindText(arg.type)).join(", ");
  return context.report("expression-type", at, `${name} does not take (${kinds})`, hint ?? `usage: ${definition.usage}`);
}
/** Whether the arguments have these kinds, in order; missing trailing ones are fine. */
export function takes(args: readonly Node[], ...kinds: readonly Type["kind"][]): boolean {
  return args.every((arg, i) => arg.type.kind === kinds[i]);
}
/** A node that calls `helper` with the arguments' values. */
export function helperCall(
  invocation: Invocation,
  type: Type,
  helper: (...args: never[]) => unknown,
  failing: "fails" | "total" = "total",
): CallNode | ConstantNode {
  const emit: Emission = (codes, emitter) => `${emitter.use(helper, helper.name)}(${codes.join(", ")})`;
  return call(invocation.name, invocation.args, type, invocation.at, emit, failing);
}

/** An argument that has to be known at start-up: a number of places. */
export function constantPlaces(node: Node, what: string, { context }: Reporting, min = 0): number | null {
  if (node.op === "constant" && node.type.kind === "int") {
    const value = node.value as number;
    if (value >= min && value <= SCALE_MAX) return value;
    return context.report("expression-number", node.at, `${what} lies between ${min} and ${SCALE_MAX}, this is ${value}`);
  }
  return context.report("expression-type", node.at, `${what} is an int that is known at start-up`, "write a number, or read params");
}
/** A rounding mode that is known at start-up. */
export function constantMode(node: Node, { context }: Reporting): RoundingMode | null {
  if (node.op === "constant" && typeof node.value === "string" && isRoundingMode(node.value)) return node.value;
  const message = node.op === "constant" && typeof node.value === "string"
    ? `there is no rounding mode '${node.value}'`
    : "the rounding mode is a text that is known at start-up";
  return context.report("expression-number", node.at, message, `one of ${ROUNDING_MODES.map((mode) => `'${mode}'`).join(", ")}`);
}
/** The item type of a list argument. */
export function itemOf(node: Node): Type {
  assert(node.type.kind === "list", "a list was checked before");
  return node.type.item;
}
