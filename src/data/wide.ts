/**
 * Sums that may pass 2^53, as two doubles: value = hi × 2^52 + lo. Invariant: hi and lo are integers, 0 ≤ lo < 2^52, so that
 * equal sums have equal parts whatever the order in which they were added.
 */
import { INTEGER_MAX } from "./limits.ts";

const HALF = 2 ** 52;
const HALF_BIG = 1n << 52n;

/** Arrays of sums, one slot each; the shape of WideState in engine/contracts.ts. */
export interface WideSums {
  hi: Float64Array;
  lo: Float64Array;
}

/** Adds an exact integer to the sum of a slot. */
export function addToWide(sums: WideSums, slot: number, value: number): void {
  // Split first: lo + value could pass 2^53, lo + a part below 2^52 cannot.
  const high = Math.floor(value / HALF);
  const low = sums.lo[slot] + (value - high * HALF);
  const carry = low >= HALF ? 1 : 0;
  sums.hi[slot] += high + carry;
  sums.lo[slot] = low - carry * HALF;
}
/** Adds any integer, for example another lane's sum. */
export function addBigToWide(sums: WideSums, slot: number, value: bigint): void {
  const total = wideToBig(sums.hi[slot], sums.lo[slot]) + value;
  const low = BigInt.asUintN(52, total);
  sums.hi[slot] = Number((total - low) / HALF_BIG);
  sums.lo[slot] = Number(low);
}
/** The exact sum. */
export function wideToBig(hi: number, lo: number): bigint {
  return BigInt(hi) * HALF_BIG + BigInt(lo);
}
/** The sum as an exact number, null beyond ±(2^53-1). */
export function wideToNumber(hi: number, lo: number): number | null {
  const value = hi * HALF + lo;
  return value > INTEGER_MAX || value < -INTEGER_MAX ? null : value;
}
/** A big integer as an exact number, null beyond ±(2^53-1). */
export function bigToNumber(value: bigint): number | null {
  const number = Number(value);
  return number > INTEGER_MAX || number < -INTEGER_MAX ? null : number;
}
