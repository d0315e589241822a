/**
 * Numbers in few bytes: stored state is mostly whole numbers of one size, ascending slots and ids, and what is not written costs
 * neither a checksum nor the store's log. Invariant: every number comes back the same, -0 and NaN too.
 *
 *   numbers := %x00 f64*                          as they are
 *            | %x01 width:u8 least:f64 rest*      each less the least
 *            | %x02 width:u8 first:f64 least:f64 rest*   each but the first: less the one before it and the least such step
 *   rest    := `width` bytes, little-endian, 0 to 6 of them
 *
 * The first form stands for no numbers too. After "frame of reference" coding.
 */
import { assert } from "../../data/fault.ts";
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import { ROWS_PER_CALL } from "../../data/limits.ts";

const PLAIN = 0, OFFSETS = 1, STEPS = 2;
/** Above it, plain doubles are hardly longer. */
const WIDTH_MAX = 6;
const TWO_32 = 2 ** 32;

/** Appends the numbers; their count is for the reader to know. One kind of array only: V8 then compiles the loops once. */
export function packNumbers(writer: BinaryWriter, values: Float64Array): void {
  const { length } = values;
  const range = length === 0 ? null : rangeOf(values);
  if (range === null) {
    writer.u8(PLAIN);
    writer.raw(values);
    return;
  }
  const offsetWidth = widthOf(range.greatest - range.least);
  const stepWidth = widthOf(range.greatestStep - range.leastStep);
  const steps = stepWidth * (length - 1) + 8 < offsetWidth * length;
  const width = steps ? stepWidth : offsetWidth;
  writer.reserve(2 + 16 + length * width + WIDTH_MAX);
  writer.u8(steps ? STEPS : OFFSETS);
  writer.u8(width);
  if (steps) writer.f64(values[0]);
  writer.f64(steps ? range.leastStep : range.least);
  putRests(writer, values, { steps, width, least: steps ? range.leastStep : range.least });
}

/** Appends the numbers that lie at `slots`. */
export function packNumbersAt(writer: BinaryWriter, values: Float64Array, slots: Int32Array): void {
  const taken = new Float64Array(slots.length);
  for (let from = 0; from < slots.length; from += ROWS_PER_CALL) {
    take(values, slots, from, Math.min(from + ROWS_PER_CALL, slots.length), taken);
  }
  packNumbers(writer, taken);
}

function take(values: Float64Array, slots: Int32Array, from: number, to: number, taken: Float64Array): void {
  for (let i = from; i < to; i++) taken[i] = values[slots[i]];
}

/** Reads `count` numbers. */
export function unpackNumbers(reader: BinaryReader, count: number): Float64Array {
  const kind = reader.u8();
  if (kind === PLAIN) return reader.float64s(count);
  assert(kind === OFFSETS || kind === STEPS, "packed numbers are of a known form");
  const width = reader.u8();
  const steps = kind === STEPS;
  const values = new Float64Array(count);
  if (steps) values[0] = reader.f64();
  const least = reader.f64();
  const from = steps ? 1 : 0;
  const bytes = reader.take((count - from) * width);
  for (let i = from, at = 0; i < count; i++) {
    let rest = 0;
    for (let k = width - 1; k >= 0; k--) rest = rest * 256 + bytes[at + k];
    at += width;
    values[i] = (steps ? values[i - 1] : 0) + (least + rest);
  }
  return values;
}

interface Range {
  least: number;
  greatest: number;
  leastStep: number;
  greatestStep: number;
}

/** null where a number is no exact integer, or the numbers lie too far apart. */
function rangeOf(values: Float64Array): Range | null {
  const range: Range = { least: values[0], greatest: values[0], leastStep: Infinity, greatestStep: -Infinity };
  for (let from = 0; from < values.length; from += ROWS_PER_CALL) {
    if (!widen(range, values, from, Math.min(from + ROWS_PER_CALL, values.length))) return null;
  }
  if (values.length === 1) range.leastStep = range.greatestStep = 0;
  // No step is longer than the range, so all of this arithmetic is exact.
  return widthOf(range.greatest - range.least) > WIDTH_MAX ? null : range;
}

/** Takes values[from, to) into the range; false where one is no exact integer. */
function widen(range: Range, values: Float64Array, from: number, to: number): boolean {
  let { least, greatest, leastStep, greatestStep } = range;
  let before = from === 0 ? NaN : values[from - 1];
  for (let i = from; i < to; i++) {
    const value = values[i];
    // Each comparison for every number: V8 throws code away that meets a branch for the first time. The last one finds -0.
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER) || Math.floor(value) !== value || 1 / value === -Infinity) return false;
    least = value < least ? value : least;
    greatest = value > greatest ? value : greatest;
    const step = value - before; // NaN the first time: then neither comparison holds.
    leastStep = step < leastStep ? step : leastStep;
    greatestStep = step > greatestStep ? step : greatestStep;
    before = value;
  }
  range.least = least;
  range.greatest = greatest;
  range.leastStep = leastStep;
  range.greatestStep = greatestStep;
  return true;
}

/** Bytes that hold 0 to `most`. */
function widthOf(most: number): number {
  let width = 0;
  for (let over = 1; over <= most; over *= 256) width++;
  return width;
}

/** How a row of rests is written. */
interface Rests {
  readonly steps: boolean;
  readonly width: number;
  readonly least: number;
}

function putRests(writer: BinaryWriter, values: Float64Array, { steps, width, least }: Rests): void {
  if (width === 0) return;
  for (let from = steps ? 1 : 0; from < values.length; from += ROWS_PER_CALL) {
    const to = Math.min(from + ROWS_PER_CALL, values.length);
    const numbers = steps ? stepsOf(values, from, to) : values.subarray(from, to);
    writer.length = putSome(writer.bytes, writer.length, numbers, least, width);
  }
}

/** Steps on the way to their bytes. */
const STEPS_TAKEN = new Float64Array(ROWS_PER_CALL);

/** From which number to which it goes, for values[from, to); valid until the next call. */
function stepsOf(values: Float64Array, from: number, to: number): Float64Array {
  for (let i = from; i < to; i++) STEPS_TAKEN[i - from] = values[i] - values[i - 1];
  return STEPS_TAKEN.subarray(0, to - from);
}

function putSome(bytes: Uint8Array, start: number, numbers: Float64Array, least: number, width: number): number {
  let at = start;
  for (let i = 0; i < numbers.length; i++) {
    const rest = numbers[i] - least;
    const low = rest >>> 0; // The low 32 bits, of larger numbers too.
    // Whole words, of which the next number overwrites what is too much: `packNumbers` reserves for the last one.
    bytes[at] = low;
    bytes[at + 1] = low >>> 8;
    bytes[at + 2] = low >>> 16;
    bytes[at + 3] = low >>> 24;
    if (width > 4) {
      const high = Math.floor(rest / TWO_32);
      bytes[at + 4] = high;
      bytes[at + 5] = high >>> 8;
    }
    at += width;
  }
  return at;
}
