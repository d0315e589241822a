/**
 * Quotients of decimals, which exist only where no digit of them is asked for: in comparisons, by cross-multiplication, and
 * directly inside round. The sign of a divisor is respected; a divisor of zero rejects the record.
 */
import { BOOL, INT } from "../../data/types.ts";
import { type Context, requireValue } from "../check/context.ts";
import { scaleOf } from "../conversions.ts";
import { call, constant } from "../nodes.ts";
import { compareRatios } from "../runtime/numbers.ts";
import type { Syntax } from "../syntax.ts";
import type { Node } from "../tree.ts";
import type { Relation } from "./comparison.ts";

type Call = Extract<Syntax, { kind: "call" }>;

/** Whether the syntax is a division; of what, only checking tells. */
export function isQuotient(syntax: Syntax): syntax is Call {
  return syntax.kind === "call" && syntax.name === "_/_";
}
export interface Quotient {
  readonly dividend: Node;
  readonly divisor: Node;
}
/** The operands of an exact quotient; null with faults reported; "none" when this division is an ordinary one (int, double). */
export function checkQuotient(syntax: Call, context: Context): Quotient | null | "none" {
  const nodes = syntax.args.map((arg) => context.check(arg, context));
  const [dividend, divisor] = nodes;
  if (dividend === null || divisor === null) return null;
  const scales = [scaleOf(dividend.type), scaleOf(divisor.type)];
  if (scales.includes(null)) return "none";
  if (dividend.type.kind === "int" && divisor.type.kind === "int") return "none";
  const fine = [dividend, divisor].map((node) => requireValue(node, "/", context));
  return fine.includes(false) ? null : { dividend, divisor };
}

/** a / b compared with c / d or with c; "none" when neither side is a quotient of decimals. */
export function compareQuotients(relation: Relation, left: Syntax, right: Syntax, at: number, context: Context): Node | null | "none" {
  const silent: Context = { ...context, report: () => null };
  const isExact = (side: Syntax) => isQuotient(side) && checkQuotient(side, silent) !== "none";
  if (!isExact(left) && !isExact(right)) return "none";
  const sides = [left, right].map((side) => sideOf(side, context));
  if (sides.includes(null)) return null;
  const parts = (sides as Quotient[]).flatMap((side) => [side.dividend, side.divisor]);
  const scales = parts.map((part) => scaleOf(part.type));
  if (scales.includes(null)) {
    return context.report(
      "expression-type",
      at,
      "a quotient of decimals compares with an int or a decimal",
      "double(x) on both sides compares doubles",
    );
  }
  return call(`_${relation}_ratio`, parts, BOOL, at, (codes, emitter) => {
    const args = codes.map((code, i) => `${code}, ${scales[i]}`).join(", ");
    return `(${emitter.use(compareRatios, "compareRatios")}(${args}) ${
      relation === "==" || relation === "!=" ? `${relation}=` : relation
    } 0)`;
  }, "fails");
}

/** A quotient as it is; any other number as x / 1. */
function sideOf(side: Syntax, context: Context): Quotient | null {
  if (isQuotient(side)) {
    const quotient = checkQuotient(side, context);
    if (quotient !== "none") return quotient;
  }
  const node = context.check(side, context);
  if (node === null || !requireValue(node, "a comparison with a quotient", context)) return null;
  return { dividend: node, divisor: constant(1, INT, side.at) };
}
