/**
 * The comprehensions behind generated code. `all` and `exists` absorb failures as && and || do: an element that decides,
 * decides even when another one failed. Failures of the others always reject.
 */
import { EvaluationError } from "../contracts.ts";

/** What a comprehension runs over: the elements of a list, the keys of a map. */
export type Range = readonly unknown[] | ReadonlyMap<unknown, unknown>;
type Test = (item: unknown) => boolean;

const itemsOf = (range: Range): Iterable<unknown> => range instanceof Map ? range.keys() : range as readonly unknown[];

/** Whether any element (deciding true: exists) or not all elements (deciding false: all) decide. */
function decide(range: Range, test: Test, deciding: boolean): boolean {
  let failure: EvaluationError | null = null;
  for (const item of itemsOf(range)) {
    try {
      if (test(item) === deciding) return deciding;
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      failure ??= error;
    }
  }
  if (failure !== null) throw failure;
  return !deciding;
}
/** exists, where the test can fail. */
export const existsAbsorbing = (range: Range, test: Test): boolean => decide(range, test, true);
/** all, where the test can fail. */
export const allAbsorbing = (range: Range, test: Test): boolean => decide(range, test, false);
/** exists, where the test cannot fail. */
export function exists(range: Range, test: Test): boolean {
  for (const item of itemsOf(range)) if (test(item)) return true;
  return false;
}
/** all, where the test cannot fail. */
export function all(range: Range, test: Test): boolean {
  for (const item of itemsOf(range)) if (!test(item)) return false;
  return true;
}
/** Whether exactly one element passes. Every element is tested, so that a failure never depends on the order. */
export function existsOne(range: Range, test: Test): boolean {
  let count = 0;
  for (const item of itemsOf(range)) if (test(item)) count++;
  return count === 1;
}
/** The elements that pass. */
export function filter(range: Range, test: Test): unknown[] {
  const kept: unknown[] = [];
  for (const item of itemsOf(range)) if (test(item)) kept.push(item);
  return kept;
}
/** What `step` makes of each element. */
export function map(range: Range, step: (item: unknown) => unknown): unknown[] {
  const made: unknown[] = [];
  for (const item of itemsOf(range)) made.push(step(item));
  return made;
}
/** The same of the elements that pass. */
export function mapWhere(range: Range, test: Test, step: (item: unknown) => unknown): unknown[] {
  const made: unknown[] = [];
  for (const item of itemsOf(range)) if (test(item)) made.push(step(item));
  return made;
}
