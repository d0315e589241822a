/** What differs between CSV and NDJSON: splitting, decoding, encoding, the header. */
import { compileCsvDecoder, compileCsvRowsEncoder, csvHeader, splitCsv } from "../../data/csv/mod.ts";
import type { Decoder, DecoderSpec, RowsEncoder, Split } from "../../data/codec.ts";
import { compileJsonDecoder, compileJsonRowsEncoder, splitLines } from "../../data/json/mod.ts";
import type { RecordType } from "../../data/types.ts";

export type FileFormat = "csv" | "ndjson";
export type LineEnd = "lf" | "crlf";

export interface EncodingOptions {
  readonly format: FileFormat;
  readonly columns: readonly string[];
  readonly lineEnd: LineEnd;
  readonly decimals: "number" | "string";
}
export interface Encoding {
  readonly encoder: RowsEncoder;
  /** What a file begins with: the line of column names, or nothing. */
  readonly header: Uint8Array;
  readonly extension: string;
}

/** `type` must have every column. */
export function encodingOf(type: RecordType, { format, columns, lineEnd, decimals }: EncodingOptions): Encoding {
  if (format === "csv") {
    return { encoder: compileCsvRowsEncoder(type, columns, { lineEnd }), header: csvHeader(columns, lineEnd), extension: "csv" };
  }
  return { encoder: projectedJsonEncoder(type, columns, decimals), header: new Uint8Array(0), extension: "ndjson" };
}

/** The JSON encoder writes every field of its type, so it is given a type of the wished ones. */
function projectedJsonEncoder(type: RecordType, columns: readonly string[], decimals: "number" | "string"): RowsEncoder {
  const places = columns.map((name) => type.fields.findIndex((field) => field.name === name));
  const projected: RecordType = { fields: places.map((place) => type.fields[place]) };
  const encode = compileJsonRowsEncoder(projected, { decimals });
  if (places.length === type.fields.length && places.every((place, i) => place === i)) return encode;
  return (batch, from, to, into, ends, at) => {
    encode({ ...batch, type: projected, columns: places.map((place) => batch.columns[place]) }, from, to, into, ends, at);
  };
}

export type Splitter = (bytes: Uint8Array, from: number, to: number, final: "more" | "end", recordBytesMax: number) => Split;

export const splitterOf = (format: FileFormat): Splitter => format === "csv" ? splitCsv : splitLines;

/** `header` holds the column names of a CSV file. */
export function decoderOf(format: FileFormat, spec: DecoderSpec, header: readonly string[]): Decoder {
  return format === "csv" ? compileCsvDecoder(spec, header) : compileJsonDecoder(spec);
}
