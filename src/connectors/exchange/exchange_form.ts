/**
 * How rows look in a topic between two stages of a pipeline: one JSON object per record, so that others can read it too.
 *
 *   row    {"@source":"payments","@partition":0,"@position":17,"@origin":17,"@time":"2026-01-01T00:00:00Z","customer":"c1","amount":84.10}
 *   told   {"@lane":1,"@lanes":4,"@watermark":1767225599000000,"@state":"active"}
 *
 * A row says where it was read and, where it has one, its event time; a partition of -1 - N says that the row of partition N is no
 * more. Of a row's own fields only those are there that are read behind the topic. The other kind of record tells how far the event
 * time of a writing lane has come: "active", "idle" (not waited for) or "ended"; without a watermark it has seen no time yet.
 * Invariant: what is written is read back to the same values: decimals and whole numbers exactly, timestamps to the µs.
 */
import type { DecoderSpec } from "../../data/codec.ts";
import { type Field, INT, type RecordType, STRING, TIMESTAMP, type Type, withNull } from "../../data/types.ts";

/** Field names that no field of a record has: no expression could name them. */
const PLACE: readonly Field[] = ["@source", "@partition", "@position", "@origin"].map((name) => ({
  name,
  type: name === "@source" ? STRING : INT,
}));
const TIME: Field = { name: "@time", type: TIMESTAMP };

/** Records begin with one of these, which differ in the byte at KIND_AT. */
export const ROW_START = `{"@source":`;
export const TOLD_START = `{"@lane":`;
export const KIND_AT = 3;
export const TOLD_KIND = TOLD_START.charCodeAt(KIND_AT);
/** Ends the part of a row that says source and partition. */
export const PLACE_END = `,"@position":`;

export const TOLD_TYPE: RecordType = {
  fields: [
    { name: "@lane", type: INT },
    { name: "@lanes", type: INT },
    { name: "@watermark", type: withNull(INT) },
    { name: "@state", type: STRING },
  ],
};

/** What goes through a topic, and where each part of it lies. */
export interface ExchangeForm {
  /** Of the rows at both ends. */
  readonly type: RecordType;
  /** Of the records: place, time, carried fields. */
  readonly record: RecordType;
  /** How records are decoded; one object, so that the decoders of all partitions share their code. */
  readonly decoding: DecoderSpec;
  readonly timed: boolean;
  /** By carried field: its place in `type`. They follow one another in `record`, from `fieldsAt` on. */
  readonly carried: readonly number[];
  readonly fieldsAt: number;
}

export function exchangeForm(type: RecordType, carried: ReadonlySet<string>, timed: boolean): ExchangeForm {
  const indexes = type.fields.flatMap(({ name }, index) => carried.has(name) ? [index] : []);
  const head = timed ? [...PLACE, TIME] : PLACE;
  const fields = [...head, ...indexes.map((index) => bare(type.fields[index]))];
  const needed = new Set(fields.map(({ name }) => name));
  const decoding: DecoderSpec = { type: { fields }, needed, numericText: "reject", unknownFields: "ignore" };
  return { type, record: { fields }, decoding, timed, carried: indexes, fieldsAt: head.length };
}

/** The field without the text form that a user wished: it might lose digits. */
const bare = ({ name, type }: Field): Field => ({ name, type: bareType(type) });

function bareType(type: Type): Type {
  switch (type.kind) {
    case "struct":
      return { ...type, fields: type.fields.map(bare) };
    case "list":
      return { ...type, item: bareType(type.item) };
    case "map":
      return { ...type, value: bareType(type.value) };
    default:
      return type;
  }
}
