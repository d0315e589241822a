/**
 * The language once more, slow and obvious: it walks the parser's tree, computes with big integers and never folds, narrows or
 * reorders. It imports nothing of ours, so that a mistake cannot be in both.
 */
import { parse } from "@bufbuild/cel";
import type { Expr, ParsedExpr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";

/** An exact number: units × 10^-scale. An int is what was never a decimal. */
export interface Exact {
  readonly units: bigint;
  readonly scale: number;
  readonly isInt: boolean;
}
export type Value = Exact | string | boolean | null | readonly Value[];
export class OracleError extends Error {}

const LIMIT = 2n ** 53n - 1n;
/** The scale that the type of an expression has; of lists, that of the elements; null for what is no number. */
export type ScaleOfVariable = ReadonlyMap<string, number | null>;

export class Oracle {
  readonly #text: string;
  readonly #parsed: ParsedExpr;
  readonly #scales: ScaleOfVariable;
  constructor(text: string, scales: ScaleOfVariable) {
    this.#text = text;
    this.#parsed = parse(text);
    this.#scales = scales;
  }

  evaluate(values: ReadonlyMap<string, Value>): Value {
    return this.#value(this.#parsed.expr!, values);
  }

  #value(expr: Expr, values: ReadonlyMap<string, Value>): Value {
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return this.#literal(expr);
      case "identExpr":
        return values.get(kind.value.name)!;
      case "listExpr":
        return kind.value.elements.map((item) => this.#widened(item, this.#scale(expr), values));
      case "comprehensionExpr":
        return this.#comprehension(expr, values);
      case "callExpr": {
        const args = [...(kind.value.target === undefined ? [] : [kind.value.target]), ...kind.value.args];
        return this.#call(kind.value.function, args, expr, values);
      }
      default:
        throw new Error(`the oracle has no ${kind.case}`);
    }
  }

  #literal(expr: Expr): Value {
    const constant = expr.exprKind.case === "constExpr" ? expr.exprKind.value.constantKind : null;
    switch (constant?.case) {
      case "nullValue":
        return null;
      case "int64Value":
        return { units: constant.value, scale: 0, isInt: true };
      case "doubleValue": {
        const [, sign, whole, fraction] = /^(-?)(\d+)\.(\d+)/.exec(
          this.#text.slice(this.#parsed.sourceInfo!.positions[expr.id.toString()]),
        )!;
        return { units: BigInt(sign + whole + fraction), scale: fraction.length, isInt: false };
      }
      default:
        return constant!.value as string | boolean;
    }
  }

  /** The value with the scale that the place's type asks for. */
  #widened(expr: Expr, scale: number | null, values: ReadonlyMap<string, Value>): Value {
    const value = this.#value(expr, values);
    return scale === null || value === null || typeof value !== "object" || !("units" in value) ? value : fit(atScale(value, scale));
  }

  #call(name: string, args: readonly Expr[], whole: Expr, values: ReadonlyMap<string, Value>): Value {
    const value = (i: number) => this.#value(args[i], values);
    const number = (i: number) => exact(value(i));
    switch (name) {
      case "_&&_":
        return this.#logic(args, false, values);
      case "_||_":
        return this.#logic(args, true, values);
      case "!_":
        return !bool(value(0));
      case "_?_:_":
        return this.#widened(bool(value(0)) ? args[1] : args[2], this.#scale(whole), values);
      case "coalesce": {
        for (const arg of args) {
          const found = this.#widened(arg, this.#scale(whole), values);
          if (found !== null) return found;
        }
        return null;
      }
      case "greatest":
      case "least": {
        const found = args.map((arg) => this.#widened(arg, this.#scale(whole), values)).filter((one) => one !== null);
        return found.length === 0 ? null : found.reduce((a, b) => (order(a, b) > 0) === (name === "greatest") ? a : b);
      }
      case "_==_":
      case "_!=_":
        return (this.#isRatio(args) ? this.#compareRatio(args, values) === 0 : equal(value(0), value(1))) === (name === "_==_");
      case "_<_":
      case "_<=_":
      case "_>_":
      case "_>=_": {
        const sign = this.#isRatio(args) ? this.#compareRatio(args, values) : order(value(0), value(1));
        return name === "_<_" ? sign < 0 : name === "_<=_" ? sign <= 0 : name === "_>_" ? sign > 0 : sign >= 0;
      }
      case "@in": {
        const item = present(value(0));
        return (value(1) as readonly Value[]).some((one) => equal(one, item));
      }
      case "_+_": {
        const [a, b] = [present(value(0)), present(value(1))];
        if (typeof a === "string") return a + (b as string);
        return Array.isArray(a) ? [...a, ...(b as readonly Value[])] : sum(exact(a), exact(b), 1n);
      }
      case "_-_":
        return sum(number(0), number(1), -1n);
      case "-_": {
        const a = number(0);
        return { ...a, units: -a.units };
      }
      case "_*_": {
        const [a, b] = [number(0), number(1)];
        return fit({ units: a.units * b.units, scale: a.scale + b.scale, isInt: a.isInt && b.isInt });
      }
      case "_/_":
      case "_%_": {
        const [a, b] = [number(0), number(1)];
        if (b.units === 0n) throw new OracleError("divisor_zero");
        return { units: name === "_/_" ? a.units / b.units : a.units % b.units, scale: 0, isInt: true };
      }
      case "abs": {
        const a = number(0);
        return { ...a, units: a.units < 0n ? -a.units : a.units };
      }
      case "round":
        return this.#round(args, values);
      case "_[_]": {
        const [list, index] = [present(value(0)) as readonly Value[], Number(number(1).units)];
        if (index < 0 || index >= list.length) throw new OracleError("index");
        return list[index];
      }
      case "size": {
        const a = present(value(0));
        return int(typeof a === "string" ? [...a].length : (a as readonly Value[]).length);
      }
      case "sum":
        return fit(
          (value(0) as readonly Value[]).map(exact).reduce(
            (a, b) => ({ ...a, units: a.units + b.units }),
            { units: 0n, scale: this.#scale(args[0]) ?? 0, isInt: true },
          ),
        );
      default:
        return this.#text_(name, args.map((_, i) => present(value(i))));
    }
  }

  #text_(name: string, args: readonly Value[]): Value {
    const [text, part] = args as readonly string[];
    switch (name) {
      case "contains":
        return text.includes(part);
      case "startsWith":
        return text.startsWith(part);
      case "upperAscii":
        return [...text].map((c) => c >= "a" && c <= "z" ? c.toUpperCase() : c).join("");
      case "substring": {
        const points = [...text];
        const [from, to] = args.slice(1).map((one) => Number(exact(one).units));
        if (from < 0 || to < from || to > points.length) throw new OracleError("index");
        return points.slice(from, to).join("");
      }
      case "string": {
        const { units, scale } = exact(args[0]);
        const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
        const point = digits.length - scale;
        return (units < 0n ? "-" : "") + digits.slice(0, point) + (scale === 0 ? "" : "." + digits.slice(point));
      }
      default:
        throw new Error(`the oracle has no ${name}`);
    }
  }

  /** A side that decides hides the failure of the other one, whichever comes first. */
  #logic(args: readonly Expr[], deciding: boolean, values: ReadonlyMap<string, Value>): boolean {
    let failure: OracleError | null = null;
    for (const arg of args) {
      try {
        if (bool(this.#value(arg, values)) === deciding) return deciding;
      } catch (error) {
        if (!(error instanceof OracleError)) throw error;
        failure = error;
      }
    }
    if (failure !== null) throw failure;
    return !deciding;
  }

  #isRatio(args: readonly Expr[]): boolean {
    return args.some((arg) => isDivision(arg) && argumentsOf(arg).some((one) => !this.#isIntType(one)));
  }
  #sideOf(expr: Expr, values: ReadonlyMap<string, Value>): readonly [Exact, Exact] {
    if (!isDivision(expr) || argumentsOf(expr).every((one) => this.#isIntType(one))) {
      return [exact(this.#value(expr, values)), { units: 1n, scale: 0, isInt: true }];
    }
    const [a, b] = argumentsOf(expr).map((one) => exact(this.#value(one, values)));
    if (b.units === 0n) throw new OracleError("divisor_zero");
    return [a, b];
  }
  #compareRatio(args: readonly Expr[], values: ReadonlyMap<string, Value>): number {
    const [[a, b], [c, d]] = args.map((arg) => this.#sideOf(arg, values));
    const top = 60;
    // a/b − c/d over the common denominator b·d, whose sign counts.
    const left = atScale(a, top).units * atScale(d, top).units - atScale(c, top).units * atScale(b, top).units;
    const sign = left < 0n ? -1 : left > 0n ? 1 : 0;
    return (b.units < 0n) !== (d.units < 0n) ? -sign : sign;
  }
  #round(args: readonly Expr[], values: ReadonlyMap<string, Value>): Exact {
    const [top, bottom] = this.#sideOf(args[0], values);
    const places = Number(exact(this.#value(args[1], values)).units);
    const mode = this.#value(args[2], values) as string;
    // The quotient in units of 10^-places as a fraction n/m with m > 0.
    const power = 10n ** 60n;
    const sign = bottom.units < 0n ? -1n : 1n;
    const n = sign * top.units * 10n ** BigInt(bottom.scale) *
      (places >= 0 ? power * 10n ** BigInt(places) : power / 10n ** BigInt(-places));
    const m = sign * bottom.units * 10n ** BigInt(top.scale) * power;
    const floor = n >= 0n ? n / m : -((-n + m - 1n) / m);
    const twice = 2n * (n - floor * m);
    const up = {
      floor: false,
      ceil: twice > 0n,
      down: twice > 0n && n < 0n,
      up: twice > 0n && n > 0n,
      half_up: twice > m || (twice === m && n > 0n),
      half_even: twice > m || (twice === m && floor % 2n !== 0n),
    }[mode];
    const units = (floor + (up ? 1n : 0n)) * (places < 0 ? 10n ** BigInt(-places) : 1n);
    return fit({ units, scale: Math.max(places, 0), isInt: this.#isIntType(args[0]) && places <= 0 });
  }

  #comprehension(expr: Expr, values: ReadonlyMap<string, Value>): Value {
    const loop = expr.exprKind.case === "comprehensionExpr" ? expr.exprKind.value : null;
    const call = this.#parsed.sourceInfo!.macroCalls[expr.id.toString()].exprKind;
    const name = call.case === "callExpr" ? call.value.function : "";
    const items = this.#value(loop!.iterRange!, values) as readonly Value[];
    const step = argumentsOf(loop!.loopStep!);
    const inside = (item: Value) => new Map([...values, [loop!.iterVar, item]]);
    const body = name === "all" || name === "exists" ? step[1] : step[0];
    switch (name) {
      case "filter":
        return items.filter((item) => bool(this.#value(body, inside(item))));
      case "exists_one":
        return items.filter((item) => bool(this.#value(body, inside(item)))).length === 1;
      case "map": {
        const made = step[1].exprKind.case === "listExpr" ? step[1].exprKind.value.elements[0] : step[1];
        return items.map((item) => this.#value(made, inside(item)));
      }
    }
    let failure: OracleError | null = null;
    for (const item of items) {
      try {
        if (bool(this.#value(body, inside(item))) === (name === "exists")) return name === "exists";
      } catch (error) {
        if (!(error instanceof OracleError)) throw error;
        failure = error;
      }
    }
    if (failure !== null) throw failure;
    return name !== "exists";
  }

  /** The static scale of an expression: what its value is widened to where it meets others. */
  #scale(expr: Expr): number | null {
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr": {
        const value = this.#literal(expr);
        return value !== null && typeof value === "object" && "units" in value ? value.scale : null;
      }
      case "identExpr":
        return this.#scales.get(kind.value.name) ?? null;
      case "listExpr":
        return most(kind.value.elements.map((item) => this.#scale(item)));
      case "comprehensionExpr": {
        const call = this.#parsed.sourceInfo!.macroCalls[expr.id.toString()].exprKind;
        if (call.case !== "callExpr" || call.value.function !== "map") return this.#scale(kind.value.iterRange!);
        const step = argumentsOf(kind.value.loopStep!)[1];
        return step.exprKind.case === "listExpr" ? this.#scale(step.exprKind.value.elements[0]) : null;
      }
      case "callExpr":
        return this.#scaleOfCall(kind.value);
      default:
        return null;
    }
  }
  #scaleOfCall(call: Extract<Expr["exprKind"], { case: "callExpr" }>["value"]): number | null {
    const args = [...(call.target === undefined ? [] : [call.target]), ...call.args];
    const scales = args.map((arg) => this.#scale(arg));
    switch (call.function) {
      case "_?_:_":
        return most(scales.slice(1));
      case "_*_":
        return scales[0] === null || scales[1] === null ? null : scales[0] + scales[1];
      case "_/_":
      case "_%_":
      case "size":
        return 0;
      case "round":
        return Math.max(0, Number(exact(this.#literal(args[1])).units));
      case "_[_]":
      case "abs":
      case "-_":
      case "sum":
        return scales[0];
      default:
        return most(scales);
    }
  }
  /** Whether the type is int. Only decimals have a scale or come from a decimal, so the variables' names tell: d... are decimals. */
  #isIntType(expr: Expr): boolean {
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return kind.value.constantKind.case === "int64Value";
      case "identExpr":
        return !/^(?:n?d|ld|e)/.test(kind.value.name);
      case "callExpr": {
        const args = [...(kind.value.target === undefined ? [] : [kind.value.target]), ...kind.value.args];
        if (kind.value.function === "size" || kind.value.function === "_%_") return true;
        if (kind.value.function === "_?_:_") return args.slice(1).every((arg) => this.#isIntType(arg));
        if (kind.value.function === "_[_]") return this.#isIntType(args[0]);
        if (kind.value.function === "round") return this.#isIntType(args[0]) && exact(this.#literal(args[1])).units <= 0n;
        return args.every((arg) => this.#isIntType(arg));
      }
      case "listExpr":
        return kind.value.elements.every((arg) => this.#isIntType(arg));
      case "comprehensionExpr":
        return false;
      default:
        return false;
    }
  }
}

const int = (value: number): Exact => ({ units: BigInt(value), scale: 0, isInt: true });
function isDivision(expr: Expr): boolean {
  return expr.exprKind.case === "callExpr" && expr.exprKind.value.function === "_/_";
}
function argumentsOf(expr: Expr): readonly Expr[] {
  return expr.exprKind.case === "callExpr" ? expr.exprKind.value.args : [];
}
function most(scales: readonly (number | null)[]): number | null {
  const known = scales.filter((scale) => scale !== null);
  return known.length === 0 ? null : Math.max(...known);
}
function present(value: Value): Exclude<Value, null> {
  if (value === null) throw new OracleError("null");
  return value;
}
function exact(value: Value): Exact {
  return present(value) as Exact;
}
function bool(value: Value): boolean {
  return present(value) as boolean;
}
function atScale(value: Exact, scale: number): Exact {
  return { units: value.units * 10n ** BigInt(scale - value.scale), scale, isInt: value.isInt && scale === 0 };
}
function fit(value: Exact): Exact {
  if (value.units > LIMIT || value.units < -LIMIT) throw new OracleError("overflow");
  return value;
}
function sum(a: Exact, b: Exact, sign: bigint): Exact {
  const scale = Math.max(a.scale, b.scale);
  return fit({ units: atScale(a, scale).units + sign * atScale(b, scale).units, scale, isInt: a.isInt && b.isInt });
}
function equal(a: Value, b: Value): boolean {
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return a === b;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, i) => equal(one, b[i]));
  return order(a, b) === 0;
}
function order(a: Value, b: Value): number {
  const [left, right] = [present(a), present(b)];
  if (typeof left === "string") {
    const [x, y] = [[...left], [...right as string]].map((points) => points.map((c) => c.codePointAt(0)!));
    for (let i = 0; i < Math.min(x.length, y.length); i++) if (x[i] !== y[i]) return x[i] - y[i];
    return x.length - y.length;
  }
  const [x, y] = [left as Exact, right as Exact];
  const scale = Math.max(x.scale, y.scale);
  const difference = atScale(x, scale).units - atScale(y, scale).units;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
