/** What the codec tests share: types to try, records from text, and the values of what was decoded. */
import { cell } from "../../src/data/columns.ts";
import type { Decoded, Decoder, DecoderSpec, Records, RecordWrapper } from "../../src/data/codec.ts";
import { DecodedColumns } from "../../src/data/decoded_columns.ts";
import {
  BOOL,
  DATE,
  decimalOf,
  DOUBLE,
  DURATION,
  type Field,
  INT,
  listOf,
  type RecordType,
  STRING,
  TIMESTAMP,
  type Type,
  withNull,
} from "../../src/data/types.ts";

/** Printed with every failure by fast-check; a failing run repeats with it. */
export const SEED = 20251121;

export const JSON_TYPE: Type = { kind: "json", nullable: false };

/** The transactions of the card workload. */
export const TRANSACTION: RecordType = {
  fields: [
    { name: "transaction_id", type: INT },
    { name: "card_id", type: INT },
    { name: "merchant_name", type: STRING },
    { name: "timestamp", type: TIMESTAMP, format: "yyyy-MM-dd HH:mm:ss", zone: "UTC" },
    { name: "amount", type: decimalOf(2) },
    { name: "location", type: STRING },
    { name: "transaction_type", type: STRING },
    { name: "related_transaction_id", type: withNull(INT) },
  ],
};

/** One field of every type, with and without null. */
export const EVERYTHING: RecordType = {
  fields: [
    { name: "i", type: INT },
    { name: "in", type: withNull(INT) },
    { name: "d0", type: decimalOf(0) },
    { name: "d2", type: decimalOf(2) },
    { name: "d2n", type: withNull(decimalOf(2)) },
    { name: "x", type: DOUBLE },
    { name: "xn", type: withNull(DOUBLE) },
    { name: "s", type: STRING },
    { name: "sn", type: withNull(STRING) },
    { name: "kind", type: STRING, oneOf: ["a", "bé", 'c"d'] },
    { name: "kindn", type: withNull(STRING), oneOf: ["a", "b"] },
    { name: "b", type: BOOL },
    { name: "bn", type: withNull(BOOL) },
    { name: "t", type: TIMESTAMP },
    { name: "tn", type: withNull(TIMESTAMP), format: "yyyy-MM-dd HH:mm:ss", zone: "Europe/Berlin" },
    { name: "day", type: DATE },
    { name: "dayn", type: withNull(DATE), format: "dd.MM.yyyy" },
    { name: "span", type: DURATION },
    { name: "list", type: listOf(withNull(decimalOf(1))) },
    { name: "map", type: { kind: "map", key: STRING, value: INT, nullable: true } },
    {
      name: "struct",
      type: { kind: "struct", nullable: true, fields: [{ name: "p", type: INT }, { name: "q", type: withNull(STRING), oneOf: ["u"] }] },
    },
    { name: "json", type: withNull(JSON_TYPE) },
  ],
};

const encoder = new TextEncoder();

export function specOf(type: RecordType, options: Partial<DecoderSpec> = {}): DecoderSpec {
  return {
    type,
    needed: new Set(type.fields.map((field) => field.name)),
    numericText: "accept",
    unknownFields: "ignore",
    ...options,
  };
}
export function fieldsOf(fields: Readonly<Record<string, Type | Omit<Field, "name">>>): RecordType {
  return { fields: Object.entries(fields).map(([name, field]) => "kind" in field ? { name, type: field } : { name, ...field }) };
}

/** Records side by side, with bytes between them that belong to none. */
export function recordsOf(texts: readonly (string | Uint8Array)[], between = "\n"): Records {
  const parts = texts.map((text) => typeof text === "string" ? encoder.encode(text) : text);
  const gap = encoder.encode(between);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length + gap.length, gap.length));
  const start = new Int32Array(parts.length);
  const end = new Int32Array(parts.length);
  let at = gap.length;
  bytes.set(gap);
  for (const [i, part] of parts.entries()) {
    start[i] = at;
    bytes.set(part, at);
    end[i] = at += part.length;
    bytes.set(gap, at);
    at += gap.length;
  }
  return { bytes, start, end, rows: parts.length };
}

/** By row: the values of the needed fields, or the reject code. */
export type Rows = (string | Readonly<Record<string, unknown>>)[];

export function rowsOf(spec: DecoderSpec, decoded: Decoded, rows: number): Rows {
  const bad = new Map(decoded.bad.map(({ row, reason }) => [row, reason]));
  return Array.from({ length: rows }, (_, row) => {
    const reason = bad.get(row);
    if (reason !== undefined) return reason;
    const values: Record<string, unknown> = {};
    for (const [i, { name, type }] of spec.type.fields.entries()) {
      const column = decoded.columns[i];
      if (column !== null) values[name] = cell(column, type, row);
    }
    return values;
  });
}
export function decodeAll(spec: DecoderSpec, decode: Decoder, texts: readonly (string | Uint8Array)[], between = "\n"): Rows {
  return rowsOf(spec, decode(recordsOf(texts, between)), texts.length);
}

/** A decoder that never leaves the slow path. */
export function slowDecoder(spec: DecoderSpec, slow: (columns: DecodedColumns, row: number) => string | null): Decoder {
  return (records) => {
    const columns = new DecodedColumns(spec, records);
    const bad: { row: number; reason: string }[] = [];
    for (let row = 0; row < records.rows; row++) {
      const reason = slow(columns, row);
      if (reason !== null) bad.push({ row, reason });
    }
    return columns.finish(bad);
  };
}

/** Records are lines; each appends where its line end stands. */
export function lineWrapper(ends: number[]): RecordWrapper {
  return {
    room: () => 1,
    open: (_target, _view, at) => at,
    close: (target, _view, at) => {
      target[at] = 10;
      ends.push(at);
      return at + 1;
    },
  };
}
