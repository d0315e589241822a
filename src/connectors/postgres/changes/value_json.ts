/**
 * A column's texts, as the server sends them, as JSON for the decoder. Invariant: no digit is lost on the way; what does not fit its
 * field is refused by the decoder, under the same code as in any other source. The rules are those of column_json.ts, on bytes.
 */
import { putBytes, writeBytes, writeText } from "../../../data/bytes.ts";
import type { ByteWriter } from "../../../data/codec.ts";
import type { Type } from "../../../data/types.ts";
import { jsonOrText } from "../../sql/json_rows.ts";
import { arrayJson } from "./array_json.ts";

/** Appends the JSON of the value whose text is bytes[from, to). */
export type ValueJson = (bytes: Uint8Array, from: number, to: number, into: ByteWriter) => void;

const NUMBERS = new Set(["int2", "int4", "int8", "oid", "numeric", "float4", "float8"]);
const INTEGERS = new Set(["int2", "int4", "int8", "oid"]);
const TIMES = new Set(["timestamp", "timestamptz"]);
const JSONS = new Set(["json", "jsonb"]);
/** Digits of a second's fraction in the pattern by which times are read (row_text.ts). */
const SECOND_DECIMALS = 6;

const decoder = new TextDecoder();
const [QUOTE, BACKSLASH, DOT, PLUS, ZERO, NINE] = [...'"\\.+09'].map((letter) => letter.charCodeAt(0));
const HEX = new TextEncoder().encode("0123456789abcdef");

/** How values of a column of this type become JSON for a field. */
export function valueJson(field: Type["kind"], column: string): ValueJson {
  if (column === "bool") return (bytes, from, _, into) => writeText(into, bytes[from] === 0x74 ? "true" : "false");
  if (field === "bool" && INTEGERS.has(column)) return numberAsBool;
  if (NUMBERS.has(column)) return number;
  if (field === "timestamp" && TIMES.has(column)) return time;
  const isNested = field === "list" || field === "map" || field === "struct" || field === "json";
  if (isNested && JSONS.has(column)) return json;
  if (isNested && column.startsWith("_")) {
    const item = itemText(column.slice(1));
    return (bytes, from, to, into) => writeText(into, arrayJson(decoder.decode(bytes.subarray(from, to)), item));
  }
  if (isNested) return (bytes, from, to, into) => writeText(into, jsonOrText(decoder.decode(bytes.subarray(from, to))));
  return text;
}

/** A JSON string. */
export function text(bytes: Uint8Array, from: number, to: number, into: ByteWriter): void {
  into.reserve(6 * (to - from) + 2);
  const target = into.bytes;
  let at = into.length;
  target[at++] = QUOTE;
  let copied = from;
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    if (byte >= 32 && byte !== QUOTE && byte !== BACKSLASH) continue;
    at = putBytes(target, at, bytes, copied, i);
    copied = i + 1;
    target[at++] = BACKSLASH;
    if (byte >= 32) target[at++] = byte;
    else {
      // "u00" and two hexadecimal digits.
      target[at++] = 0x75;
      target[at++] = ZERO;
      target[at++] = ZERO;
      target[at++] = HEX[byte >> 4];
      target[at++] = HEX[byte & 15];
    }
  }
  at = putBytes(target, at, bytes, copied, to);
  target[at++] = QUOTE;
  into.length = at;
}

/** NaN and infinities are no numbers of JSON; as texts they are refused. */
function number(bytes: Uint8Array, from: number, to: number, into: ByteWriter): void {
  const last = bytes[to - 1];
  if (last >= ZERO && last <= NINE) writeBytes(into, bytes, from, to);
  else text(bytes, from, to, into);
}

function numberAsBool(bytes: Uint8Array, from: number, to: number, into: ByteWriter): void {
  const digit = to - from === 1 ? bytes[from] - ZERO : -1;
  if (digit === 0 || digit === 1) writeText(into, digit === 1 ? "true" : "false");
  else number(bytes, from, to, into);
}

/** "2025-01-02 03:04:05.5+00" with all its decimals and without the zone, which is UTC; anything else as it is, and then refused. */
function time(bytes: Uint8Array, from: number, to: number, into: ByteWriter): void {
  const isUtc = to - from > 3 && bytes[to - 3] === PLUS && bytes[to - 2] === ZERO && bytes[to - 1] === ZERO;
  const end = isUtc ? to - 3 : to;
  const dot = bytes.indexOf(DOT, from);
  const hasFraction = dot >= 0 && dot < end;
  into.reserve(end - from + SECOND_DECIMALS + 3);
  const target = into.bytes;
  let at = into.length;
  target[at++] = QUOTE;
  at = putBytes(target, at, bytes, from, end);
  if (!hasFraction) target[at++] = DOT;
  for (let decimals = hasFraction ? end - dot - 1 : 0; decimals < SECOND_DECIMALS; decimals++) target[at++] = ZERO;
  target[at++] = QUOTE;
  into.length = at;
}

/** The server keeps only what is JSON. In `json` it keeps blanks too, and a record is one line. */
function json(bytes: Uint8Array, from: number, to: number, into: ByteWriter): void {
  into.reserve(to - from);
  const target = into.bytes;
  let at = into.length;
  for (let i = from; i < to; i++) target[at++] = bytes[i] < 32 ? 32 : bytes[i];
  into.length = at;
}

function itemText(column: string): (item: string) => string {
  if (column === "bool") return (item) => item === "t" ? "true" : "false";
  if (NUMBERS.has(column)) return (item) => /\d$/.test(item) ? item : JSON.stringify(item);
  if (JSONS.has(column)) return jsonOrText;
  return (item) => JSON.stringify(item);
}
