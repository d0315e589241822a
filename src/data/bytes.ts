/**
 * Bytes under construction. Invariant: `bytes[0, length)` is what was written; everything behind is spare room whose content
 * means nothing. The `put` functions write at a position into room that the caller reserved, and give the position behind.
 */
import type { ByteWriter } from "./codec.ts";
import { POWERS_OF_TEN } from "./exact.ts";
import { viewOf } from "./words.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const ZERO = 48;
const MINUS = 45;
/** Below this length a loop beats the call of a native copy. */
const COPY_LOOP_MAX = 32;

class GrowingWriter implements ByteWriter {
  bytes: Uint8Array;
  view: DataView;
  length = 0;
  constructor(capacity: number, private readonly next: number) {
    this.bytes = new Uint8Array(capacity);
    this.view = viewOf(this.bytes);
  }
  reserve(more: number): void {
    const need = this.length + more;
    if (need > this.bytes.length) this.#grow(need);
  }
  /** A method of its own: V8 then leaves it out of the code of whoever writes. */
  #grow(need: number): void {
    const grown = new Uint8Array(Math.max(need, 2 * this.bytes.length, this.next));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = viewOf(grown);
  }
}

/** A writer with room for `capacity` bytes, then for `next`, then each time for twice as many. Set `length = 0` to use it again. */
export function createWriter(capacity = 1024, next = 0): ByteWriter {
  return new GrowingWriter(capacity, next);
}
/** What was written, as a view that the next write may change. */
export function written(writer: ByteWriter): Uint8Array {
  return writer.bytes.subarray(0, writer.length);
}
/** What was written, as text. */
export function writtenText(writer: ByteWriter): string {
  return decoder.decode(written(writer));
}

/** Appends bytes[from, to). */
export function writeBytes(into: ByteWriter, bytes: Uint8Array, from = 0, to: number = bytes.length): void {
  into.reserve(to - from);
  into.length = putBytes(into.bytes, into.length, bytes, from, to);
}
/** Appends a string as UTF-8. */
export function writeText(into: ByteWriter, text: string): void {
  into.reserve(3 * text.length);
  into.length = putText(into.bytes, into.length, text);
}
/** Appends an exact integer. */
export function writeInteger(into: ByteWriter, value: number): void {
  into.reserve(NUMBER_BYTES_MAX);
  into.length = putInteger(into.bytes, into.length, value);
}
/** Appends a decimal with exactly `scale` decimals. */
export function writeDecimal(into: ByteWriter, value: number, scale: number): void {
  into.reserve(NUMBER_BYTES_MAX);
  into.length = putDecimal(into.bytes, into.length, value, scale);
}

/** No number takes more bytes: doubles need 24 at most, integers and decimals fewer. */
export const NUMBER_BYTES_MAX = 32;

/** Numbers below have at most nine digits. */
export const SMALL_END = 1e9;

/** Copies bytes[from, to). */
export function putBytes(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  const length = to - from;
  if (length > COPY_LOOP_MAX) target.set(bytes.subarray(from, to), at);
  else for (let i = 0; i < length; i++) target[at + i] = bytes[from + i];
  return at + length;
}
/** UTF-8 of a string: at most three bytes for each of its UTF-16 units. */
export function putText(target: Uint8Array, at: number, text: string): number {
  const length = text.length;
  if (length <= COPY_LOOP_MAX) {
    let i = 0;
    for (; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) break;
      target[at + i] = code;
    }
    if (i === length) return at + length;
  }
  return at + encodeText(text, target.subarray(at));
}
/**
 * UTF-8 of a string at the start of `target`; gives its length, as a small integer. What the encoder itself gives V8 takes for a double, and with
 * it every field that it is added to, of which it then keeps each value as an object.
 */
export function encodeText(text: string, target: Uint8Array): number {
  return encoder.encodeInto(text, target).written | 0;
}
/** A double in its shortest text that reads back the same; never -0. */
export function putDouble(target: Uint8Array, at: number, value: number): number {
  return putText(target, at, value === 0 ? "0" : String(value));
}
/** An exact integer in decimal digits; never -0. */
export function putInteger(target: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    target[at++] = MINUS;
    value = -value;
  }
  if (value < 1e9) return putDigits(target, at, value | 0, digitCount(value | 0));
  const high = Math.floor(value / 1e9);
  at = putDigits(target, at, high | 0, digitCount(high | 0));
  return putDigits(target, at, (value - high * 1e9) | 0, 9);
}
/** A decimal with exactly `scale` decimals (at most 15). */
export function putDecimal(target: Uint8Array, at: number, value: number, scale: number): number {
  if (scale === 0) return putInteger(target, at, value);
  if (value < 0) {
    target[at++] = MINUS;
    value = -value;
  }
  if (scale <= 9 && value < SMALL_END) return putSmallDecimal(target, at, value | 0, scale);
  const unit = POWERS_OF_TEN[scale];
  const fraction = value % unit;
  at = putInteger(target, at, (value - fraction) / unit);
  target[at++] = 46;
  if (scale <= 9) return putDigits(target, at, fraction | 0, scale);
  const high = Math.floor(fraction / 1e9);
  at = putDigits(target, at, high | 0, scale - 9);
  return putDigits(target, at, (fraction - high * 1e9) | 0, 9);
}
/** The same of a number from 0 up to SMALL_END and with 1 to 9 decimals: a call of its own, to which the number need not be an object. */
export function putSmallDecimal(target: Uint8Array, at: number, value: number, scale: number): number {
  const end = at + Math.max(digitCount(value), scale + 1) + 1;
  const point = end - scale - 1;
  // By ten alone, which V8 makes a multiplication: dividing by a power of ten from a table takes longer than the digits.
  const whole = putDigitsBefore(target, point + 1, end, value);
  target[point] = 46;
  putDigitsBefore(target, at, point, whole);
  return end;
}
/** The last `count` decimal digits of a small integer, with leading zeros. */
export function putDigits(target: Uint8Array, at: number, value: number, count: number): number {
  putDigitsBefore(target, at, at + count, value);
  return at + count;
}
/** Fills [at, end) with the last decimal digits of a small integer; gives what is left of it in front of them. */
function putDigitsBefore(target: Uint8Array, at: number, end: number, value: number): number {
  for (let i = end - 1; i >= at; i--) {
    const rest = (value / 10) | 0;
    target[i] = ZERO + value - rest * 10;
    value = rest;
  }
  return value;
}
function digitCount(value: number): number {
  if (value < 10000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1000000) return value < 100000 ? 5 : 6;
  return value < 10000000 ? 7 : value < 100000000 ? 8 : 9;
}
