/** From the text of an expression to what transforms get: everything that can go wrong before the first record, reported with its place. */
import { type Fault, type Span } from "../../data/fault.ts";
import { BOOL, type Type, typeText } from "../../data/types.ts";
import type { Checked, ExprSource, Scope } from "../contracts.ts";
import { assignable, conversion, convertNode } from "../conversions.ts";
import { parse } from "../parse.ts";
import { type Syntax, SyntaxFault } from "../syntax.ts";
import { childrenOf, type Node, type PathNode, pathText } from "../tree.ts";
import type { Context } from "./context.ts";
import { checkExpression } from "./expression.ts";
import { asDouble } from "./joins.ts";
import { factsOf } from "./narrowing.ts";

type Report = (fault: Fault) => void;

/** Operands and calls of one expression, at most: what one record may cost is bounded before it runs. */
export const PARTS_MAX = 5_000;

/** Expressions.check. */
export function checkSource(source: ExprSource, scope: Scope, fault: Report, expected?: Type): Checked | null {
  const syntax = parseSource(source, fault);
  if (syntax === null) return null;
  const node = checkSyntax(syntax, source, scope, fault);
  return node === null ? null : finish(node, source, fault, expected);
}

/** The syntax tree, or null with the fault reported. */
export function parseSource(source: ExprSource, fault: Report): Syntax | null {
  try {
    return parse(source.text);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    fault(faultOf("expression-syntax", source.place(error.at), error.message, error.hint));
    return null;
  }
}

/** The typed tree of a syntax tree, or null with faults reported. */
export function checkSyntax(syntax: Syntax, source: ExprSource, scope: Scope, fault: Report): Node | null {
  let parts = 0;
  const context: Context = {
    scope,
    locals: new Map(),
    narrowed: scope.narrowed ?? new Set(),
    nesting: 0,
    check(part, inner) {
      if (++parts !== PARTS_MAX) return parts > PARTS_MAX ? null : checkExpression(part, inner);
      return inner.report(
        "expression-cost",
        part.at,
        `the expression has more than ${PARTS_MAX} parts`,
        "split it into several names under `let`",
      );
    },
    report(code, at, message, hint) {
      fault(faultOf(code, source.place(at), message, hint));
      return null;
    },
  };
  const node = context.check(syntax, context);
  return node !== null && scope.sets !== undefined && !usesSetsRightly(node, scope.sets, context) ? null : node;
}

/** Whether sets are asked for nothing but their size and what is in them; reports otherwise. */
function usesSetsRightly(node: Node, sets: ReadonlySet<string>, context: Context): boolean {
  const isSet = (part: Node): boolean => part.op === "path" && part.local === null && sets.has(pathText(part));
  if (isSet(node)) {
    const name = pathText(node as PathNode);
    context.report("expression-type", node.at, `"${name}" is a set of values, not a list`, `ask for ${name}.size(), or for x in ${name}`);
    return false;
  }
  const asked = node.op === "call" && (node.name === "size" || node.name === "@in") ? node.args.at(-1)! : null;
  return childrenOf(node).map((child) => child === asked && isSet(child) || usesSetsRightly(child, sets, context)).every((right) => right);
}

/** What transforms get of a typed tree that fits the wished type; null with the fault reported when it does not. */
export function finish(checked: Node, source: ExprSource, fault: Report, expected?: Type): Checked | null {
  let node = checked;
  if (expected !== undefined) {
    if (expected.kind === "double") node = asDouble(node);
    const problem = assignable(node.type, expected);
    if (problem !== null) {
      const hint = problem.hint ??
        (expected.kind === "bool" && node.type.kind !== "bool" ? `a condition is wished: compare the ${typeText(node.type)}` : undefined);
      fault(faultOf("expression-type", source.place(node.at), problem.message, hint));
      return null;
    }
    // A constant takes the wished scale now, so that storing it costs nothing and cannot fail.
    if (node.op === "constant" && conversion(node.type, expected) !== null) node = convertNode(node, expected);
  }
  const facts = node.type.kind === BOOL.kind ? factsOf(node) : { whenTrue: new Set<string>(), whenFalse: new Set<string>() };
  const widens = expected !== undefined && conversion(node.type, expected) !== null;
  return {
    source,
    type: node.type,
    uses: usesOf(node),
    canFail: node.canFail || widens,
    ...(node.op === "constant" ? { constant: { value: node.value } } : {}),
    whenTrue: facts.whenTrue,
    whenFalse: facts.whenFalse,
    tree: node,
  };
}

/**
 * The paths of variables that are read. Of a row only the fields; of a row tested for null, the row itself; of a row taken whole,
 * "row.*" too.
 */
function usesOf(node: Node): ReadonlySet<string> {
  const uses = new Set<string>();
  const visit = (part: Node, taken: "whole" | "tested") => {
    if (part.op === "path" && part.local === null) {
      uses.add(pathText(part));
      if (part.type.kind === "struct" && taken === "whole") uses.add(`${pathText(part)}.*`);
    }
    for (const child of childrenOf(part)) visit(child, part.op === "null_test" ? "tested" : "whole");
    if (part.op === "and" || part.op === "or") part.guards.filter(isOuter).forEach((guard) => visit(guard, "tested"));
  };
  visit(node, "whole");
  return uses;
}
function isOuter(path: PathNode): boolean {
  return path.local === null;
}

function faultOf(code: string, span: Span, message: string, hint: string | undefined): Fault {
  return hint === undefined ? { code, message, span } : { code, message, span, hint };
}
