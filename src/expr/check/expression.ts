/**
 * Syntax to typed tree: names, paths, literals, logic, conditionals, comprehensions. Operators and functions have files of
 * their own. Invariant: all parts are checked even where folding drops them, so that a fault never hides behind a parameter.
 */
import { BOOL, NULL, type Type, typeText } from "../../data/types.ts";
import { callFunction } from "../functions/mod.ts";
import { call, conditional, constant, logic, macro } from "../nodes.ts";
import { checkOperator, OPERATORS } from "../operators/mod.ts";
import { mapOf } from "../runtime/lists.ts";
import type { Literal, MacroName, Syntax } from "../syntax.ts";
import { type Node, pathsOf } from "../tree.ts";
import { checkCondition, type Context, kindText, narrowedBy, requireValue, withLocal } from "./context.ts";
import { factsOf, guardsOf } from "./narrowing.ts";
import { conversionHint, joinNodes } from "./joins.ts";
import { checkHas, checkPath } from "./paths.ts";

/** Comprehensions inside comprehensions, at most. */
export const NESTED_COMPREHENSIONS_MAX = 2;

/** The typed tree of one expression, or null with faults reported. */
export function checkExpression(syntax: Syntax, context: Context): Node | null {
  switch (syntax.kind) {
    case "literal":
      return literalNode(syntax.literal, syntax.at);
    case "name":
    case "select":
      return checkPath(syntax, context);
    case "has":
      return checkHas(syntax, context);
    case "list":
      return checkList(syntax.items, syntax.at, context);
    case "map":
      return checkMap(syntax.entries, syntax.at, context);
    case "macro":
      return checkMacro(syntax, context);
    case "call":
      switch (syntax.name) {
        case "_&&_":
          return checkLogic("and", syntax.args, syntax.at, context);
        case "_||_":
          return checkLogic("or", syntax.args, syntax.at, context);
        case "_?_:_":
          return checkConditional(syntax.args, syntax.at, context);
        default:
          return OPERATORS.has(syntax.name) ? checkOperator(syntax, context) : callFunction(syntax, context);
      }
  }
}

function literalNode(literal: Literal, at: number): Node {
  switch (literal.kind) {
    case "null":
      return constant(null, NULL, at);
    case "decimal":
      return constant(literal.value, { kind: "decimal", scale: literal.scale, nullable: false }, at, true);
    default:
      return constant(literal.value, { kind: literal.kind, nullable: false }, at);
  }
}

function checkLogic(op: "and" | "or", args: readonly Syntax[], at: number, context: Context): Node | null {
  const sign = op === "and" ? "&&" : "||";
  const left = checkCondition(args[0], sign, context);
  const facts = left === null ? new Set<string>() : op === "and" ? factsOf(left).whenTrue : factsOf(left).whenFalse;
  const right = checkCondition(args[1], sign, narrowedBy(context, facts));
  if (left === null || right === null) return null;
  const learned = new Set([...facts].filter((path) => !context.narrowed.has(path)));
  return logic(op, left, right, left.canFail ? guardsOf(right, pathsOf(right), learned) : [], at);
}

function checkConditional(args: readonly Syntax[], at: number, context: Context): Node | null {
  const condition = checkCondition(args[0], "the condition of ?:", context);
  const facts = condition === null ? null : factsOf(condition);
  const then = context.check(args[1], facts === null ? context : narrowedBy(context, facts.whenTrue));
  const otherwise = context.check(args[2], facts === null ? context : narrowedBy(context, facts.whenFalse));
  if (condition === null || then === null || otherwise === null) return null;
  const joined = joinNodes([then, otherwise]);
  if (joined === null) {
    return context.report(
      "expression-type",
      at,
      `the branches of ?: have different types: ${typeText(then.type)} and ${typeText(otherwise.type)}`,
      conversionHint(then.type, otherwise.type),
    );
  }
  return conditional(condition, joined.nodes[0], joined.nodes[1], joined.type, at);
}

