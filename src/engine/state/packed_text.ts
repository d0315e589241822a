/**
 * Strings as bytes: one byte per UTF-16 unit while all are below 256, else two. Invariant: every JavaScript string comes back
 * equal, lone surrogates too, and one string has one form, so that packed strings can be compared as bytes.
 */
import type { BinaryWriter } from "../binary.ts";

/** Units and width in one number: `units * 2`, plus 1 for two bytes per unit. */
export type PackedLength = number;

/** Appends the string's bytes and returns their packed length. */
export function packText(writer: BinaryWriter, text: string): PackedLength {
  const units = text.length;
  writer.reserve(units * 2);
  const { bytes, length } = writer;
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 255) return packWide(writer, text);
    bytes[length + i] = unit;
  }
  writer.length = length + units;
  return units * 2;
}

function packWide(writer: BinaryWriter, text: string): PackedLength {
  const { bytes, length } = writer;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[length + 2 * i] = unit;
    bytes[length + 2 * i + 1] = unit >> 8;
  }
  writer.length = length + text.length * 2;
  return text.length * 2 + 1;
}

export const packedBytes = (length: PackedLength): number => (length & 1) === 0 ? length >> 1 : length & ~1;

const UNITS_PER_CALL = 4096;

/** The string of `length` at `bytes[at]`; it shares no memory with anything. A plain array of codes: spreading a typed one costs ten times as much. */
export function unpackText(bytes: Uint8Array, at: number, length: PackedLength): string {
  const units = length >> 1;
  const isWide = (length & 1) === 1;
  let text = "";
  for (let from = 0; from < units; from += UNITS_PER_CALL) {
    const codes = new Array<number>(Math.min(UNITS_PER_CALL, units - from));
    if (isWide) { for (let i = 0, b = at + 2 * from; i < codes.length; i++, b += 2) codes[i] = bytes[b] | bytes[b + 1] << 8; }
    else for (let i = 0; i < codes.length; i++) codes[i] = bytes[at + from + i];
    text += String.fromCharCode.apply(null, codes);
  }
  return text;
}
