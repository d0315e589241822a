/**
 * One record at a time, by the rules alone: the reference that the compiled decoder must agree with, and where it sends whatever
 * it does not recognise.
 */
import type { DecoderSpec } from "../codec.ts";
import type { DecodedColumns } from "../decoded_columns.ts";
import { isUtf8 } from "../utf8.ts";
import { membersConverter } from "./convert.ts";
import { Refusal } from "./refusal.ts";
import { readJson } from "./reader.ts";

/** Reads a record into the columns, or tells its reject code; null when it was good. */
export function compileSlowJson(spec: DecoderSpec): (columns: DecodedColumns, row: number) => string | null {
  const convert = membersConverter(spec.type.fields, spec);
  return (columns, row) => {
    const { bytes, start, end } = columns.records;
    const node = isUtf8(bytes, start[row], end[row]) ? readJson(bytes, start[row], end[row]) : undefined;
    if (!(node instanceof Map)) return "json";
    const values = convert(node, bytes);
    if (values instanceof Refusal) return `${values.code}:${values.path.slice(1)}`;
    for (let field = 0; field < values.length; field++) columns.put(field, row, values[field]);
    return null;
  };
}
