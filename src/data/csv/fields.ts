/**
 * The fields of one CSV record, by RFC 4180 to the letter: a quoted field ends at its closing quote, and a quote inside an unquoted
 * field, a line break outside quotes or text behind a closing quote make the record malformed.
 */
import type { ByteWriter } from "../codec.ts";

const QUOTE = 34;
const COMMA = 44;

/** The text of a field, without quotes: in the record's bytes, or in bytes of its own where quotes were doubled. */
export interface FieldText {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** Outside quotes: 0 an ordinary byte, 1 part of a character beyond ASCII, 2 what ends or spoils the field. */
export const PLAIN_BYTES: Uint8Array = new Uint8Array(256).fill(1, 128);
/** Inside quotes: 0 an ordinary byte, 1 part of a character beyond ASCII, 2 a quote. */
export const QUOTED_BYTES: Uint8Array = new Uint8Array(256).fill(1, 128);
for (const byte of [COMMA, QUOTE, 10, 13]) PLAIN_BYTES[byte] = 2;
QUOTED_BYTES[QUOTE] = 2;

/** All fields of the record bytes[from, to), null when it is malformed. An empty record has one empty field. */
export function splitFields(bytes: Uint8Array, from: number, to: number): FieldText[] | null {
  const fields: FieldText[] = [];
  for (let at = from;; at++) {
    const end = fieldEnd(bytes, at, to);
    if (end < 0) return null;
    fields.push(fieldText(bytes, at, end));
    if (end === to) return fields;
    at = end;
  }
}
/** Where the field starting at `at` ends: at a comma or at `to`; -1 when it is malformed. */
export function fieldEnd(bytes: Uint8Array, at: number, to: number): number {
  if (at >= to || bytes[at] !== QUOTE) {
    while (at < to && PLAIN_BYTES[bytes[at]] !== 2) at++;
    return at === to || bytes[at] === COMMA ? at : -1;
  }
  do {
    at++;
    while (at < to && bytes[at] !== QUOTE) at++;
    if (at === to) return -1;
    at++;
  } while (at < to && bytes[at] === QUOTE);
  return at === to || bytes[at] === COMMA ? at : -1;
}
/** The text of the well-formed field bytes[from, to). */
export function fieldText(bytes: Uint8Array, from: number, to: number): FieldText {
  if (from === to || bytes[from] !== QUOTE) return { bytes, from, to };
  const quote = bytes.indexOf(QUOTE, from + 1);
  if (quote === to - 1) return { bytes, from: from + 1, to: to - 1 };
  const text = new Uint8Array(to - from);
  return { bytes: text, from: 0, to: copyUndoubled(bytes, from + 1, to - 1, text, 0) };
}
/**
 * Appends the text of the quoted field whose text starts at `from`, doubled quotes made single; gives the position of its closing
 * quote, -1 when it has none before `to`.
 */
export function unquote(bytes: Uint8Array, from: number, to: number, into: ByteWriter): number {
  const end = fieldEnd(bytes, from - 1, to);
  if (end < 0) return -1;
  into.reserve(end - from);
  into.length = copyUndoubled(bytes, from, end - 1, into.bytes, into.length);
  return end - 1;
}
function copyUndoubled(bytes: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  for (let i = from; i < to; i++) {
    if (bytes[i] === QUOTE) i++;
    target[at++] = bytes[i];
  }
  return at;
}
