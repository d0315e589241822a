/** The functions of the language by name, and the check of a call. */
import { type Context, nearestName, requireValue } from "../check/context.ts";
import type { Syntax } from "../syntax.ts";
import type { Node } from "../tree.ts";
import { CONVERSION_FUNCTIONS } from "./conversion.ts";
import type { FunctionDefinition } from "./definition.ts";
import { LIST_FUNCTIONS } from "./lists.ts";
import { NULL_FUNCTIONS } from "./nulls.ts";
import { NUMBER_FUNCTIONS } from "./numbers.ts";
import { PATTERN_FUNCTIONS } from "./patterns.ts";
import { TEXT_FUNCTIONS } from "./text.ts";
import { TIME_FUNCTIONS } from "./time.ts";

/** All functions; a name occurs in one table only. */
export const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(
  [TEXT_FUNCTIONS, PATTERN_FUNCTIONS, NUMBER_FUNCTIONS, NULL_FUNCTIONS, LIST_FUNCTIONS, TIME_FUNCTIONS, CONVERSION_FUNCTIONS]
    .flatMap((table) => Object.entries(table)),
);

const MACROS: readonly string[] = ["all", "exists", "exists_one", "filter", "map"];
/** Names from other languages, and what to write here. */
const INSTEAD: Readonly<Record<string, string>> = {
  count: "count is an aggregate: it stands only under `aggregate` and `value`; a list has size()",
  first_by: "first_by is an aggregate: it stands only under `aggregate` and `value`",
  last_by: "last_by is an aggregate: it stands only under `aggregate` and `value`",
  count_distinct: "count_distinct is an aggregate; a list has distinct().size()",
  counts: "counts is an aggregate: it stands only under `aggregate` and `value`",
  mode: "mode is an aggregate: it stands only under `aggregate` and `value`",
  now: "expressions read no clock: meta.epoch_time is the time of the epoch",
  length: "write size(x)",
  len: "write size(x)",
  toLowerCase: "write lowerAscii(x)",
  lower: "write lowerAscii(x)",
  toUpperCase: "write upperAscii(x)",
  upper: "write upperAscii(x)",
  ifnull: "write coalesce(x, default)",
  nvl: "write coalesce(x, default)",
  floor: "write round(x, 0, 'floor')",
  ceil: "write round(x, 0, 'ceil')",
  trunc: "write round(x, 0, 'down')",
  uint: "there are no unsigned integers: int(x)",
  has: "has takes a field: has(x.field), or has(this.field)",
  type: "types are known before anything runs",
};

/** The typed node of a call, or null with faults reported. */
export function callFunction(syntax: Extract<Syntax, { kind: "call" }>, context: Context): Node | null {
  const definition = FUNCTIONS.get(syntax.name);
  if (definition === undefined) return unknownFunction(syntax.name, syntax.at, context);
  const args = syntax.target === null ? syntax.args : [syntax.target, ...syntax.args];
  if (args.length < definition.argumentsMin || args.length > definition.argumentsMax) {
    return context.report(
      "expression-type",
      syntax.at,
      `${syntax.name} does not take ${counted(args.length)}`,
      `usage: ${definition.usage}`,
    );
  }
  if (definition.syntaxRule !== undefined) return definition.syntaxRule(args, syntax.at, context, definition);
  const checked = args.map((arg) => context.check(arg, context));
  if (checked.includes(null)) return null;
  const nodes = checked as Node[];
  if (definition.nulls === "refuses" && nodes.map((node) => requireValue(node, syntax.name, context)).includes(false)) return null;
  return definition.rule({ name: syntax.name, args: nodes, at: syntax.at, context, definition });
}

function counted(args: number): string {
  return args === 0 ? "no arguments" : args === 1 ? "one argument" : `${args} arguments`;
}

function unknownFunction(name: string, at: number, context: Context): null {
  if (MACROS.includes(name)) {
    return context.report("expression-type", at, `${name} takes a name and a condition`, `write list.${name}(x, x > 0)`);
  }
  const near = Object.hasOwn(INSTEAD, name) ? name : nearestName(name, [...FUNCTIONS.keys(), ...Object.keys(INSTEAD)]);
  const hint = near === null ? undefined : INSTEAD[near] ?? `did you mean ${near}? ${FUNCTIONS.get(near)!.usage}`;
  return context.report("expression-name", at, `there is no function "${name}"`, hint);
}