function checkList(items: readonly Syntax[], at: number, context: Context): Node | null {
  const nodes = items.map((item) => context.check(item, context));
  if (nodes.some((node) => node === null)) return null;
  const joined = joinNodes(nodes as Node[]);
  if (joined === null) {
    const kinds = [...new Set((nodes as Node[]).map((node) => kindText(node.type)))].join(", ");
    return context.report("expression-type", at, `the elements of a list need one type, these are ${kinds}`);
  }
  return call("list", joined.nodes, { kind: "list", item: joined.type, nullable: false }, at, (codes) => `[${codes.join(", ")}]`);
}

const KEY_KINDS: readonly string[] = ["string", "int", "bool"];

function checkMap(entries: readonly (readonly [Syntax, Syntax])[], at: number, context: Context): Node | null {
  const keys = entries.map(([key]) => context.check(key, context));
  const values = entries.map(([, value]) => context.check(value, context));
  if (keys.some((node) => node === null) || values.some((node) => node === null)) return null;
  const joinedKeys = joinNodes(keys as Node[]);
  const joinedValues = joinNodes(values as Node[]);
  if (joinedKeys === null) return context.report("expression-type", at, "the keys of a map need one type");
  if (joinedValues === null) return context.report("expression-type", at, "the values of a map need one type");
  if (entries.length > 0 && (!KEY_KINDS.includes(joinedKeys.type.kind) || joinedKeys.type.nullable)) {
    return context.report("expression-type", at, `a map's key is a string, an int or a bool, not ${typeText(joinedKeys.type)}`);
  }
  const type: Type = { kind: "map", key: joinedKeys.type, value: joinedValues.type, nullable: false };
  const args = joinedKeys.nodes.flatMap((key, i) => [key, joinedValues.nodes[i]]);
  const distinctConstants = new Set(joinedKeys.nodes.map((node) => node.op === "constant" ? node.value : node));
  const failing = distinctConstants.size < entries.length || joinedKeys.nodes.some((node) => node.op !== "constant") ? "fails" : "total";
  return call("map", args, type, at, (codes, emitter) => `${emitter.use(mapOf, "mapOf")}(${codes.join(", ")})`, failing);
}

function checkMacro(syntax: Extract<Syntax, { kind: "macro" }>, context: Context): Node | null {
  if (context.nesting >= NESTED_COMPREHENSIONS_MAX) {
    return context.report(
      "expression-cost",
      syntax.at,
      `comprehensions nest at most ${NESTED_COMPREHENSIONS_MAX} deep`,
      "the work of a record would no longer be bounded: give an inner part a name under `let`",
    );
  }
  const range = context.check(syntax.range, context);
  if (range === null || !requireValue(range, syntax.macro, context)) return null;
  const item = range.type.kind === "list" ? range.type.item : range.type.kind === "map" ? range.type.key : null;
  if (item === null) {
    return context.report("expression-type", range.at, `${syntax.macro} runs over a list or a map, this is ${kindText(range.type)}`);
  }
  // Nothing can be known of the elements of [], and nothing runs: the body is left unchecked.
  if (item.kind === "null" && !item.nullable) return constant(ofNothing(syntax.macro), macroType(syntax.macro, item, null), syntax.at);
  const code = `item${context.nesting + 1}`;
  const inner = withLocal(context, { name: syntax.variable, type: item, code });
  const test = syntax.test === null ? null : checkCondition(syntax.test, `the condition of ${syntax.macro}`, inner);
  if (syntax.test !== null && test === null) return null;
  const stepContext = test === null ? inner : narrowedBy(inner, factsOf(test).whenTrue);
  const step = syntax.step === null ? null : context.check(syntax.step, stepContext);
  if (syntax.step !== null && step === null) return null;
  const parts = { macro: syntax.macro, range, variable: code, test, step, at: syntax.at };
  const type = macroType(syntax.macro, item, step);
  // One element for each: where there is one there stays one.
  const isFilled = type.kind === "list" && range.type.kind === "list" && range.type.filled === true && test === null;
  return macro({ ...parts, type: isFilled ? { ...type, filled: true } : type });
}
function ofNothing(name: MacroName): unknown {
  return name === "all" ? true : name === "exists" || name === "exists_one" ? false : [];
}
function macroType(name: MacroName, item: Type, step: Node | null): Type {
  if (name === "map") return { kind: "list", item: step?.type ?? item, nullable: false };
  return name === "filter" ? { kind: "list", item, nullable: false } : BOOL;
}
