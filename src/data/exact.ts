/**
 * Products of exact integers. A product of two exact doubles whose true value lies within ±(2^53-1) is computed exactly, and
 * one beyond never rounds back into that range: checking the rounded result is therefore enough.
 */
import { INTEGER_MAX } from "./limits.ts";
import { OUT_OF_RANGE } from "./parse_failure.ts";

/** 10^0 to 10^22, all exact as doubles. */
export const POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
/** Up to this many digits a double holds whatever they are, and a sum of digits times ten is exact. */
export const DIGITS_EXACT = 15;
/** The largest scale of a decimal type. */
export const SCALE_MAX = DIGITS_EXACT;

/** a × b, or OUT_OF_RANGE. */
export function multiplyExact(a: number, b: number): number {
  const product = a * b;
  if (product > INTEGER_MAX || product < -INTEGER_MAX) return OUT_OF_RANGE;
  return product === 0 ? 0 : product;
}

/** The sign of a × b − c × d, exact for all exact integers; BigInt only where a product passes 2^53. */
export function compareProducts(a: number, b: number, c: number, d: number): number {
  const left = a * b;
  const right = c * d;
  if (left <= INTEGER_MAX && left >= -INTEGER_MAX && right <= INTEGER_MAX && right >= -INTEGER_MAX) {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  const difference = BigInt(a) * BigInt(b) - BigInt(c) * BigInt(d);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
