/**
 * From records to what a source hands on: a batch of the good rows, and the others as rejects with their own bytes.
 * Invariant: every record is in exactly one of the two, or is a delete that is only counted.
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { type Decoder, DELETE_DROPPED, type Records } from "../data/codec.ts";
import { makeMeta, select, SharedText, textColumn } from "../data/columns.ts";
import type { RecordType } from "../data/types.ts";
import type { LaneTime } from "../engine/contracts.ts";

export interface RecordOrigin {
  /** The source's name; also the step that rejects. */
  readonly source: string;
  readonly partition: number;
  readonly type: RecordType;
}
export interface PlacedRecords {
  readonly records: Records;
  /** Per record; of the same length as the records. */
  readonly position: Float64Array;
  readonly origin: Float64Array;
  /** When each came in, µs, where that was kept. */
  readonly received?: Float64Array;
  /** Ascending rows over the length limit. */
  readonly tooLong: readonly number[];
  /** Rows that are refused for what else was found while cutting. */
  readonly refused?: readonly { readonly row: number; readonly reason: string }[];
}

export interface SourceBatch {
  readonly batch: Batch;
  readonly rejected: readonly Rejected[];
  /** Records that tell deletes and are not passed on. */
  readonly deletes: number;
}
/** Makes rows of what a reader of a topic found. */
export interface RowMaker {
  /** Takes records from the first on, at least one. */
  make(placed: PlacedRecords): MadeRows;
}
export interface MadeRows extends SourceBatch {
  /** How many records were taken. */
  readonly taken: number;
  /** How many of those are rows, rejects or deletes. */
  readonly read: number;
  readonly told?: readonly LaneTime[];
}

/** Every record is a row, a reject or a delete. */
export function plainRows(origin: RecordOrigin, decode: Decoder): RowMaker {
  return {
    make(placed) {
      const { rows } = placed.records;
      return { ...sourceBatch(origin, placed, decode), taken: rows, read: rows };
    },
  };
}

/** Decodes and divides. */
export function sourceBatch(
  { source, partition, type }: RecordOrigin,
  { records, position, origin, tooLong, received, refused = [] }: PlacedRecords,
  decode: Decoder,
): SourceBatch {
  const { columns, bad, spelled: forms, deleted = null } = decode(records);
  const { bytes, start, end, rows } = records;
  const shared = new SharedText(bytes, rows > 0 ? start[0] : 0, rows > 0 ? end[rows - 1] : 0);
  const raw = textColumn(bytes, start, end, null, shared);
  const spelled = forms && { fields: type.fields, columns, forms };
  const meta = { ...makeMeta(source, partition, position, origin, raw, spelled), received, deleted };
  const batch: Batch = { rows, type, columns, meta };
  const isWhole = bad.length === 0 && tooLong.length === 0 && refused.length === 0;
  if (isWhole && !deleted?.includes(DELETE_DROPPED)) return { batch, rejected: [], deletes: 0 };
  const reasons = new Map(bad.map(({ row, reason }) => [row, reason]));
  for (const row of tooLong) reasons.set(row, "too-long");
  for (const { row, reason } of refused) reasons.set(row, reason);
  const isRefused = new Uint8Array(rows);
  for (const row of reasons.keys()) isRefused[row] = 1;
  const good = new Int32Array(rows);
  const rejected: Rejected[] = [];
  let count = 0;
  let deletes = 0;
  for (let row = 0; row < rows; row++) {
    if (isRefused[row] === 0) {
      if (deleted !== null && deleted[row] === DELETE_DROPPED) deletes++;
      else good[count++] = row;
    } else {
      // A copy: a reject may outlive the buffer by far.
      const own = bytes.slice(start[row], end[row]);
      rejected.push({
        source,
        partition,
        position: position[row],
        origin: origin[row],
        step: source,
        reason: reasons.get(row)!,
        raw: own,
        receivedMicros: received?.[row],
      });
    }
  }
  return { batch: select(batch, good, count), rejected, deletes };
}
