/**
 * Strings of JSON (RFC 8259 section 7) between their quotes. Invariant: text in columns is UTF-8, so an escape that names half a
 * surrogate pair is refused: it has no UTF-8.
 */
import type { ByteWriter } from "../codec.ts";

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * What a byte means inside a JSON string: 0 itself, 1 part of a character beyond ASCII, 2 the closing quote, 3 an escape,
 * 4 not allowed.
 */
export const STRING_BYTES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === QUOTE) return 2;
  if (byte === BACKSLASH) return 3;
  return byte < 32 ? 4 : byte < 128 ? 0 : 1;
});

/** The position of the quote that ends the string whose body starts at `from`, or -1. */
export function closingQuote(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
    else if (byte < 32) return -1;
  }
  return -1;
}

/** Bytes that stand behind a backslash for one other byte. */
const SINGLE = new Uint8Array(128);
for (const [name, byte] of [['"', 34], ["\\", 92], ["/", 47], ["b", 8], ["f", 12], ["n", 10], ["r", 13], ["t", 9]] as const) {
  SINGLE[name.charCodeAt(0)] = byte;
}

/** Appends the string body bytes[from, to) with its escapes resolved; false when an escape is none. Never longer than the body. */
export function unescape(bytes: Uint8Array, from: number, to: number, into: ByteWriter): boolean {
  into.reserve(to - from);
  const target = into.bytes;
  let length = into.length;
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte !== BACKSLASH) {
      target[length++] = byte;
      continue;
    }
    const name = bytes[++at];
    if (at < to && name < 128 && SINGLE[name] !== 0) {
      target[length++] = SINGLE[name];
      continue;
    }
    if (at >= to || name !== 117) return false;
    let code = hex4(bytes, at + 1, to);
    at += 4;
    if (code < 0 || (code >= 0xdc00 && code <= 0xdfff)) return false;
    if (code >= 0xd800 && code <= 0xdbff) {
      const low = bytes[at + 1] === BACKSLASH && bytes[at + 2] === 117 ? hex4(bytes, at + 3, to) : -1;
      if (low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + (code - 0xd800) * 0x400 + (low - 0xdc00);
      at += 6;
    }
    length = putCodePoint(target, length, code);
  }
  into.length = length;
  return true;
}
/** Behind the escape whose backslash stands at `at`, or -1 where `unescape` would refuse it. */
export function skipEscape(bytes: Uint8Array, at: number, to: number): number {
  const name = bytes[at + 1];
  if (at + 1 < to && name < 128 && SINGLE[name] !== 0) return at + 2;
  if (at + 1 >= to || name !== 117) return -1;
  const code = hex4(bytes, at + 2, to);
  if (code < 0 || (code >= 0xdc00 && code <= 0xdfff)) return -1;
  if (code < 0xd800 || code > 0xdbff) return at + 6;
  const low = bytes[at + 6] === BACKSLASH && bytes[at + 7] === 117 ? hex4(bytes, at + 8, to) : -1;
  return low < 0xdc00 || low > 0xdfff ? -1 : at + 12;
}
function hex4(bytes: Uint8Array, at: number, to: number): number {
  if (at + 4 > to) return -1;
  let code = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i];
    const lower = byte | 32;
    const digit = byte >= 48 && byte <= 57 ? byte - 48 : lower >= 97 && lower <= 102 ? lower - 87 : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}
function putCodePoint(target: Uint8Array, at: number, code: number): number {
  if (code < 0x80) target[at++] = code;
  else if (code < 0x800) {
    target[at++] = 0xc0 | code >> 6;
    target[at++] = 0x80 | code & 63;
  } else if (code < 0x10000) {
    target[at++] = 0xe0 | code >> 12;
    target[at++] = 0x80 | code >> 6 & 63;
    target[at++] = 0x80 | code & 63;
  } else {
    target[at++] = 0xf0 | code >> 18;
    target[at++] = 0x80 | code >> 12 & 63;
    target[at++] = 0x80 | code >> 6 & 63;
    target[at++] = 0x80 | code & 63;
  }
  return at;
}
