/**
 * One CSV record at a time, by the rules alone: the reference that the compiled decoder must agree with, and where it sends
 * whatever it does not recognise.
 */
import type { DecoderSpec } from "../codec.ts";
import { failureCode } from "../decimal.ts";
import type { DecodedColumns } from "../decoded_columns.ts";
import { isOneOf, numberReader } from "../field_text.ts";
import { converterOf } from "../json/convert.ts";
import { NOT_THIS_TYPE, Refusal } from "../json/refusal.ts";
import { readJson } from "../json/reader.ts";
import type { Field } from "../types.ts";
import { isUtf8 } from "../utf8.ts";
import { type FieldText, splitFields } from "./fields.ts";

/** Gives the run-time value of a CSV field's text, null for null, or a Refusal. */
type TextConverter = (text: FieldText) => unknown;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();
const ONE_OF = new Refusal("one_of");

/** Reads a record into the columns; gives its reject code, null for none. */
export function compileSlowCsv(spec: DecoderSpec, header: readonly string[]): (columns: DecodedColumns, row: number) => string | null {
  const { fields } = spec.type;
  const converters = fields.map((field) => csvConverter(field, spec));
  const places = fields.map((field) => header.indexOf(field.name));
  const unknown = spec.unknownFields === "reject" ? header.find((name) => !fields.some((field) => field.name === name)) : undefined;
  const absent = fields.find((field, i) => places[i] < 0 && !field.type.nullable);
  return (columns, row) => {
    const { bytes, start, end } = columns.records;
    const texts = isUtf8(bytes, start[row], end[row]) ? splitFields(bytes, start[row], end[row]) : null;
    if (texts === null || texts.length !== header.length) return "csv";
    if (unknown !== undefined) return `unknown:${unknown}`;
    for (const [i, field] of fields.entries()) {
      if (field === absent) return `missing:${field.name}`;
      const value = places[i] < 0 ? null : converters[i](texts[places[i]]);
      if (value instanceof Refusal) return value.reason(field.name);
      columns.put(i, row, value);
    }
    return null;
  };
}

/** How a field's text is read: an empty one is null where the type allows it, for strings too. */
export function csvConverter(field: Field, spec: DecoderSpec): TextConverter {
  const convert = filledConverter(field, spec);
  const { nullable } = field.type;
  return (text) => nullable && text.from === text.to ? null : convert(text);
}
function filledConverter(field: Field, spec: DecoderSpec): TextConverter {
  if (field.type.kind === "string") {
    const allowed = field.oneOf?.map((text) => encoder.encode(text));
    return ({ bytes, from, to }) => {
      if (allowed !== undefined && !isOneOf(bytes, from, to, allowed)) return ONE_OF;
      return decoder.decode(bytes.subarray(from, to));
    };
  }
  const reader = numberReader(field, "text");
  if (reader !== null) {
    return ({ bytes, from, to }) => {
      const value = reader(bytes, from, to);
      return value - value === 0 ? value : new Refusal(failureCode(value));
    };
  }
  const convert = converterOf(field, spec);
  return ({ bytes, from, to }) => {
    const node = readJson(bytes, from, to);
    return node === undefined ? NOT_THIS_TYPE : convert(node, bytes);
  };
}
