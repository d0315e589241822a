/**
 * Exact arithmetic behind generated code. Numbers are integers within ±(2^53-1) (int, and decimals as counts of 10^-scale);
 * results are never -0 and never rounded. Generated code does the common cases itself and calls these for the rest.
 */
import {
  bigToNumber,
  compareProducts,
  divideRounded,
  parseDecimal,
  POWERS_OF_TEN,
  type RoundingMode,
  roundQuotient,
  roundScaled,
} from "../../data/decimal.ts";
import { INTEGER_MAX } from "../../data/limits.ts";
import { divisorZero, notConvertible, overflow, parsed } from "./failures.ts";

/** 10^places as an exact number. */
export function powerOfTen(places: number): number {
  return POWERS_OF_TEN[places];
}
function exact(value: number): number {
  return value - value === 0 ? value : overflow();
}
/** value × factor, where factor is a power of ten. */
export function scaleUp(value: number, factor: number): number {
  const scaled = value * factor;
  return Math.abs(scaled) <= INTEGER_MAX ? scaled + 0 : overflow();
}
/** a × factorA + b × factorB for when a product passes 2^53 though the sum may not. */
export function addScaled(a: number, factorA: number, b: number, factorB: number): number {
  const sum = BigInt(a) * BigInt(factorA) + BigInt(b) * BigInt(factorB);
  const value = Number(sum);
  return Math.abs(value) <= INTEGER_MAX ? value : overflow();
}
/** CEL's int division: towards zero. */
export function divide(a: number, b: number): number {
  if (b === 0) divisorZero();
  // a - a % b is a multiple of b, so this division is exact; a rounded a / b could be one too large.
  return (a - a % b) / b + 0;
}
/** CEL's remainder: the sign of the dividend. */
export function remainder(a: number, b: number): number {
  return b === 0 ? divisorZero() : a % b + 0;
}
/** `value` of `scale` with `places` decimals. */
export function round(value: number, scale: number, places: number, mode: RoundingMode): number {
  return exact(roundScaled(value, scale, places, mode));
}
/** a / b, rounded. */
export function roundRatio(a: number, scaleA: number, b: number, scaleB: number, places: number, mode: RoundingMode): number {
  return b === 0 ? divisorZero() : exact(divideRounded(a, scaleA, b, scaleB, places, mode));
}

/** The sign of a/b − c/d, exact: by cross-multiplication, never by dividing. All are counts of 10^-scale. */
export function compareRatios(
  a: number,
  scaleA: number,
  b: number,
  scaleB: number,
  c: number,
  scaleC: number,
  d: number,
  scaleD: number,
): number {
  if (b === 0 || d === 0) divisorZero();
  // a·10^(sB+sC) · d  against  c·10^(sA+sD) · b: the power goes to one side only, and the signs of b and d may turn it.
  const shift = scaleB + scaleC - scaleA - scaleD;
  const turn = (b < 0) === (d < 0) ? 1 : -1;
  if (shift === 0) return turn * compareProducts(a, d, c, b);
  const power = 10n ** BigInt(Math.abs(shift));
  const left = a * d;
  const right = c * b;
  const scaled = shift > 0 ? left * Number(power) : left;
  const other = shift > 0 ? right : right * Number(power);
  if (Math.abs(scaled) <= INTEGER_MAX && Math.abs(other) <= INTEGER_MAX) return turn * Math.sign(scaled - other);
  const bigLeft = BigInt(a) * BigInt(d) * (shift > 0 ? power : 1n);
  const bigRight = BigInt(c) * BigInt(b) * (shift > 0 ? 1n : power);
  return bigLeft < bigRight ? -turn : bigLeft > bigRight ? turn : 0;
}

/** int(double): towards zero. */
export function doubleToInt(value: number): number {
  const whole = Math.trunc(value) + 0;
  return Math.abs(whole) <= INTEGER_MAX ? whole : overflow();
}
/** decimal(double, scale, mode): rounds what the shortest text of the double says, which is what people see of it. */
export function doubleToDecimal(value: number, scale: number, mode: RoundingMode): number {
  if (!Number.isFinite(value)) overflow();
  const [digits, exponent] = value.toExponential().split("e");
  const [whole, fraction = ""] = digits.split(".");
  return roundDigits(BigInt(whole + fraction), fraction.length - Number(exponent), scale, mode);
}
/** written × 10^-writtenScale with `scale` decimals. */
function roundDigits(written: bigint, writtenScale: number, scale: number, mode: RoundingMode): number {
  const shift = BigInt(Math.abs(writtenScale - scale));
  const rounded = writtenScale > scale ? roundQuotient(written, 10n ** shift, mode) : written * 10n ** shift;
  return bigToNumber(rounded) ?? overflow();
}
/** int(string). */
export function textToInt(text: string): number {
  return parsed(parseDecimal(text, 0), text, "an int");
}
/** decimal(string, scale): never rounds. */
export function textToDecimal(text: string, scale: number): number {
  return parsed(parseDecimal(text, scale), text, `a decimal(${scale})`);
}
/** decimal(string, scale, mode). */
export function textToRounded(text: string, scale: number, mode: RoundingMode): number {
  const fraction = /^-?[0-9]+\.([0-9]+)$/.exec(text)?.[1] ?? "";
  return fraction.length <= scale ? textToDecimal(text, scale) : roundDigits(BigInt(text.replace(".", "")), fraction.length, scale, mode);
}
/** double(string). */
export function textToDouble(text: string): number {
  const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value + 0 : notConvertible("type", text, "a double");
}
/** sum of ints or decimals; the running total may pass 2^53 on its way. */
export function sumExact(values: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i];
    if (Math.abs(sum) > INTEGER_MAX) return sumWide(values);
  }
  return sum;
}
function sumWide(values: readonly number[]): number {
  let sum = 0n;
  for (const value of values) sum += BigInt(value);
  const total = Number(sum);
  return Math.abs(total) <= INTEGER_MAX ? total : overflow();
}
/** avg of ints or decimals, rounded; null of nothing. */
export function averageExact(values: readonly number[], scale: number, places: number, mode: RoundingMode): number | null {
  return values.length === 0 ? null : roundRatio(sumExact(values), scale, values.length, 0, places, mode);
}
/** sum of doubles, left to right. */
export function sumDoubles(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
/** avg of doubles; null of nothing. */
export function averageDoubles(values: readonly number[]): number | null {
  return values.length === 0 ? null : sumDoubles(values) / values.length;
}
