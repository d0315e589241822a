/**
 * Steps over JSON values without making anything of them: most columns of a wide record are read by nobody. Invariant: it takes only
 * what JsonReader takes, and may refuse the uncommon (keys with escapes, very many keys), which then goes the slow way. The view shows the
 * same bytes as the array; both may be read a word beyond `to`, as far as there are bytes.
 */
import { skipEscape, STRING_BYTES } from "./escape.ts";

/** Whether the last call met bytes beyond ASCII, which somebody has to check. */
export const met = { high: 0 };

/** Within a record, which is one level itself. */
const DEPTH_MAX = 127;
/** Keys of all objects around a place together: each is compared with the others of its object. */
const KEYS_MAX = 256;
const keyStarts = new Int32Array(KEYS_MAX);
const keyEnds = new Int32Array(KEYS_MAX);

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN = 123;
const CLOSE = 125;
/** The greatest of the bytes that are blanks. */
const BLANK = 32;

/** Behind the value that begins at `at`, or -1. */
export function skipValue(bytes: Uint8Array, view: DataView, at: number, to: number): number {
  met.high = 0;
  return value(bytes, view, at, to, 0, 0);
}

/** Members that are looked for. */
export interface Wanted {
  readonly names: readonly Uint8Array[];
  /** By name: where the value of the last object looked at begins and ends, -1 where it has none. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}
/** Looks for members of the object that begins at `at`, and gives the place behind it, or -1. `depth`: levels around it. */
export function findMembers(bytes: Uint8Array, view: DataView, at: number, to: number, wanted: Wanted, depth = 0): number {
  met.high = 0;
  wanted.starts.fill(-1);
  return at < to && bytes[at] === OPEN ? object(bytes, view, at + 1, to, depth, 0, wanted) : -1;
}

/** Behind the closing quote of the string whose body goes on at `at`, or -1. Adds to `met`. */
export function skipString(bytes: Uint8Array, view: DataView, at: number, to: number): number {
  const last = to - 4;
  for (;;) {
    while (at <= last) {
      const marks = marksOf(view.getInt32(at, true));
      if (marks !== 0) {
        at += 31 - Math.clz32(marks & -marks) >> 3;
        break;
      }
      at += 4;
    }
    if (at >= to) return -1;
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) {
      const name = bytes[at + 1];
      at = (name === QUOTE || name === BACKSLASH) && at + 1 < to ? at + 2 : skipEscape(bytes, at, to);
      if (at < 0) return -1;
    } else if (byte < 32) return -1;
    else {
      met.high |= byte >> 7;
      at++;
    }
  }
}

function value(bytes: Uint8Array, view: DataView, at: number, to: number, depth: number, keys: number): number {
  if (at >= to) return -1;
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, view, at + 1, to);
    case OPEN:
      return depth === DEPTH_MAX ? -1 : object(bytes, view, at + 1, to, depth + 1, keys, null);
    case OPEN_LIST:
      return depth === DEPTH_MAX ? -1 : list(bytes, view, at + 1, to, depth + 1, keys);
    case 116:
      return at + 4 <= to && bytes[at + 1] === 114 && bytes[at + 2] === 117 && bytes[at + 3] === 101 ? at + 4 : -1;
    case 102:
      return at + 5 <= to && bytes[at + 1] === 97 && bytes[at + 2] === 108 && bytes[at + 3] === 115 && bytes[at + 4] === 101 ? at + 5 : -1;
    case 110:
      return at + 4 <= to && bytes[at + 1] === 117 && bytes[at + 2] === 108 && bytes[at + 3] === 108 ? at + 4 : -1;
    default:
      return number(bytes, at, to);
  }
}

