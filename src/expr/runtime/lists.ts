/**
 * Lists and maps behind generated code: equality by value, indexing, ordering, distinct. Values are in run-time representation
 * (data/types.ts), so one definition serves all element types.
 */
import { noSuchIndex } from "./failures.ts";
import { compareText } from "./text.ts";

/** Equality by value; the types were found comparable at check time. */
export function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left)) {
    return Array.isArray(right) && left.length === right.length && left.every((item, i) => equal(item, right[i]));
  }
  if (left instanceof Map) {
    if (!(right instanceof Map) || left.size !== right.size) return false;
    for (const [key, value] of left) if (!right.has(key) || !equal(value, right.get(key))) return false;
    return true;
  }
  if (Array.isArray(right) || right instanceof Map) return false;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) =>
      Object.hasOwn(right, key) && equal((left as Record<string, unknown>)[key], (right as Record<string, unknown>)[key])
    );
}
/** Whether a list of lists, maps or structs has an element equal to `value`. */
export function includesEqual(list: readonly unknown[], value: unknown): boolean {
  return list.some((item) => equal(item, value));
}
/** list[index]. */
export function elementAt<T>(list: readonly T[], index: number): T {
  return index >= 0 && index < list.length ? list[index] : noSuchIndex(`index ${index} of a list of ${list.length}`);
}
/** map[key]. */
export function valueAt<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  return value === undefined ? noSuchIndex(`the map has no key ${JSON.stringify(key)}`) : value;
}
/** A map from key and value in turn; the same key twice is an error. */
export function mapOf(...keysAndValues: unknown[]): Map<unknown, unknown> {
  const map = new Map();
  for (let i = 0; i < keysAndValues.length; i += 2) {
    if (map.has(keysAndValues[i])) noSuchIndex(`the key ${JSON.stringify(keysAndValues[i])} occurs twice`);
    map.set(keysAndValues[i], keysAndValues[i + 1]);
  }
  return map;
}
/** Ascending: numbers, booleans (false first) and texts by code points. */
export function compare(left: unknown, right: unknown): number {
  if (typeof left === "string") return compareText(left, right as string);
  return Number(left) - Number(right);
}
/** First occurrences, in order. */
export function distinct<T>(list: readonly T[]): T[] {
  if (list.every((item) => typeof item !== "object" || item === null)) return [...new Set(list)];
  const kept: T[] = [];
  for (const item of list) if (!includesEqual(kept, item)) kept.push(item);
  return kept;
}
/** A sorted copy. */
export function sort<T>(list: readonly T[]): T[] {
  return [...list].sort(compare);
}
/** The least element, or null. */
export function least<T>(list: readonly T[]): T | null {
  let best: T | null = null;
  for (const item of list) if (best === null || compare(item, best) < 0) best = item;
  return best;
}
/** The greatest element, or null. */
export function greatest<T>(list: readonly T[]): T | null {
  let best: T | null = null;
  for (const item of list) if (best === null || compare(item, best) > 0) best = item;
  return best;
}
/** The first element, or null. */
export function first<T>(list: readonly T[]): T | null {
  return list.length === 0 ? null : list[0];
}
/** The last element, or null. */
export function last<T>(list: readonly T[]): T | null {
  return list.length === 0 ? null : list[list.length - 1];
}
