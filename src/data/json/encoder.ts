/**
 * Columns to newline-delimited JSON: one object and LF per row, all fields in their order, null written out. Invariant: what is
 * written, the decoder reads back to the same values.
 */
import type { Batch } from "../batch.ts";
import type { Encoder, RecordsEncoder, RowsEncoder } from "../codec.ts";
import { cell } from "../columns.ts";
import { compileEncoder, compileRecordsEncoder, compileRowsEncoder, type EncoderForm } from "../encoder_code.ts";
import { timeTextOf } from "../field_text.ts";
import { epochScale } from "../epoch_format.ts";
import type { Field, RecordType } from "../types.ts";
import { type JsonOptions, jsonText, timestampTextOf } from "../value_text.ts";
import { copyingEncoder, copyingRecordsEncoder, copyingRowsEncoder } from "./copying_encoder.ts";
import { RepeatedTexts } from "./repeated_texts.ts";
import { writtenForm } from "./spelling.ts";
import { putJsonSlice } from "./string_text.ts";

/**
 * Compiles an encoder of all fields of `type`. See JsonOptions for how decimals and timestamps are written. A row whose own bytes say
 * exactly the first fields is written by copying them; that changes no byte (spelling.ts).
 */
export function compileJsonEncoder(type: RecordType, options: JsonOptions = {}): Encoder {
  const { indexes, form, written } = jsonForm(type, options);
  const whole = compileEncoder(type, indexes, form);
  return written === 0
    ? whole
    : copyingEncoder(type, written, whole, (fields) => compileEncoder(type, indexes, form, { fields, form: written }));
}
/** The same for many rows in one call. */
export function compileJsonRowsEncoder(type: RecordType, options: JsonOptions = {}): RowsEncoder {
  const { indexes, form, written } = jsonForm(type, options);
  const whole = compileRowsEncoder(type, indexes, form);
  return written === 0
    ? whole
    : copyingRowsEncoder(type, written, whole, (fields) => compileRowsEncoder(type, indexes, form, { fields, form: written }));
}
/** The same for chosen rows, each wrapped. */
export function compileJsonRecordsEncoder(type: RecordType, options: JsonOptions = {}): RecordsEncoder {
  const { indexes, form, written } = jsonForm(type, options);
  const whole = compileRecordsEncoder(type, indexes, form);
  if (written === 0) return whole;
  return copyingRecordsEncoder(type, written, whole, (fields) => compileRecordsEncoder(type, indexes, form, { fields, form: written }));
}

/** What stands around the values of JSON records, and how they are written. */
export function jsonForm(
  type: RecordType,
  options: JsonOptions,
): { readonly indexes: readonly number[]; readonly form: EncoderForm; readonly written: number } {
  const form: EncoderForm = {
    before: (field, place) => `${place === 0 ? "{" : ","}${JSON.stringify(field.name)}:`,
    end: type.fields.length === 0 ? "{}\n" : "}\n",
    nullText: "null",
    textQuote: '"',
    quoteOf: (field) => isNumber(field, options) ? "" : '"',
    decimalQuote: options.decimals === "string" ? '"' : "",
    timeText: (field) => field.type.kind === "timestamp" ? timestampTextOf(field, options) : timeTextOf(field)!,
    putSlice: putJsonSlice,
    bytesPerByte: 6,
    texts: () => new RepeatedTexts(),
    valueText: (field, value) => jsonText(field, value, options),
  };
  return { indexes: type.fields.map((_, index) => index), form, written: writtenForm(type.fields, options) };
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
