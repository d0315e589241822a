/**
 * Columns to newline-delimited JSON: one object and LF per row, all fields in their order, null written out. Invariant: what is
 * written, the decoder reads back to the same values.
 */
import type { Batch } from "../batch.ts";
import type { Encoder, RowsEncoder } from "../codec.ts";
import { cell } from "../columns.ts";
import { compileEncoder, compileRowsEncoder, type EncoderForm } from "../encoder_code.ts";
import { timeTextOf } from "../field_text.ts";
import { epochScale } from "../epoch_format.ts";
import type { Field, RecordType } from "../types.ts";
import { type JsonOptions, jsonText, timestampTextOf } from "../value_text.ts";

/** Compiles an encoder of all fields of `type`. See JsonOptions for how decimals and timestamps are written. */
export function compileJsonEncoder(type: RecordType, options: JsonOptions = {}): Encoder {
  return compileEncoder(type, type.fields.map((_, index) => index), jsonForm(type, options));
}
/** The same for many rows in one call. */
export function compileJsonRowsEncoder(type: RecordType, options: JsonOptions = {}): RowsEncoder {
  return compileRowsEncoder(type, type.fields.map((_, index) => index), jsonForm(type, options));
}

function jsonForm(type: RecordType, options: JsonOptions): EncoderForm {
  return {
    before: (field, place) => `${place === 0 ? "{" : ","}${JSON.stringify(field.name)}:`,
    end: type.fields.length === 0 ? "{}\n" : "}\n",
    nullText: "null",
    quoteOf: (field) => isNumber(field, options) ? "" : '"',
    decimalQuote: options.decimals === "string" ? '"' : "",
    timeText: (field) => field.type.kind === "timestamp" ? timestampTextOf(field, options) : timeTextOf(field)!,
    putSlice: putJsonString,
    bytesPerByte: 6,
    valueText: (field, value) => jsonText(field, value, options),
  };
}

/** A timestamp that is written as a number since 1970. */
function isNumber(field: Field, { timestamps }: JsonOptions): boolean {
  return field.type.kind === "timestamp" && epochScale(timestamps ?? field.format) !== null;
}

/** A row as one JSON object without line end, of those fields that were decoded: how rejects of made rows are kept. */
export function rowJson(batch: Batch, row: number): string {
  const members: string[] = [];
  for (const [index, field] of batch.type.fields.entries()) {
    const column = batch.columns[index];
    if (column === null) continue;
    members.push(`${JSON.stringify(field.name)}:${jsonText(field, cell(column, field.type, row), {})}`);
  }
  return `{${members.join(",")}}`;
}

/** 0: stands for itself; 1: written as \u00xx; otherwise the letter behind the backslash. */
const ESCAPES = new Uint8Array(256).fill(1, 0, 32);
for (const [byte, letter] of [[34, '"'], [92, "\\"], [8, "b"], [12, "f"], [10, "n"], [13, "r"], [9, "t"]] as const) {
  ESCAPES[byte] = letter.charCodeAt(0);
}
const HEX = new TextEncoder().encode("0123456789abcdef");

/** Writes a slice of UTF-8 as a JSON string, quotes included, escaped as JSON.stringify does. */
function putJsonString(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  target[at++] = 34;
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    const escape = ESCAPES[byte];
    if (escape === 0) {
      target[at++] = byte;
      continue;
    }
    target[at++] = 92;
    if (escape !== 1) {
      target[at++] = escape;
      continue;
    }
    target[at++] = 117;
    target[at++] = 48;
    target[at++] = 48;
    target[at++] = HEX[byte >> 4];
    target[at++] = HEX[byte & 15];
  }
  target[at++] = 34;
  return at;
}
