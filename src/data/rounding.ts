/**
 * Rounding of exact decimals. Invariant: no result is ever a rounded double; what does not fit is OUT_OF_RANGE, and what would
 * lose digits without a rounding mode is TOO_MANY_DECIMALS.
 */
import { assert } from "./fault.ts";
import { INTEGER_MAX } from "./limits.ts";
import { multiplyExact, POWERS_OF_TEN } from "./exact.ts";
import { NOT_THE_TYPE, OUT_OF_RANGE, TOO_MANY_DECIMALS } from "./parse_failure.ts";

/** `half_up` rounds ties away from zero, `up` is away from zero, `down` towards it. */
export type RoundingMode = "half_even" | "half_up" | "down" | "up" | "floor" | "ceil";
/** All modes, in the order of the documentation. */
export const ROUNDING_MODES: readonly RoundingMode[] = ["half_even", "half_up", "down", "up", "floor", "ceil"];
/** Whether a text names a mode. */
export function isRoundingMode(text: string): text is RoundingMode {
  return (ROUNDING_MODES as readonly string[]).includes(text);
}

const POWER_MAX = POWERS_OF_TEN.length - 1;

/** `value` at scale `from` written at scale `to`, without rounding. */
export function rescale(value: number, from: number, to: number): number {
  if (to >= from) return value === 0 ? 0 : multiplyExact(value, powerOfTen(to - from));
  const unit = powerOfTen(from - to);
  if (value % unit !== 0) return TOO_MANY_DECIMALS;
  return value === 0 ? 0 : value / unit;
}

/**
 * `value` at `scale` rounded to `places` decimals; negative places round to tens, hundreds, ... The result has the scale
 * max(places, 0).
 */
export function roundScaled(value: number, scale: number, places: number, mode: RoundingMode): number {
  if (places >= scale) return rescale(value, scale, places);
  const unit = powerOfTen(scale - places);
  const rest = value % unit;
  // value - rest is a multiple of unit, so the division is exact.
  let quotient = (value - rest) / unit;
  if (rest !== 0) quotient += stepAway(mode, value < 0, isOdd(quotient), compareHalf(rest, unit));
  return atLeastUnits(quotient, places);
}

/** a × b, of scale `scale` together, rounded to `places`: exact even where the product passes 2^53. Result as roundScaled. */
export function multiplyRounded(a: number, b: number, scale: number, places: number, mode: RoundingMode): number {
  const product = a * b;
  if (product <= INTEGER_MAX && product >= -INTEGER_MAX) return roundScaled(product, scale, places, mode);
  return quotientToNumber(BigInt(a) * BigInt(b), 1n, places - scale, places, mode);
}

/** (a at scaleA) ÷ (b at scaleB), rounded to `places`. Result as roundScaled. NOT_THE_TYPE when b is zero. */
export function divideRounded(a: number, scaleA: number, b: number, scaleB: number, places: number, mode: RoundingMode): number {
  if (b === 0) return NOT_THE_TYPE;
  const shift = scaleB + places - scaleA;
  const power = Math.abs(shift) <= POWER_MAX ? POWERS_OF_TEN[Math.abs(shift)] : Infinity;
  const numerator = shift >= 0 ? a * power : a;
  const denominator = shift >= 0 ? b : b * power;
  if (Math.abs(numerator) > INTEGER_MAX || Math.abs(denominator) > INTEGER_MAX || numerator !== numerator) {
    return quotientToNumber(BigInt(a), BigInt(b), shift, places, mode);
  }
  const rest = numerator % denominator;
  let quotient = (numerator - rest) / denominator;
  if (rest !== 0) {
    const negative = (numerator < 0) !== (denominator < 0);
    quotient += stepAway(mode, negative, isOdd(quotient), compareHalf(rest, denominator));
  }
  return atLeastUnits(quotient, places);
}

/** numerator ÷ denominator as an integer; the denominator is not zero. */
export function roundQuotient(numerator: bigint, denominator: bigint, mode: RoundingMode): bigint {
  assert(denominator !== 0n, "a quotient needs a divisor");
  const quotient = numerator / denominator;
  const rest = numerator % denominator;
  if (rest === 0n) return quotient;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const size = denominator < 0n ? -denominator : denominator;
  const half = twice < size ? -1 : twice > size ? 1 : 0;
  return quotient + BigInt(stepAway(mode, (numerator < 0n) !== (denominator < 0n), quotient % 2n !== 0n, half));
}

/** numerator ÷ denominator × 10^shift, rounded to an integer count of 10^-places. */
function quotientToNumber(numerator: bigint, denominator: bigint, shift: number, places: number, mode: RoundingMode): number {
  const power = 10n ** BigInt(Math.abs(shift));
  const rounded = shift >= 0 ? roundQuotient(numerator * power, denominator, mode) : roundQuotient(numerator, denominator * power, mode);
  const value = Number(rounded);
  return Math.abs(value) > INTEGER_MAX ? OUT_OF_RANGE : atLeastUnits(value, places);
}

/** What to add to the quotient that was cut towards zero: -1, 0 or 1. `half` compares the rest with half a unit. */
function stepAway(mode: RoundingMode, negative: boolean, odd: boolean, half: number): number {
  const away = negative ? -1 : 1;
  switch (mode) {
    case "half_even":
      return half > 0 || (half === 0 && odd) ? away : 0;
    case "half_up":
      return half >= 0 ? away : 0;
    case "down":
      return 0;
    case "up":
      return away;
    case "floor":
      return negative ? -1 : 0;
    case "ceil":
      return negative ? 0 : 1;
  }
}
function compareHalf(rest: number, unit: number): number {
  return 2 * Math.abs(rest) - Math.abs(unit);
}
function isOdd(quotient: number): boolean {
  return quotient % 2 !== 0;
}
/** A count of 10^-places at the scale max(places, 0). */
function atLeastUnits(quotient: number, places: number): number {
  if (quotient === 0) return 0;
  return places < 0 ? multiplyExact(quotient, powerOfTen(-places)) : quotient;
}
/** Beyond 10^22 every power rounds any exact integer alike. */
function powerOfTen(power: number): number {
  return POWERS_OF_TEN[power > POWER_MAX ? POWER_MAX : power];
}
