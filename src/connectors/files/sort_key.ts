/**
 * Sort keys as bytes whose byte order is the order of the values, so that merging compares bytes and knows no types.
 *
 *   key    := part*                       one per expression of `order_by`
 *   part   := [ %x00 (null) | %x01 ] body the mark only where the type is nullable: nulls come first
 *   number := float64, big-endian; sign bit flipped, or all bits where negative
 *   text   := UTF-8 with 00 written as 00 FF, then 00 01
 */
import type { Batch } from "../../data/batch.ts";
import type { ByteWriter } from "../../data/codec.ts";
import { isNumeric, type Type } from "../../data/types.ts";
import type { RowExpression, RowFunction } from "../row_expressions.ts";
import { ROWS_PER_CALL } from "../../data/limits.ts";

/**
 * Appends the keys of a batch's rows, and from `ends[at]` on where each one ends. Tells whether they are known to ascend: none is less
 * than the one before it in the batch.
 */
export type KeysEncoder = (batch: Batch, into: ByteWriter, ends: Uint32Array, at: number) => boolean;
export interface SortKey {
  /** Bytes of every key, or null where keys differ in length. */
  readonly width: number | null;
  readonly encode: KeysEncoder;
}

const NUMBER_BYTES = 8;

/** Whether values of the type have an order that keys can express. */
export const isSortable = (type: Type): boolean => isNumeric(type) || type.kind === "string";

/** The key of several expressions, the first one first. Every type must be sortable. */
export function sortKey(parts: readonly RowExpression[]): SortKey {
  const fixed = parts.every((part) => isNumeric(part.type) && !part.type.nullable);
  const encode = fixed && parts.length === 1 ? numberKeys(parts[0]) : rowKeys(parts);
  return { width: fixed ? parts.length * NUMBER_BYTES : null, encode };
}

/** The usual key, one number: whether they ascend is seen in the numbers themselves. */
function numberKeys({ over }: RowExpression): KeysEncoder {
  return (batch, into, ends, at) => {
    const value = over(batch);
    const { rows } = batch;
    into.reserve(rows * NUMBER_BYTES);
    const { view, length } = into;
    let last = -Infinity;
    for (let from = 0; from < rows; from += ROWS_PER_CALL) {
      const to = Math.min(from + ROWS_PER_CALL, rows);
      last = putNumbers(value, from, to, last, view, length + from * NUMBER_BYTES);
      putEnds(ends, at + from, at + to, length + from * NUMBER_BYTES);
    }
    into.length = length + rows * NUMBER_BYTES;
    return last === last;
  };
}

const DOUBLE = new Float64Array(1);
const HALVES = new Int32Array(DOUBLE.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Writes the numbers of rows [from, to) at `at`. Gives the last one; NaN where one is less than the one before it, `before` the first. */
function putNumbers(value: RowFunction, from: number, to: number, before: number, target: DataView, at: number): number {
  for (let row = from; row < to; row++) {
    const number = Number(value(row)) + 0; // -0 becomes 0: they are one value. true and false become 1 and 0.
    before = number >= before ? number : NaN;
    DOUBLE[0] = number;
    const sign = HALVES[HIGH] >> 31; // All bits where negative.
    target.setInt32(at, HALVES[HIGH] ^ (sign | 0x80000000));
    target.setInt32(at + 4, HALVES[1 - HIGH] ^ sign);
    at += NUMBER_BYTES;
  }
  return before;
}

function putEnds(ends: Uint32Array, from: number, to: number, start: number): void {
  for (let i = from, end = start; i < to; i++) ends[i] = end += NUMBER_BYTES;
}

/** Keys of any parts, row by row. */
function rowKeys(parts: readonly RowExpression[]): KeysEncoder {
  return (batch, into, ends, at) => {
    const encoders = parts.map((part) => encoderOf(part, batch));
    let ascending = true;
    for (let row = 0, before = into.length; row < batch.rows; row++) {
      const start = into.length;
      for (const encode of encoders) encode(row, into);
      ends[at + row] = into.length;
      ascending &&= row === 0 || compareBytes(into.bytes, before, start, into.bytes, start, into.length) <= 0;
      before = start;
    }
    return ascending;
  };
}

/** Appends one part of the key of a row. */
type PartEncoder = (row: number, into: ByteWriter) => void;

function encoderOf(part: RowExpression, batch: Batch): PartEncoder {
  const value = part.over(batch);
  const write = isNumeric(part.type) ? writeNumber : writeText;
  if (!part.type.nullable) return (row, into) => write(value, row, into);
  return (row, into) => {
    const isThere = value(row) !== null;
    into.reserve(1);
    into.bytes[into.length++] = isThere ? 1 : 0;
    if (isThere) write(value, row, into);
  };
}

function writeNumber(value: RowFunction, row: number, into: ByteWriter): void {
  into.reserve(NUMBER_BYTES);
  putNumbers(value, row, row + 1, -Infinity, into.view, into.length);
  into.length += NUMBER_BYTES;
}

const UTF8 = new TextEncoder();
function writeText(value: RowFunction, row: number, into: ByteWriter): void {
  const encoded = UTF8.encode(value(row) as string);
  into.reserve(2 * encoded.length + 2);
  for (const byte of encoded) {
    into.bytes[into.length++] = byte;
    if (byte === 0) into.bytes[into.length++] = 0xff;
  }
  into.bytes[into.length++] = 0;
  into.bytes[into.length++] = 1;
}

/** Byte order of two slices: negative, 0 or positive. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const common = Math.min(aEnd - aStart, bEnd - bStart);
  for (let i = 0; i < common; i++) {
    const difference = a[aStart + i] - b[bStart + i];
    if (difference !== 0) return difference;
  }
  return (aEnd - aStart) - (bEnd - bStart);
}
