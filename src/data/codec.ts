/**
 * Between bytes and columns: the interfaces of the codecs in data/json and data/csv. Decoders are compiled per schema and set
 * of needed fields; a record that the fast path cannot handle takes the slow one with the same result (DESIGN.md section 2).
 */
import type { Batch, Column } from "./batch.ts";
import type { RecordType } from "./types.ts";

/** Records inside a buffer: [start, end) each, without line end, one behind the other in the order of the rows. */
export interface Records {
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly rows: number;
  /** The key that a record was written under: of one without a value it is all there is. Absent: nobody knows keys. */
  keyOf?(row: number): Uint8Array | null;
}
/** From where the first record begins to where the last one ends. */
export function spanOf({ start, end, rows }: Records): { readonly from: number; readonly to: number } {
  return rows === 0 ? { from: 0, to: 0 } : { from: start[0], to: end[rows - 1] };
}
/** How records that tell changes of a table's rows are taken (data/json/change_decoder.ts). */
export interface ChangeRules {
  /** Deletes are counted and left out, or are rows like others, marked. */
  readonly deletes: "drop" | "pass";
  /** The only field that a delete which is passed on must tell; null: those that every row must. */
  readonly key: string | null;
}
export interface DecoderSpec {
  readonly type: RecordType;
  /** Fields to decode into columns. The others are still checked as strictly as the type says. */
  readonly needed: ReadonlySet<string>;
  readonly numericText: "accept" | "reject";
  readonly unknownFields: "ignore" | "reject";
  /** JSON: records are changes of rows, as Debezium writes them. Absent: they are rows. */
  readonly changes?: ChangeRules;
}
/** `Decoded.deleted` of a row that goes on, and of one that is only counted. */
export const DELETE_PASSED = 1;
export const DELETE_DROPPED = 2;

/** A record that is refused, with its uniform reason code. */
export interface BadRow {
  readonly row: number;
  readonly reason: string;
}

export interface Decoded {
  /** By field of the type; null where not needed. Entries of bad rows are meaningless. */
  readonly columns: readonly (Column | null)[];
  /** Ascending. */
  readonly bad: readonly BadRow[];
  /**
   * Per row, the forms (data/json/spelling.ts) in which an encoder of all fields would write exactly the record's own bytes;
   * null where no row has one.
   */
  readonly spelled: Uint8Array | null;
  /** Per row: DELETE_PASSED, DELETE_DROPPED, or 0 where it is no delete. Absent or null: no row is one. */
  readonly deleted?: Uint8Array | null;
}
export type Decoder = (records: Records) => Decoded;

/** Splits a buffer into records. `consumed` bytes were cut off; the rest waits for more input. `tooLong` lists rows over the limit. */
export interface Split {
  readonly records: Records;
  readonly consumed: number;
  readonly tooLong: readonly number[];
}

/** Bytes under construction, grown by doubling. */
export interface ByteWriter {
  readonly bytes: Uint8Array;
  /** Of the same bytes. */
  readonly view: DataView;
  length: number;
  /** Makes room for `more` bytes behind `length`. */
  reserve(more: number): void;
}
/** Appends row `row` of the batch, line end included. */
export type Encoder = (batch: Batch, row: number, into: ByteWriter) => void;
/**
 * What stands around the value of each record that a RecordsEncoder writes. The functions write at a position into room that the caller
 * reserved, and give the position behind.
 */
export interface RecordWrapper {
  /** Bytes that it takes around the value of this row, at most. */
  room(row: number): number;
  /** Writes what stands in front of the value. */
  open(target: Uint8Array, view: DataView, at: number, row: number): number;
  /** Writes what stands behind the value, which ends at `at`, and whatever could not be known in front of it. */
  close(target: Uint8Array, view: DataView, at: number, row: number): number;
}
/**
 * Appends the rows `rows[from, to)` of the batch without line ends, each wrapped, up to the one behind which `into` holds more than
 * `bytesMax`. Gives the index behind the last one.
 */
export type RecordsEncoder = (
  batch: Batch,
  rows: Int32Array,
  from: number,
  to: number,
  into: ByteWriter,
  wrapper: RecordWrapper,
  bytesMax: number,
) => number;
/** Appends rows [from, to) of the batch, line ends included. Where each ends in `into` goes to `ends`, from index `at` on. */
export type RowsEncoder = (batch: Batch, from: number, to: number, into: ByteWriter, ends: Uint32Array, at: number) => void;
