/** Pieces of generated records as bytes. None checks for room: whoever writes a record has made enough. */
import { fragment } from "./line_writer.ts";

const ZERO = 48;
const DASH = 45;
const POINT = 46;
const HEX = fragment("0123456789abcdef");

/** From here on a native copy beats a loop. */
const COPY_LOOP_MAX = 24;

/** Copies `text` to `at`; like all of these it gives the place behind. */
export function copy(bytes: Uint8Array, at: number, text: Uint8Array): number {
  if (text.length > COPY_LOOP_MAX) bytes.set(text, at);
  else for (let i = 0; i < text.length; i++) bytes[at + i] = text[i];
  return at + text.length;
}

/** A UUID of version 4 (RFC 9562) from 122 of 128 drawn bits: 36 bytes. */
export function putUuid(bytes: Uint8Array, at: number, a: number, b: number, c: number, d: number): number {
  putHex(bytes, at, a, 8);
  bytes[at + 8] = DASH;
  putHex(bytes, at + 9, b >>> 16, 4);
  bytes[at + 13] = DASH;
  putHex(bytes, at + 14, (b & 0x0fff) | 0x4000, 4);
  bytes[at + 18] = DASH;
  putHex(bytes, at + 19, (c >>> 16 & 0x3fff) | 0x8000, 4);
  bytes[at + 23] = DASH;
  putHex(bytes, at + 24, c & 0xffff, 4);
  putHex(bytes, at + 28, d, 8);
  return at + 36;
}

function putHex(bytes: Uint8Array, at: number, value: number, digits: number): void {
  for (let i = at + digits - 1, rest = value; i >= at; i--, rest >>>= 4) bytes[i] = HEX[rest & 15];
}

/** A number of at least 0 with at most 9 digits: small enough for machine integers. */
export function putInteger(bytes: Uint8Array, at: number, value: number): number {
  let end = at + 1;
  for (let bound = 10; value >= bound; bound *= 10) end++;
  for (let i = end - 1, rest = value | 0; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return end;
}

/** The shortest text of the same amount, one zero at least: 3521.3, 100.0. */
export function putCents(bytes: Uint8Array, from: number, cents: number): number {
  const whole = Math.floor(cents / 100);
  const rest = cents - whole * 100;
  let at = putInteger(bytes, from, whole);
  bytes[at++] = POINT;
  const tenths = (rest / 10) | 0;
  bytes[at++] = ZERO + tenths;
  if (rest !== tenths * 10) bytes[at++] = ZERO + rest - tenths * 10;
  return at;
}
