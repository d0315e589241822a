/**
 * The values of single fields in text: what a CSV field or a JSON string says, by the field's type. Invariant: this is the one
 * place that knows which text is which value; fast and slow paths of both codecs ask here.
 */
import { type NumberForm, parseDecimalBytes, parseDoubleBytes } from "./decimal.ts";
import { parseDuration } from "./duration.ts";
import { NOT_THE_TYPE } from "./parse_failure.ts";
import { dateText, timestampText, type TimeText } from "./time_text.ts";
import type { Field } from "./types.ts";

/** The number that bytes[from, to) stand for, or a failure of parse_failure.ts. */
export type NumberReader = (bytes: Uint8Array, from: number, to: number) => number;

const decoder = new TextDecoder();
const DURATION_BYTES_MAX = 64;

/** How a field whose column is numeric is read from text; null for the other types. "text" and "json": see decimal.ts. */
export function numberReader(field: Field, form: NumberForm): NumberReader | null {
  const { type } = field;
  switch (type.kind) {
    case "int":
      return (bytes, from, to) => parseDecimalBytes(bytes, from, to, 0, form);
    case "decimal": {
      const { scale } = type;
      return (bytes, from, to) => parseDecimalBytes(bytes, from, to, scale, form);
    }
    case "double":
      return (bytes, from, to) => parseDoubleBytes(bytes, from, to, form);
    case "bool":
      return readBool;
    case "timestamp":
    case "date":
      return timeTextOf(field)!.parseBytes;
    case "duration":
      return readDuration;
    default:
      return null;
  }
}

/** The text of a field's timestamps or dates; null for other types. */
export function timeTextOf(field: Field): TimeText | null {
  if (field.type.kind === "timestamp") return timestampText(field.format, field.zone);
  return field.type.kind === "date" ? dateText(field.format) : null;
}

function readBool(bytes: Uint8Array, from: number, to: number): number {
  if (to - from === 4) return isText(bytes, from, TRUE) ? 1 : NOT_THE_TYPE;
  return to - from === 5 && isText(bytes, from, FALSE) ? 0 : NOT_THE_TYPE;
}
const TRUE = new TextEncoder().encode("true");
const FALSE = new TextEncoder().encode("false");

function readDuration(bytes: Uint8Array, from: number, to: number): number {
  return to - from > DURATION_BYTES_MAX ? NOT_THE_TYPE : parseDuration(decoder.decode(bytes.subarray(from, to)));
}

/** Whether `text` stands at `from`. */
function isText(bytes: Uint8Array, from: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}

/** Whether bytes[from, to) are one of the texts. */
export function isOneOf(bytes: Uint8Array, from: number, to: number, texts: readonly Uint8Array[]): boolean {
  for (const text of texts) if (text.length === to - from && isText(bytes, from, text)) return true;
  return false;
}
