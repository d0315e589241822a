/**
 * + - * / % and the signs. Sums and products of exact numbers are computed inline and checked once: a double sum or product
 * whose magnitude is at most 2^53-1 is exact, and one whose true value is beyond never comes back below.
 */
import { BOOL, DOUBLE, DURATION, INT, STRING, TIMESTAMP, type Type } from "../../data/types.ts";
import { INTEGER_MAX } from "../../data/limits.ts";
import { type Context, kindText } from "../check/context.ts";
import { asDouble, conversionHint, joinNodes } from "../check/joins.ts";
import { scaleOf } from "../conversions.ts";
import { SCALE_MAX } from "../literals.ts";
import { call } from "../nodes.ts";
import { outOfRange, overflow } from "../runtime/failures.ts";
import { addScaled, divide, powerOfTen, remainder } from "../runtime/numbers.ts";
import { concat } from "../runtime/text.ts";
import { addDays } from "../runtime/time.ts";
import type { Emission, Emitter, Node } from "../tree.ts";

/** Fault for operands that an operator has no overload for. */
export function noOverload(what: string, nodes: readonly Node[], at: number, context: Context, hint?: string): null {
  const kinds = nodes.map((node) => kindText(node.type));
  const hinted = hint ?? (nodes.length === 2 ? conversionHint(nodes[0].type, nodes[1].type) : undefined);
  return context.report("expression-type", at, `${what} does not take ${kinds.join(" and ")}`, hinted);
}

/** `code` if its magnitude is exact, else `failure` is called. */
export function bounded(code: string, emitter: Emitter, failure: () => never = overflow): string {
  const value = emitter.temporary();
  return `(Math.abs(${value} = ${code}) <= ${INTEGER_MAX} ? ${value} : ${emitter.use(failure, failure.name)}())`;
}
const exactly = (sign: "+" | "-" | "*", failure?: () => never): Emission => ([left, right], emitter) =>
  // A product can be -0, which must not be seen: -0 + 0 is 0.
  bounded(sign === "*" ? `${left} * ${right} + 0` : `${left} ${sign} ${right}`, emitter, failure);
const plain = (sign: string): Emission => ([left, right]) => `(${left} ${sign} ${right})`;

export function add(left: Node, right: Node, at: number, context: Context): Node | null {
  const number = addNumbers("+", left, right, at);
  if (number !== null) return number;
  const kinds = `${left.type.kind} ${right.type.kind}`;
  switch (kinds) {
    case "string string":
      return call("_+_", [left, right], STRING, at, ([a, b], emitter) => `${emitter.use(concat, "concat")}(${a}, ${b})`, "fails");
    case "list list": {
      const joined = joinNodes([left, right]);
      if (joined === null) break;
      return call("_+_", joined.nodes, joined.type, at, ([a, b]) => `[...${a}, ...${b}]`);
    }
    case "timestamp duration":
    case "duration timestamp":
      return call("_+_", [left, right], TIMESTAMP, at, exactly("+", outOfRange), "fails");
    case "duration duration":
      return call("_+_", [left, right], DURATION, at, exactly("+"), "fails");
    case "date duration":
      return call("_+_", [left, right], left.type, at, ([a, b], emitter) => `${emitter.use(addDays, "addDays")}(${a}, ${b})`, "fails");
  }
  return noOverload("+", [left, right], at, context);
}

export function subtract(left: Node, right: Node, at: number, context: Context): Node | null {
  const number = addNumbers("-", left, right, at);
  if (number !== null) return number;
  const kinds = `${left.type.kind} ${right.type.kind}`;
  switch (kinds) {
    case "timestamp timestamp":
    case "duration duration":
      return call("_-_", [left, right], DURATION, at, exactly("-"), "fails");
    case "timestamp duration":
      return call("_-_", [left, right], TIMESTAMP, at, exactly("-", outOfRange), "fails");
    case "date date":
      return call("_-_", [left, right], DURATION, at, ([a, b]) => `((${a} - ${b}) * 86400000000)`);
    case "date duration":
      return call("_-_", [left, right], left.type, at, ([a, b], emitter) => `${emitter.use(addDays, "addDays")}(${a}, 0 - ${b})`, "fails");
  }
  return noOverload("-", [left, right], at, context);
}

function addNumbers(sign: "+" | "-", left: Node, right: Node, at: number): Node | null {
  const doubles = bothDouble(left, right);
  if (doubles !== null) return call(`_${sign}_`, doubles, DOUBLE, at, plain(sign));
  const leftScale = scaleOf(left.type);
  const rightScale = scaleOf(right.type);
  if (leftScale === null || rightScale === null) return null;
  const type = numberType(left, right, Math.max(leftScale, rightScale));
  const name = `_${sign}_`;
  if (leftScale === rightScale) return call(name, [left, right], type, at, exactly(sign), "fails");
  return call(name, [left, right], type, at, scaledSum(sign, leftScale, rightScale), "fails");
}

