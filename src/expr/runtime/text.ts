/**
 * Text functions behind generated code. Places and lengths count code points, as CEL says; the common case, text without
 * surrogate pairs, never pays for it.
 */
import { boundedText, noSuchIndex } from "./failures.ts";

const isHighSurrogate = (code: number) => code >= 0xd800 && code <= 0xdbff;
const isLowSurrogate = (code: number) => code >= 0xdc00 && code <= 0xdfff;

/** Number of code points. */
export function sizeOf(text: string): number {
  let size = text.length;
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits |= text.charCodeAt(i);
  if (bits < 0x8000) return size; // Surrogates have the highest bit.
  for (let i = 1; i < text.length; i++) {
    if (isLowSurrogate(text.charCodeAt(i)) && isHighSurrogate(text.charCodeAt(i - 1))) {
      size--;
      i++;
    }
  }
  return size;
}
/** The offset in UTF-16 units of the code point number `place`; -1 when the text is shorter. */
function offsetOf(text: string, place: number): number {
  let offset = 0;
  for (; place > 0; place--) {
    if (offset >= text.length) return -1;
    offset += offset + 1 < text.length && isHighSurrogate(text.charCodeAt(offset)) && isLowSurrogate(text.charCodeAt(offset + 1)) ? 2 : 1;
  }
  return place < 0 ? -1 : offset;
}
/** The code points [from, to). */
export function substring(text: string, from: number, to: number): string {
  if (from === 0 && to === 1 && text.length > 0 && text.charCodeAt(0) < 0xd800) return text[0];
  const start = offsetOf(text, from);
  const end = to < from ? -1 : offsetOf(text, to);
  return start < 0 || end < 0 ? noSuchIndex(`substring(${from}, ${to}) of a text of ${sizeOf(text)} characters`) : text.slice(start, end);
}
const ASCII_CHARACTERS = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
/** The character at `place` of the UTF-8 bytes [from, to); null where it is not ASCII up to there, or shorter, or there are no bytes. */
export function asciiCharacter(bytes: DataView | null, from: number, to: number, place: number): string | null {
  if (bytes === null || from + place >= to) return null;
  for (let at = from; at < from + place; at++) if (bytes.getUint8(at) > 127) return null;
  const byte = bytes.getUint8(from + place);
  return byte > 127 ? null : ASCII_CHARACTERS[byte];
}
/** From code point `from` to the end. */
export function substringFrom(text: string, from: number): string {
  const start = offsetOf(text, from);
  return start < 0 ? noSuchIndex(`substring(${from}) of a text of ${sizeOf(text)} characters`) : text.slice(start);
}
/** One code point; behind the last one lies "". */
export function charAt(text: string, place: number): string {
  const start = offsetOf(text, place);
  if (start < 0) noSuchIndex(`charAt(${place}) of a text of ${sizeOf(text)} characters`);
  return start >= text.length ? "" : String.fromCodePoint(text.codePointAt(start)!);
}
/** Place of the first occurrence at or behind `from`, or -1. */
export function indexOf(text: string, part: string, from: number): number {
  const start = offsetOf(text, from);
  if (start < 0) noSuchIndex(`indexOf from ${from} in a text of ${sizeOf(text)} characters`);
  const found = text.indexOf(part, start);
  return found < 0 ? -1 : sizeOf(text.slice(0, found));
}
/** Place of the last occurrence that starts at or before `from`, or -1. */
export function lastIndexOf(text: string, part: string, from: number): number {
  const start = offsetOf(text, from);
  if (start < 0) noSuchIndex(`lastIndexOf from ${from} in a text of ${sizeOf(text)} characters`);
  const found = text.lastIndexOf(part, start);
  return found < 0 ? -1 : sizeOf(text.slice(0, found));
}
/** Place of the last occurrence, or -1. */
export function lastIndex(text: string, part: string): number {
  const found = text.lastIndexOf(part);
  return found < 0 ? -1 : sizeOf(text.slice(0, found));
}
/** Only A to Z change. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
/** Only a to z change. */
export function upperAscii(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}
const EDGES = /^\p{White_Space}+|\p{White_Space}+$/gu;
/** Without white space, as Unicode defines it, at both ends. */
export function trim(text: string): string {
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  const plain = first > 0x20 && first < 0x7f && last > 0x20 && last < 0x7f;
  return plain || text === "" ? text : text.replace(EDGES, "");
}
/** The first `most` occurrences replaced; all of them when `most` is negative. An empty `part` stands between all code points. */
export function replace(text: string, part: string, by: string, most: number): string {
  if (most === 0) return text;
  if (most < 0 && part !== "") return boundedText(text.replaceAll(part, () => by));
  const pieces = part === "" ? ["", ...text, ""] : text.split(part);
  const places = Math.min(most < 0 ? pieces.length : most, pieces.length - 1);
  let result = pieces[0];
  for (let i = 1; i < pieces.length; i++) {
    // Between code points nothing was cut out, so behind the last replacement nothing goes back in.
    result += (i <= places ? by : part) + pieces[i];
    if (result.length > text.length) boundedText(result);
  }
  return result;
}
/** The parts between `separator`, at most `most` of them (the last one keeps the rest); any number when `most` is negative. */
export function split(text: string, separator: string, most: number): string[] {
  if (most === 0) return [];
  if (most === 1) return [text];
  const parts = separator === "" ? [...text] : text.split(separator);
  if (most < 0 || parts.length <= most) return parts;
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}
/** The parts with `separator` between them. */
export function join(parts: readonly string[], separator: string): string {
  return boundedText(parts.join(separator));
}
/** Code points back to front. */
export function reverse(text: string): string {
  return [...text].reverse().join("");
}
/** a + b, bounded. */
export function concat(left: string, right: string): string {
  return boundedText(left + right);
}
/**
 * The order of code points, which is that of UTF-8 bytes. JavaScript orders UTF-16 units, where surrogates stand before
 * U+E000: only a difference in that region needs correcting.
 */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a === b) continue;
    if (a >= 0xd800 && b >= 0xd800 && (a <= 0xdfff) !== (b <= 0xdfff)) return a <= 0xdfff ? 1 : -1;
    return a < b ? -1 : 1;
  }
  return left.length - right.length;
}