function object(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  to: number,
  depth: number,
  first: number,
  wanted: Wanted | null,
): number {
  let keys = first;
  // Marks of the keys so far: most keys have one of their own and need not be compared.
  let low = 0;
  let high = 0;
  at = skipBlanks(bytes, at, to);
  if (at < to && bytes[at] === CLOSE) return at + 1;
  for (;;) {
    if (at >= to || bytes[at] !== QUOTE || keys === KEYS_MAX) return -1;
    const end = keyEnd(bytes, view, at + 1, to);
    if (end < 0) return -1;
    const mark = (end - at) * 5 + bytes[at + 1] * 3 + bytes[end - 1];
    const bit = 1 << (mark & 31);
    const seen = (mark & 32) === 0 ? low & bit : high & bit;
    if (seen !== 0 && isKnown(bytes, at + 1, end, first, keys)) return -1;
    if ((mark & 32) === 0) low |= bit;
    else high |= bit;
    keyStarts[keys] = at + 1;
    keyEnds[keys++] = end;
    at = end + 1;
    if (bytes[at] !== COLON) at = skipBlanks(bytes, at, to);
    if (at >= to || bytes[at] !== COLON) return -1;
    at++;
    const start = bytes[at] > BLANK ? at : skipBlanks(bytes, at, to);
    at = value(bytes, view, start, to, depth, keys);
    if (at < 0) return -1;
    if (wanted !== null) note(bytes, keys - 1, start, at, wanted);
    if (bytes[at] <= BLANK) at = skipBlanks(bytes, at, to);
    if (at >= to) return -1;
    if (bytes[at] === CLOSE) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at++;
    if (bytes[at] <= BLANK) at = skipBlanks(bytes, at, to);
  }
}

function list(bytes: Uint8Array, view: DataView, at: number, to: number, depth: number, keys: number): number {
  at = skipBlanks(bytes, at, to);
  if (at < to && bytes[at] === CLOSE_LIST) return at + 1;
  for (;;) {
    at = value(bytes, view, at, to, depth, keys);
    if (at < 0) return -1;
    at = skipBlanks(bytes, at, to);
    if (at >= to) return -1;
    if (bytes[at] === CLOSE_LIST) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at = skipBlanks(bytes, at + 1, to);
  }
}

/** As plainKeyEnd, by words. */
function keyEnd(bytes: Uint8Array, view: DataView, at: number, to: number): number {
  while (at <= to - 4) {
    const marks = marksOf(view.getInt32(at, true));
    if (marks !== 0) {
      at += 31 - Math.clz32(marks & -marks) >> 3;
      return bytes[at] === QUOTE ? at : plainKeyEnd(bytes, at, to);
    }
    at += 4;
  }
  return plainKeyEnd(bytes, at, to);
}

/** The highest bit of a byte marks a quote, a backslash, a control character or a part of a longer one; exactly so for the lowest one. */
function marksOf(word: number): number {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  return (quote - 0x01010101 & ~quote | backslash - 0x01010101 & ~backslash | word - 0x20202020 & ~word | word) & 0x80808080;
}

/** Where the key that begins at `at` has its closing quote; -1 where it is written with escapes or has none. */
export function plainKeyEnd(bytes: Uint8Array, at: number, to: number): number {
  for (; at < to; at++) {
    const meaning = STRING_BYTES[bytes[at]];
    if (meaning === 2) return at;
    if (meaning > 2) return -1;
    met.high |= meaning;
  }
  return -1;
}

/** Where the value of key `key` lies, if it is wanted. */
function note(bytes: Uint8Array, key: number, start: number, end: number, { names, starts, ends }: Wanted): void {
  const from = keyStarts[key];
  const length = keyEnds[key] - from;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name.length !== length) continue;
    let at = 0;
    while (at < length && bytes[from + at] === name[at]) at++;
    if (at < length) continue;
    starts[i] = start;
    ends[i] = end;
  }
}

function isKnown(bytes: Uint8Array, from: number, to: number, first: number, keys: number): boolean {
  for (let i = first; i < keys; i++) {
    const start = keyStarts[i];
    if (keyEnds[i] - start !== to - from) continue;
    let at = 0;
    while (from + at < to && bytes[start + at] === bytes[from + at]) at++;
    if (from + at === to) return true;
  }
  return false;
}

function number(bytes: Uint8Array, at: number, to: number): number {
  if (bytes[at] === 45) at++;
  const whole = at;
  at = digits(bytes, at, to);
  if (at === whole || (bytes[whole] === 48 && at - whole > 1)) return -1;
  if (at < to && bytes[at] === 46) {
    const fraction = at + 1;
    at = digits(bytes, fraction, to);
    if (at === fraction) return -1;
  }
  if (at < to && (bytes[at] | 32) === 101) {
    at++;
    if (at < to && (bytes[at] === 43 || bytes[at] === 45)) at++;
    const exponent = at;
    at = digits(bytes, exponent, to);
    if (at === exponent) return -1;
  }
  return at;
}
function digits(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && bytes[at] >= 48 && bytes[at] <= 57) at++;
  return at;
}

/** The next byte that is no blank, or `to`. */
export function skipBlanks(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && (bytes[at] === 32 || bytes[at] === 9 || bytes[at] === 10 || bytes[at] === 13)) at++;
  return at;
}
