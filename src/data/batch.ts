/**
 * A batch of records as columns. Invariant: every column has exactly `rows` entries, in the same order; a column is never
 * written after its batch was handed on, so batches may share columns.
 */
import type { Field, RecordType } from "./types.ts";

/** Numbers: int, decimal, double, timestamp, date, duration, bool (0 or 1). `valid` is null when nothing is null. */
export interface NumberColumn {
  readonly kind: "number";
  readonly values: Float64Array;
  readonly valid: Uint8Array | null;
}
/** Strings as slices [start, end) of UTF-8 bytes; turned into JavaScript strings only where asked. */
export interface TextColumn {
  readonly kind: "text";
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly valid: Uint8Array | null;
  /** The string of one row; rows that are null give null. Cheap for ASCII: one decode per batch, then substrings. */
  at(row: number): string | null;
}
/** Anything else: computed strings, lists, maps, structs, json; null inside. */
export interface ValueColumn {
  readonly kind: "value";
  readonly values: readonly unknown[];
}
export type Column = NumberColumn | TextColumn | ValueColumn;

/** Where records came from; the same length as the batch. */
export interface Meta {
  /** The source's name; after an aggregate or join that makes new rows, that node's name. */
  readonly source: string;
  readonly partition: number;
  /** Place in the source: CSV row number from 1, log offset from 0, table row. `meta.position` in CEL. */
  readonly position: Float64Array;
  /** Place in the producer's own source where a header carried it, else the position. `meta.origin` in CEL. */
  readonly origin: Float64Array;
  /** The record as it was read (without line end); null for made rows, whose rejects are kept as JSON. */
  readonly raw: TextColumn | null;
  /** When each record came in from outside, µs, where the source knows better than the epoch's recorded time. */
  readonly received?: Float64Array | null;
  /** Event time of each row, µs; null where the source has none. */
  readonly time: Float64Array | null;
  /** The lane's watermark just before each row, µs, -Infinity before any; null where it is that of the batch's node. */
  readonly watermark: Float64Array | null;
  /** Which columns `raw` spells out; null where nobody can tell. */
  readonly spelled: SpelledColumns | null;
  /** Rows that say of their key that it is no more: one byte a row, 1 where so. Absent or null: no row does. */
  readonly deleted?: Uint8Array | null;
}
/** Columns that the bytes of `raw` say exactly as an encoder would, in some rows: those bytes can then be copied. */
export interface SpelledColumns {
  readonly fields: readonly Field[];
  /** By field; only a batch's column that is the same object is spelled by `raw`. */
  readonly columns: readonly (Column | null)[];
  /** Per row: bits of data/json/spelling.ts, 0 where the bytes say the fields in some other way. */
  readonly forms: Uint8Array;
}

export interface Batch {
  readonly rows: number;
  readonly type: RecordType;
  /** One per field of `type`; null for a field that nobody downstream reads and that was therefore not decoded. */
  readonly columns: readonly (Column | null)[];
  readonly meta: Meta;
}

/** A record that did not pass. */
export interface Rejected {
  readonly source: string;
  readonly partition: number;
  readonly position: number;
  readonly origin: number;
  /** The node that refused it: a source's or a transform's name. */
  readonly step: string;
  /** A uniform code: json, missing:F, type:F, scale:F, range:F, one_of:F, duplicate:F, too-long, or a `require` name. */
  readonly reason: string;
  /** Its original bytes, which are good for as long as those of the batch that it came with. */
  readonly raw: Uint8Array;
  /** When it came in, µs; absent: at the recorded time of the epoch. */
  readonly receivedMicros?: number;
  /** What refused it, in its own words and without any value; absent: the reason says all. */
  readonly message?: string;
}
