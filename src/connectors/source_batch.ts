/**
 * From records to what a source hands on: a batch of the good rows, and the others as rejects with their own bytes.
 * Invariant: every record is in exactly one of the two, or is a delete that is only counted.
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { type BadRow, type Decoder, DELETE_DROPPED, type Records, spanOf } from "../data/codec.ts";
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
  readonly refused?: readonly BadRow[];
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
  const span = spanOf(records);
  const shared = new SharedText(bytes, span.from, span.to);
  const raw = textColumn(bytes, start, end, null, shared);
  const spelled = forms && { fields: type.fields, columns, forms };
  const meta = { ...makeMeta(source, partition, position, origin, raw, spelled), received, deleted };
  const batch: Batch = { rows, type, columns, meta };
  const isWhole = bad.length === 0 && tooLong.length === 0 && refused.length === 0;
  if (isWhole && !deleted?.includes(DELETE_DROPPED)) return { batch, rejected: [], deletes: 0 };
  const wrong = byRow(bad, tooLong, refused);
  const kept = new Int32Array(rows);
  let count = 0;
  let from = 0;
  for (const { row } of wrong) {
    count = keep(kept, count, from, row, deleted);
    from = row + 1;
  }
  count = keep(kept, count, from, rows, deleted);
  const rejected = wrong.map(({ row, reason }): Rejected => ({
    source,
    partition,
    position: position[row],
    origin: origin[row],
    step: source,
    reason,
    raw: bytes.subarray(start[row], end[row]),
    receivedMicros: received?.[row],
  }));
  return { batch: select(batch, kept, count), rejected, deletes: rows - wrong.length - count };
}

/** Ascending, one for each row: what was found while cutting counts more than what the decoder says. */
function byRow(bad: readonly BadRow[], tooLong: readonly number[], refused: readonly BadRow[]): readonly BadRow[] {
  if (tooLong.length === 0 && refused.length === 0) return bad;
  const wrong = new Map(bad.map((one) => [one.row, one]));
  for (const row of tooLong) wrong.set(row, { row, reason: "too-long" });
  for (const one of refused) wrong.set(one.row, one);
  return [...wrong.values()].sort((a, b) => a.row - b.row);
}

/** Adds the rows [from, to) that are not dropped; gives how many there are then. */
function keep(kept: Int32Array, count: number, from: number, to: number, deleted: Uint8Array | null): number {
  let next = count;
  for (let row = from; row < to; row++) if (deleted === null || deleted[row] !== DELETE_DROPPED) kept[next++] = row;
  return next;
}
