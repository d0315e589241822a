/**
 * Sets of characters as sorted, disjoint ranges of UTF-16 units. Invariant: a set holds all surrogates or none, so that a run
 * of its members never cuts a character in two.
 */

export type CharClass = readonly (readonly [number, number])[];

const UNIT_MAX = 0xffff;
const SURROGATE_MIN = 0xd800;
const SURROGATE_MAX = 0xdfff;

/** Sorted and merged. */
export function classOf(ranges: CharClass): CharClass {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}
export function complement(set: CharClass): CharClass {
  const ranges: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) ranges.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= UNIT_MAX) ranges.push([next, UNIT_MAX]);
  return ranges;
}
export function intersects(left: CharClass, right: CharClass): boolean {
  return left.some(([from, to]) => right.some(([low, high]) => from <= high && low <= to));
}
/** Whether the set has characters beyond the first plane, which take two units each. */
export function hasSurrogates(set: CharClass): boolean {
  return intersects(set, [[SURROGATE_MIN, SURROGATE_MAX]]);
}

/** RE2's Perl classes: ASCII only. */
export const DIGIT = classOf([[0x30, 0x39]]);
export const WORD = classOf([[0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]);
export const SPACE = classOf([[0x09, 0x0a], [0x0c, 0x0d], [0x20, 0x20]]);
/** `.`: all but the line feed. */
export const DOT = complement([[0x0a, 0x0a]]);
const NOT_WORD = complement(WORD);

/** Whether a word boundary can never lie between two members. */
export function isHomogeneous(set: CharClass): boolean {
  return !intersects(set, NOT_WORD) || !intersects(set, WORD);
}

/** A JavaScript condition on the unit in `name`. */
export function classTest(set: CharClass, name: string): string {
  const inverse = complement(set);
  const ranges = inverse.length < set.length ? inverse : set;
  const tests = ranges.map(([from, to]) => {
    if (from === to) return `${name} === ${from}`;
    if (from === 0) return `${name} <= ${to}`;
    return to === UNIT_MAX ? `${name} >= ${from}` : `(${name} >= ${from} && ${name} <= ${to})`;
  });
  const any = tests.length === 0 ? "false" : tests.join(" || ");
  return ranges === set ? `(${any})` : `!(${any})`;
}
