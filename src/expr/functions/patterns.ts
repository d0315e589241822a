/** Regular expressions: matches and extract. Constant patterns are compiled, and faulted, at check time. */
import { BOOL, STRING, withNull } from "../../data/types.ts";
import { MillraceError } from "../../data/fault.ts";
import { call } from "../nodes.ts";
import { compilePattern, type Pattern } from "../regex/pattern.ts";
import { extractComputed, matchesComputed } from "../regex/computed.ts";
import type { Emitter, Node } from "../tree.ts";
import { define, defineWithNulls, type FunctionTable, type Invocation, noOverload, takes } from "./definition.ts";

/** The compiled constant, "computed" for a pattern known only per record, null with a fault reported. */
function patternOf(node: Node, { context }: Invocation): Pattern | "computed" | null {
  if (node.op !== "constant") return "computed";
  try {
    return compilePattern(node.value as string);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return context.report("expression-pattern", node.at, error.message, error.hint);
  }
}

/** CEL's matches: somewhere in the text. */
function matches(invocation: Invocation): Node | null {
  const { args, at, name } = invocation;
  if (!takes(args, "string", "string")) return noOverload(invocation);
  const pattern = patternOf(args[1], invocation);
  if (pattern === null) return null;
  if (pattern === "computed") {
    return call(name, args, BOOL, at, ([text, re], emitter) => `${emitter.use(matchesComputed, "matches")}(${text}, ${re})`, "fails");
  }
  return call(name, [args[0]], BOOL, at, ([text], emitter) => `${emitter.use(pattern.matches, "matches")}(${text})`);
}

/**
 * The text of the first match, or of one of its groups; null without a match, for a group that took no part, and of null: there
 * is no match in nothing.
 */
function extract(invocation: Invocation): Node | null {
  const { args, at, name, context } = invocation;
  if (!takes(args, "string", "string", "int")) return noOverload(invocation);
  if (args.slice(1).some((arg) => arg.type.nullable)) {
    return context.report(
      "expression-null",
      at,
      "the pattern and the group of extract may not be null",
      "give a default: coalesce(x, ...)",
    );
  }
  const pattern = patternOf(args[1], invocation);
  if (pattern === null) return null;
  const type = withNull(STRING);
  const ofText = (text: string, emitter: Emitter, extracted: (text: string) => string): string =>
    args[0].type.nullable ? emitter.once(text, (value) => `(${value} === null ? null : ${extracted(value)})`) : extracted(text);
  if (pattern === "computed") {
    return call(
      name,
      args,
      type,
      at,
      ([text, re, group], emitter) =>
        ofText(text, emitter, (value) => `${emitter.use(extractComputed, "extract")}(${value}, ${re}, ${group ?? "0"})`),
      "fails",
    );
  }
  const constantPattern = (group: number): Node =>
    call(
      name,
      [args[0]],
      type,
      at,
      ([text], emitter) => ofText(text, emitter, (value) => `${emitter.use(pattern.extractor(group), "extract")}(${value})`),
    );
  const group = args[2];
  if (group === undefined) return constantPattern(0);
  if (group.op !== "constant") {
    return context.report("expression-type", group.at, "the group is an int that is known at start-up", "write a number");
  }
  const number = group.value as number;
  if (number < 0 || number > pattern.groups) {
    return context.report(
      "expression-pattern",
      group.at,
      `there is no group ${number}`,
      `the pattern has ${pattern.groups} ${pattern.groups === 1 ? "group" : "groups"}; 0 is the whole match`,
    );
  }
  return constantPattern(number);
}

export const PATTERN_FUNCTIONS: FunctionTable = {
  matches: define("matches(text, pattern)", matches),
  extract: defineWithNulls("extract(text, pattern[, group])", extract),
};
