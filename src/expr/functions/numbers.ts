/** abs, round, greatest, least, clamp. All exact; the only rounding is the one that is asked for. */
import { INT, type Type, withNull, withoutNull } from "../../data/types.ts";
import { type Context, requireValue } from "../check/context.ts";
import { joinNodes } from "../check/joins.ts";
import { scaleOf } from "../conversions.ts";
import { call } from "../nodes.ts";
import { checkQuotient, isQuotient } from "../operators/quotient.ts";
import { round, roundRatio } from "../runtime/numbers.ts";
import { compareText } from "../runtime/text.ts";
import type { Syntax } from "../syntax.ts";
import type { Emitter, Node } from "../tree.ts";
import {
  constantMode,
  constantPlaces,
  define,
  defineWithNulls,
  type FunctionDefinition,
  type FunctionTable,
  type Invocation,
  noOverload,
} from "./definition.ts";

const ORDERED: readonly string[] = ["int", "decimal", "double", "timestamp", "date", "duration", "string"];
/** As many zeros as a rounded decimal can have before the point. */
const PLACES_MIN = -15;

function abs(invocation: Invocation): Node | null {
  const [arg] = invocation.args;
  if (!["int", "decimal", "double", "duration"].includes(arg.type.kind)) return noOverload(invocation);
  return call("abs", [arg], arg.type, invocation.at, ([value]) => `Math.abs(${value})`);
}

/** round(x, places, mode), and round(a / b, places, mode) for an exact quotient. */
function checkRound(args: readonly Syntax[], at: number, context: Context, definition: FunctionDefinition): Node | null {
  const quotient = isQuotient(args[0]) ? checkQuotient(args[0], context) : "none";
  if (quotient === null) return null;
  const rest = args.slice(1).map((arg) => context.check(arg, context));
  const [placesNode, modeNode] = rest;
  if (placesNode === null || modeNode === null) return null;
  const places = constantPlaces(placesNode, "the number of places", { context }, PLACES_MIN);
  const mode = constantMode(modeNode, { context });
  if (places === null || mode === null) return null;
  const type: Type = { kind: "decimal", scale: Math.max(places, 0), nullable: false };
  if (quotient !== "none") {
    const { dividend, divisor } = quotient;
    const scales = [scaleOf(dividend.type), scaleOf(divisor.type)];
    return call(
      "round",
      [dividend, divisor],
      type,
      at,
      ([a, b], emitter) =>
        `${emitter.use(roundRatio, "roundRatio")}(${a}, ${scales[0]}, ${b}, ${scales[1]}, ${places}, ${JSON.stringify(mode)})`,
      "fails",
    );
  }
  const value = context.check(args[0], context);
  if (value === null || !requireValue(value, "round", context)) return null;
  if (isQuotient(args[0]) && value.type.kind === "int") {
    return context.report(
      "expression-number",
      value.at,
      "int / int drops the fraction before round sees it",
      "make one of them a decimal: round(decimal(a, 0) / b, 2, 'half_even')",
    );
  }
  return roundValue(value, places, mode, type, { name: "round", args: [value], at, context, definition });
}
function roundValue(value: Node, places: number, mode: string, type: Type, invocation: Invocation): Node | null {
  const scale = scaleOf(value.type);
  if (scale === null) {
    const hint = value.type.kind === "double" ? `from a double: decimal(x, ${Math.max(places, 0)}, '${mode}')` : undefined;
    return noOverload(invocation, hint);
  }
  return call(
    "round",
    [value],
    value.type.kind === "int" && places <= 0 ? INT : type,
    invocation.at,
    ([code], emitter) => `${emitter.use(round, "round")}(${code}, ${scale}, ${places}, ${JSON.stringify(mode)})`,
    "fails",
  );
}

/** The larger or smaller of two values that are there. */
function pick(sign: ">" | "<", type: Type, left: string, right: string, emitter: Emitter): string {
  if (type.kind === "string") return `(${emitter.use(compareText, "compareText")}(${right}, ${left}) ${sign} 0 ? ${right} : ${left})`;
  if (type.kind === "double") return `(${right} ${sign} ${left} ? ${right} : ${left})`;
  return `Math.${sign === ">" ? "max" : "min"}(${left}, ${right})`;
}
/** Nulls are skipped; null only when all are null. */
function extreme(sign: ">" | "<") {
  return (invocation: Invocation): Node | null => {
    const present = invocation.args.filter((arg) => !(arg.op === "constant" && arg.value === null));
    if (present.length === 0) return invocation.args[0];
    const joined = joinNodes(present);
    if (joined === null || !ORDERED.includes(joined.type.kind)) return noOverload(invocation);
    const type = present.some((arg) => !arg.type.nullable) ? withoutNull(joined.type) : withNull(joined.type);
    if (joined.nodes.length === 1) return joined.nodes[0];
    return call(invocation.name, joined.nodes, type, invocation.at, (codes, emitter) => {
      // What is always there comes first, so that at most the other ones need a test.
      const order = codes.map((code, i) => ({ code, nullable: joined.nodes[i].type.nullable })).sort((a, b) =>
        Number(a.nullable) - Number(b.nullable)
      );
      return order.slice(1).reduce((best, { code, nullable }) => {
        return emitter.once(best, (left) =>
          emitter.once(code, (right) => {
            let picked = pick(sign, type, left, right, emitter);
            if (order[0].nullable) picked = `(${left} === null ? ${right} : ${picked})`;
            return nullable ? `(${right} === null ? ${left} : ${picked})` : picked;
          }));
      }, order[0].code);
    });
  };
}

/** clamp(x, low, high): a bound that is null is no bound; the high one wins when they cross. */
function clamp(invocation: Invocation): Node | null {
  const [value, low, high] = invocation.args;
  if (!requireValue(value, "clamp", invocation.context)) return null;
  const greatest = extreme(">")({ ...invocation, args: [value, low] });
  return greatest === null ? null : extreme("<")({ ...invocation, args: [greatest, high] });
}

export const NUMBER_FUNCTIONS: FunctionTable = {
  abs: define("abs(x)", abs),
  round: { ...define("round(x, places, mode)", () => null), syntaxRule: checkRound },
  greatest: defineWithNulls("greatest(x, y, ...)", extreme(">")),
  least: defineWithNulls("least(x, y, ...)", extreme("<")),
  clamp: defineWithNulls("clamp(x, low, high)", clamp),
};
