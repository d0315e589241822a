/**
 * Columns to CSV (RFC 4180). Invariant: quotes stand only around fields that contain a comma, a quote, CR or LF, and around the
 * empty field of a one-column file, whose line would otherwise be none.
 */
import type { Encoder, RowsEncoder } from "../codec.ts";
import { compileEncoder, compileRowsEncoder, type EncoderForm } from "../encoder_code.ts";
import { assert, MillraceError } from "../fault.ts";
import { timeTextOf } from "../field_text.ts";
import type { Field, RecordType } from "../types.ts";
import { jsonText } from "../value_text.ts";

/** What ends a line: LF or CR LF. */
export type LineEnd = "lf" | "crlf";
const LINE_ENDS: Readonly<Record<LineEnd, string>> = { lf: "\n", crlf: "\r\n" };
interface CsvOptions {
  /** Default: LF. */
  readonly lineEnd?: LineEnd;
}

/**
 * Compiles an encoder of the named columns of `type`, in that order. Null is nothing between two commas; decimals have exactly their
 * scale; times have their field's own format, default RFC 3339; lists, maps, structs and json are JSON text.
 */
export function compileCsvEncoder(type: RecordType, columns: readonly string[], options: CsvOptions = {}): Encoder {
  const { indexes, form } = csvForm(type, columns, options);
  return compileEncoder(type, indexes, form);
}
/** The same for many rows in one call. */
export function compileCsvRowsEncoder(type: RecordType, columns: readonly string[], options: CsvOptions = {}): RowsEncoder {
  const { indexes, form } = csvForm(type, columns, options);
  return compileRowsEncoder(type, indexes, form);
}

function csvForm(
  type: RecordType,
  columns: readonly string[],
  { lineEnd }: CsvOptions,
): { readonly indexes: readonly number[]; readonly form: EncoderForm } {
  const indexes = columns.map((name) => type.fields.findIndex((field) => field.name === name));
  assert(indexes.every((index) => index >= 0), `the columns ${columns.join(", ")} are fields of the type`);
  assert(columns.length > 0, "a CSV file has a column");
  const alone = columns.length === 1;
  const form: EncoderForm = {
    before: (_, place) => place === 0 ? "" : ",",
    end: LINE_ENDS[lineEnd ?? "lf"],
    nullText: alone ? '""' : "",
    quoteOf: timeQuote,
    decimalQuote: "",
    timeText: (field) => timeTextOf(field)!,
    putSlice: alone ? putFilledField : putField,
    bytesPerByte: 2,
    valueText: (field, value) => {
      const text = field.type.kind === "string" ? value as string : jsonText(field, value, {});
      return alone && text === "" ? '""' : quoted(text);
    },
  };
  return { indexes, form };
}
/** The header line. */
export function csvHeader(columns: readonly string[], lineEnd: LineEnd = "lf"): Uint8Array {
  return new TextEncoder().encode(columns.map(quoted).join(",") + LINE_ENDS[lineEnd]);
}

/** A pattern may put commas into times; then all of them are quoted. */
function timeQuote(field: Field): string {
  const sample = timeTextOf(field)?.format(0) ?? "";
  if (sample.includes('"')) {
    throw new MillraceError("csv_time_pattern", `The time pattern ${field.format} of ${field.name} has a quote, which CSV cannot take.`, {
      hint: "Leave the quote out of the pattern.",
    });
  }
  return /[,\r\n]/.test(sample) ? '"' : "";
}
function quoted(text: string): string {
  return /[,"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** 1 for the bytes that need quotes around their field. */
const SPECIAL = new Uint8Array(256);
SPECIAL[34] =
  SPECIAL[44] =
  SPECIAL[10] =
  SPECIAL[13] =
    1;

/** Copies while looking; starts again with quotes at the first byte that needs them. What was read from quotes mostly needs them again. */
function putField(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  if (from > 0 && bytes[from - 1] === 34) return putLikelyQuoted(target, at, bytes, from, to);
  const shift = at - from;
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    if (SPECIAL[byte] !== 0) return putQuoted(target, at, bytes, from, to);
    target[i + shift] = byte;
  }
  return to + shift;
}
/** V8 compiles putField into every encoder; what it sees here it need not learn at a first quote, at the cost of compiling those again. */
const SAMPLE = new TextEncoder().encode('a"b');
for (let i = 0; i < 32; i++) putField(new Uint8Array(8), 0, SAMPLE, i % 3, 3);

function putFilledField(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  return from === to ? putQuoted(target, at, bytes, from, to) : putField(target, at, bytes, from, to);
}
function putLikelyQuoted(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  let end = at + 1;
  let special = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    special |= SPECIAL[byte];
    if (byte === 34) target[end++] = 34;
    target[end++] = byte;
  }
  if (special === 0) {
    target.copyWithin(at, at + 1, end);
    return end - 1;
  }
  target[at] = 34;
  target[end] = 34;
  return end + 1;
}
function putQuoted(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number {
  target[at++] = 34;
  for (let i = from; i < to; i++) {
    const byte = bytes[i];
    if (byte === 34) target[at++] = 34;
    target[at++] = byte;
  }
  target[at++] = 34;
  return at;
}