/** One side is multiplied first; only when that product passes 2^53 is the sum taken in big integers. */
function scaledSum(sign: "+" | "-", leftScale: number, rightScale: number): Emission {
  const leftFactor = powerOfTen(Math.max(0, rightScale - leftScale));
  const rightFactor = powerOfTen(Math.max(0, leftScale - rightScale));
  return ([a, b], emitter) =>
    emitter.once(a, (left) =>
      emitter.once(b, (right) => {
        const product = emitter.temporary();
        const sum = emitter.temporary();
        const [scaled, total] = leftFactor > 1
          ? [`${left} * ${leftFactor}`, `${product} ${sign} ${right}`]
          : [`${right} * ${rightFactor}`, `${left} ${sign} ${product}`];
        const exact = `Math.abs(${product} = ${scaled}) <= ${INTEGER_MAX} && Math.abs(${sum} = ${total}) <= ${INTEGER_MAX}`;
        const slow = `${emitter.use(addScaled, "addScaled")}(${left}, ${leftFactor}, ${right}, ${
          sign === "-" ? -rightFactor : rightFactor
        })`;
        return `(${exact} ? ${sum} : ${slow})`;
      }));
}

export function multiply(left: Node, right: Node, at: number, context: Context): Node | null {
  const doubles = bothDouble(left, right);
  if (doubles !== null) return call("_*_", doubles, DOUBLE, at, plain("*"));
  const leftScale = scaleOf(left.type);
  const rightScale = scaleOf(right.type);
  if (leftScale === null || rightScale === null) return noOverload("*", [left, right], at, context);
  const scale = leftScale + rightScale;
  if (scale > SCALE_MAX) {
    return context.report(
      "expression-number",
      at,
      `the product has ${scale} decimals, at most ${SCALE_MAX} fit`,
      "round an operand first: round(x, 2, 'half_even')",
    );
  }
  return call("_*_", [left, right], numberType(left, right, scale), at, exactly("*"), "fails");
}

export function divideNodes(left: Node, right: Node, at: number, context: Context): Node | null {
  const doubles = bothDouble(left, right);
  // Division of doubles by zero gives an infinity, as in CEL; it can only come into play among doubles.
  if (doubles !== null) return call("_/_", doubles, DOUBLE, at, plain("/"));
  if (left.type.kind === "int" && right.type.kind === "int") {
    return call("_/_", [left, right], INT, at, ([a, b], emitter) => `${emitter.use(divide, "divide")}(${a}, ${b})`, "fails");
  }
  if (scaleOf(left.type) !== null && scaleOf(right.type) !== null) {
    return context.report(
      "expression-number",
      at,
      "a quotient of decimals has no last digit",
      "say how to round it: round(a / b, 2, 'half_even'); or compare it directly: a / b > 0.5",
    );
  }
  return noOverload("/", [left, right], at, context);
}

export function modulo(left: Node, right: Node, at: number, context: Context): Node | null {
  if (left.type.kind === "int" && right.type.kind === "int") {
    return call("_%_", [left, right], INT, at, ([a, b], emitter) => `${emitter.use(remainder, "remainder")}(${a}, ${b})`, "fails");
  }
  return noOverload("%", [left, right], at, context, "% is for int only");
}

export function negate(operand: Node, at: number, context: Context): Node | null {
  switch (operand.type.kind) {
    case "int":
    case "decimal":
    case "duration":
      return call("-_", [operand], operand.type, at, ([a]) => `(0 - ${a})`);
    case "double":
      return call("-_", [operand], operand.type, at, ([a]) => `(-${a})`);
    default:
      return noOverload("-", [operand], at, context);
  }
}
export function not(operand: Node, at: number, context: Context): Node | null {
  if (operand.type.kind !== "bool") return noOverload("!", [operand], at, context, "! is for bool: !(x > 0)");
  return call("!_", [operand], BOOL, at, ([a]) => `!${a}`);
}

/** Both operands as doubles, when one is a double and the other one a double or a decimal literal. */
export function bothDouble(left: Node, right: Node): readonly Node[] | null {
  if (left.type.kind !== "double" && right.type.kind !== "double") return null;
  const nodes = [asDouble(left), asDouble(right)];
  return nodes.every((node) => node.type.kind === "double") ? nodes : null;
}
function numberType(left: Node, right: Node, scale: number): Type {
  return left.type.kind === "int" && right.type.kind === "int" ? INT : { kind: "decimal", scale, nullable: false };
}
