/**
 * What generated loops over columns need: exact sums that passed 2^53 on their way, searches in ascending columns, and counting of what is
 * different.
 */
import { INTEGER_MAX } from "../../data/limits.ts";
import { EvaluationError } from "../contracts.ts";
import { overflow } from "./failures.ts";

/** A running total that has left the exact numbers, with two more exact numbers in it. */
export function addWide(wide: bigint | null, sum: number, value: number): bigint {
  return (wide ?? 0n) + BigInt(sum) + BigInt(value);
}
/** The total, refused past 2^53. */
export function wideTotal(wide: bigint, sum: number): number {
  const total = Number(wide + BigInt(sum));
  return Math.abs(total) <= INTEGER_MAX ? total : overflow();
}

/** The failure to report of a loop: the first one. Our own mistakes go on. */
export function failureOf(earlier: EvaluationError | null, error: unknown): EvaluationError {
  if (!(error instanceof EvaluationError)) throw error;
  return earlier ?? error;
}

/** So many are compared one by one. */
const FEW_MAX = 16;

/** Counts different numbers, as a Set does: NaN equals itself, and -0 is 0. One evaluation at a time. */
export class DistinctNumbers {
  #few = new Float64Array(FEW_MAX);
  #count = 0;
  #hasNaN = false;
  #hasNull = false;
  readonly #many = new Set<number>();

  begin(): void {
    if (this.#many.size > 0) this.#many.clear();
    this.#count = 0;
    this.#hasNaN = this.#hasNull = false;
  }

  add(value: number | null): void {
    if (value === null) {
      this.#hasNull = true;
      return;
    }
    if (value !== value) {
      this.#hasNaN = true;
      return;
    }
    const few = this.#few;
    const count = this.#count;
    for (let i = 0; i < count; i++) if (few[i] === value) return;
    if (count < FEW_MAX) {
      few[count] = value;
      this.#count++;
    } else this.#many.add(value);
  }

  get size(): number {
    return this.#count + this.#many.size + (this.#hasNaN ? 1 : 0) + (this.#hasNull ? 1 : 0);
  }
}
