/** Places among numbers that ascend. Doubles only: V8 then compiles the loops for one kind of array. */

/** The first place of [from, to) whose value is at least `bound`, else `to`. The values ascend. */
export function firstAtLeast(values: Float64Array, from: number, to: number, bound: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = low + high >>> 1;
    if (values[middle] < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
/** The first place of [from, to) whose value is above `bound`, else `to`. */
export function firstAbove(values: Float64Array, from: number, to: number, bound: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = low + high >>> 1;
    if (values[middle] <= bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
