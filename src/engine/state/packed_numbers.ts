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
  writer.reserve(2 + 16 + length * width);
  writer.u8(steps ? STEPS : OFFSETS);
  writer.u8(width);
  if (steps) writer.f64(values[0]);
  writer.f64(steps ? range.leastStep : range.least);
  putRests(writer, values, { steps, width, least: steps ? range.leastStep : range.least });
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
  readonly least: number;
  readonly greatest: number;
  readonly leastStep: number;
  readonly greatestStep: number;
}

/** null where a number is no exact integer, or the numbers lie too far apart. */
function rangeOf(values: Float64Array): Range | null {
  let least = values[0];
  let greatest = least;
  let leastStep = Infinity;
  let greatestStep = -Infinity;
  let before = NaN;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== (value | 0) && !Number.isSafeInteger(value) || value === 0 && 1 / value < 0) return null;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    const step = value - before; // NaN the first time: then neither comparison holds.
    if (step < leastStep) leastStep = step;
    if (step > greatestStep) greatestStep = step;
    before = value;
  }
  if (values.length === 1) leastStep = greatestStep = 0;
  // No step is longer than the range, so all of this arithmetic is exact.
  return widthOf(greatest - least) > WIDTH_MAX ? null : { least, greatest, leastStep, greatestStep };
}

/** Bytes that hold 0 to `most`. */
function widthOf(most: number): number {
  let width = 0;
  for (let over = 1; over <= most; over *= 256) width++;
  return width;
}

function putRests(
  writer: BinaryWriter,
  values: Float64Array,
  { steps, width, least }: { readonly steps: boolean; readonly width: number; readonly least: number },
): void {
  const { bytes } = writer;
  let at = writer.length;
  const from = steps ? 1 : 0;
  if (width === 1) {
    for (let i = from; i < values.length; i++) bytes[at++] = (steps ? values[i] - values[i - 1] : values[i]) - least;
    writer.length = at;
    return;
  }
  for (let i = from; width > 0 && i < values.length; i++) {
    const rest = (steps ? values[i] - values[i - 1] : values[i]) - least;
    let low = rest >>> 0; // The low 32 bits, of larger numbers too.
    for (let k = 0; k < width && k < 4; k++, low >>>= 8) bytes[at++] = low;
    if (width > 4) bytes[at++] = Math.floor(rest / TWO_32);
    if (width > 5) bytes[at++] = Math.floor(rest / TWO_32) >>> 8;
  }
  writer.length = at;
}
