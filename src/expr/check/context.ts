/**
 * What a check knows at one place of an expression: the names, what is narrowed, where faults go. Invariant: a check that
 * returns null has reported why.
 */
import { type Type, typeText, withoutNull } from "../../data/types.ts";
import type { Scope } from "../contracts.ts";
import { type Node, type PathNode, pathText } from "../tree.ts";
import type { Syntax } from "../syntax.ts";

/** The variable of a comprehension. */
export interface LocalVariable {
  readonly name: string;
  readonly type: Type;
  /** Its name in generated code. */
  readonly code: string;
}
/** Stable codes of the faults of expressions. */
export type FaultCode =
  | "expression-syntax"
  | "expression-name"
  | "expression-type"
  | "expression-null"
  | "expression-number"
  | "expression-pattern"
  | "expression-cost";

export interface Context {
  readonly scope: Scope;
  readonly locals: ReadonlyMap<string, LocalVariable>;
  /** Paths known not to be null here. */
  readonly narrowed: ReadonlySet<string>;
  /** How many comprehensions enclose this place. */
  readonly nesting: number;
  /** Checks a part with what is known here. */
  check(syntax: Syntax, context: Context): Node | null;
  report(code: FaultCode, at: number, message: string, hint?: string): null;
}

/** The context behind a condition that gave `facts`. */
export function narrowedBy(context: Context, facts: ReadonlySet<string>): Context {
  return facts.size === 0 ? context : { ...context, narrowed: union(context.narrowed, facts) };
}
/** The context inside a comprehension. An outer name that the variable hides loses what was known of it. */
export function withLocal(context: Context, variable: LocalVariable): Context {
  const hides = (path: string) => path === variable.name || path.startsWith(`${variable.name}.`);
  return {
    ...context,
    locals: new Map([...context.locals, [variable.name, variable]]),
    narrowed: new Set([...context.narrowed].filter((path) => !hides(path))),
    nesting: context.nesting + 1,
  };
}
export function union(left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> {
  return left.size === 0 ? right : right.size === 0 ? left : new Set([...left, ...right]);
}
export function intersection(left: ReadonlySet<string>, right: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...left].filter((item) => right.has(item)));
}

/** How a fault calls an operand. */
export function describe(node: Node): string {
  return node.op === "path" ? pathText(node) : node.op === "call" && /^\w+$/.test(node.name) ? `${node.name}(...)` : "this operand";
}
/** Reports an operand that may be null to an operator that cannot take null; true when it is fine. */
export function requireValue(node: Node, what: string, context: Context): boolean {
  if (!node.type.nullable) return true;
  if (node.type.kind === "null") {
    context.report("expression-null", node.at, `null cannot be an operand of ${what}`, "only == and != accept null");
    return false;
  }
  const name = node.op === "path" ? pathText(node) : "x";
  const whole = nullableRoot(node) ?? name;
  context.report(
    "expression-null",
    node.at,
    `${describe(node)} may be null (${typeText(node.type)}), and ${what} needs a value`,
    `test it first: ${whole} != null && ...; or give a default: coalesce(${name}, ...)`,
  );
  return false;
}
/** A condition: bool, and not null. */
export function checkCondition(syntax: Syntax, what: string, context: Context): Node | null {
  const node = context.check(syntax, context);
  if (node === null || !requireValue(node, what, context)) return null;
  if (node.type.kind === "bool") return node;
  const hint = node.type.kind === "string" ? "compare it: x == 'text'" : "compare it: x > 0";
  return context.report("expression-type", node.at, `${what} needs a bool, this is ${kindText(node.type)}`, hint);
}

/** The shortest prefix whose test is enough: customer, when only customer can be null. */
function nullableRoot(node: Node): string | null {
  if (node.op !== "path") return null;
  const own = node.types.length - 1;
  if (node.fields.length === 0 || ownNullable(node)) return null;
  for (let i = 0; i < own; i++) {
    if (node.types[i].nullable) return [node.root, ...node.fields.slice(0, i)].join(".");
  }
  return null;
}
function ownNullable(node: PathNode): boolean {
  return node.types[node.types.length - 1].nullable;
}

/** "decimal(2)" without its question mark, for messages about kinds. */
export function kindText(type: Type): string {
  return typeText(withoutNull(type));
}

/** The name of `names` nearest to a mistyped one, or null when none is near. */
export function nearestName(name: string, names: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}
/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[to.length];
}
