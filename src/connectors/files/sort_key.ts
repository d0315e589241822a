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
import type { RowExpression } from "../row_expressions.ts";

/** Appends the key of one row. */
export type KeyEncoder = (row: number, into: ByteWriter) => void;
export interface SortKey {
  /** Bytes of every key, or null where keys differ in length. */
  readonly width: number | null;
  readonly over: (batch: Batch) => KeyEncoder;
}

/** Whether values of the type have an order that keys can express. */
export const isSortable = (type: Type): boolean => isNumeric(type) || type.kind === "string";

/** The key of several expressions, the first one first. Every type must be sortable. */
export function sortKey(parts: readonly RowExpression[]): SortKey {
  const fixed = parts.every((part) => isNumeric(part.type) && !part.type.nullable);
  return { width: fixed ? parts.length * 8 : null, over: (batch) => joined(parts.map((part) => encoderOf(part, batch))) };
}

function joined(encoders: readonly KeyEncoder[]): KeyEncoder {
  if (encoders.length === 1) return encoders[0];
  return (row, into) => {
    for (const encode of encoders) encode(row, into);
  };
}

function encoderOf(part: RowExpression, batch: Batch): KeyEncoder {
  const value = part.over(batch);
  const write = isNumeric(part.type) ? writeNumber : writeText;
  if (!part.type.nullable) return (row, into) => write(value(row), into);
  return (row, into) => {
    const v = value(row);
    into.reserve(1);
    into.bytes[into.length++] = v === null ? 0 : 1;
    if (v !== null) write(v, into);
  };
}

const DOUBLE = new Float64Array(1);
const HALVES = new Uint32Array(DOUBLE.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

function writeNumber(value: unknown, into: ByteWriter): void {
  DOUBLE[0] = Number(value) + 0; // -0 becomes 0: they are one value. true and false become 1 and 0.
  let high = HALVES[HIGH];
  let low = HALVES[1 - HIGH];
  if (high >>> 31) {
    high = ~high;
    low = ~low;
  } else {
    high ^= 0x80000000;
  }
  into.reserve(8);
  const { bytes, length } = into;
  bytes[length] = high >>> 24;
  bytes[length + 1] = high >>> 16;
  bytes[length + 2] = high >>> 8;
  bytes[length + 3] = high;
  bytes[length + 4] = low >>> 24;
  bytes[length + 5] = low >>> 16;
  bytes[length + 6] = low >>> 8;
  bytes[length + 7] = low;
  into.length = length + 8;
}

const UTF8 = new TextEncoder();
function writeText(value: unknown, into: ByteWriter): void {
  const encoded = UTF8.encode(value as string);
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
