/**
 * Rows of one table that were received and not yet handed out, as JSON lines in blocks. Invariants: rows stand in the order of the log;
 * a row's place (commit, index) is greater than that of the row before; bytes of rows that were handed out are never written again.
 */
import { createWriter } from "../../../data/bytes.ts";
import type { ByteWriter, Records } from "../../../data/codec.ts";
import { BLOCK_BYTES_MAX, BLOCK_ROWS_MAX } from "../limits.ts";
import type { LogPlace } from "./place.ts";
import { liesBefore } from "./place.ts";
import type { TableShape } from "./table_shape.ts";

interface Block {
  readonly shape: TableShape;
  readonly writer: ByteWriter;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly lsn: Float64Array;
  readonly index: Float64Array;
  /** Numbers the rows of all tables in the order of the log. */
  readonly number: Float64Array;
  readonly deleted: Uint8Array;
  /** Fields that nobody told, by row. */
  readonly untold: Map<number, string>;
  rows: number;
  /** The first row that was not handed out. */
  next: number;
}
/** Where a row stands. */
export interface RowPlace {
  readonly lsn: number;
  readonly index: number;
  readonly number: number;
}
/** Rows of one block, cut out to be handed on. */
export interface TakenRows {
  readonly shape: TableShape;
  readonly records: Records;
  readonly deleted: Uint8Array;
  readonly untold: readonly { readonly row: number; readonly field: string }[];
  /** Of the first row. */
  readonly number: number;
  /** Of the last row. */
  readonly lsn: number;
  readonly index: number;
}

export class ChangeQueue {
  #blocks: Block[] = [];
  #last: { readonly lsn: number; readonly index: number } | null = null;

  /** Bytes of rows that are held, about. */
  bytes = 0;

  /** The commit and the number of the first row; null without any. */
  first(): { readonly lsn: number; readonly number: number } | null {
    const block = this.#head();
    return block && { lsn: block.lsn[block.next], number: block.number[block.next] };
  }

  /** Whether the row was added before: a transaction that was cut off is sent again from its beginning. */
  has(lsn: number, index: number): boolean {
    const last = this.#last;
    return last !== null && (lsn < last.lsn || lsn === last.lsn && index <= last.index);
  }

  /** Where the next row's JSON goes; `add` closes it. */
  writerFor(shape: TableShape): ByteWriter {
    const block = this.#blocks.at(-1);
    if (block && block.shape === shape && block.rows < BLOCK_ROWS_MAX && block.writer.length < BLOCK_BYTES_MAX) return block.writer;
    const made = newBlock(shape);
    this.#blocks.push(made);
    return made.writer;
  }

  /** The row that was just written is whole. Its line end is no part of it. */
  add({ lsn, index, number }: RowPlace, mark: { readonly isDeleted: boolean; readonly untold: string | null }): void {
    const block = this.#blocks.at(-1)!;
    const row = block.rows++;
    block.start[row] = row === 0 ? 0 : block.end[row - 1] + 1;
    block.end[row] = block.writer.length - 1;
    block.lsn[row] = lsn;
    block.index[row] = index;
    block.number[row] = number;
    block.deleted[row] = mark.isDeleted ? 1 : 0;
    if (mark.untold !== null) block.untold.set(row, mark.untold);
    this.bytes += block.end[row] - block.start[row] + 1;
    this.#last = { lsn, index };
  }

  /** Forgets rows that lie before the place. */
  dropBefore(place: LogPlace): void {
    for (let block = this.#head(); block; block = this.#head()) {
      let to = block.next;
      while (to < block.rows && liesBefore(block.lsn[to], block.index[to], place)) to++;
      if (to === block.next) return;
      this.#pass(block, to);
    }
  }

  /**
   * The next rows, at least one where the first may be taken: those numbered below `numberEnd` that commit before `endLsn`, or, where
   * `until` is said, those before it.
   */
  take(bounds: {
    readonly rowsMax: number;
    readonly bytesMax: number;
    readonly numberEnd: number;
    readonly endLsn: number;
    readonly until: LogPlace | null;
  }): TakenRows | null {
    const block = this.#head();
    if (!block) return null;
    const { rowsMax, bytesMax, numberEnd, endLsn, until } = bounds;
    const from = block.next;
    const most = Math.min(block.rows, from + rowsMax);
    let to = from;
    while (to < most && block.number[to] < numberEnd && block.lsn[to] < endLsn) {
      if (until && !liesBefore(block.lsn[to], block.index[to], until)) break;
      if (to > from && block.end[to] - block.start[from] > bytesMax) break;
      to++;
    }
    if (to === from) return null;
    const untold = [...block.untold].filter(([row]) => row >= from && row < to).map(([row, field]) => ({ row: row - from, field }));
    const taken = {
      shape: block.shape,
      records: { bytes: block.writer.bytes, start: block.start.subarray(from, to), end: block.end.subarray(from, to), rows: to - from },
      deleted: block.deleted.subarray(from, to),
      untold,
      number: block.number[from],
      lsn: block.lsn[to - 1],
      index: block.index[to - 1],
    };
    this.#pass(block, to);
    return taken;
  }

  clear(): void {
    this.#blocks = [];
    this.#last = null;
    this.bytes = 0;
  }

  /** The first block with rows to hand out. The last one stays, because more may be added to it. */
  #head(): Block | null {
    while (this.#blocks.length > 1 && this.#blocks[0].next === this.#blocks[0].rows) this.#blocks.shift();
    const block = this.#blocks[0];
    return block && block.next < block.rows ? block : null;
  }

  #pass(block: Block, to: number): void {
    this.bytes -= block.end[to - 1] + 1 - block.start[block.next];
    block.next = to;
  }
}

function newBlock(shape: TableShape): Block {
  return {
    shape,
    writer: createWriter(1 << 12),
    start: new Int32Array(BLOCK_ROWS_MAX),
    end: new Int32Array(BLOCK_ROWS_MAX),
    lsn: new Float64Array(BLOCK_ROWS_MAX),
    index: new Float64Array(BLOCK_ROWS_MAX),
    number: new Float64Array(BLOCK_ROWS_MAX),
    deleted: new Uint8Array(BLOCK_ROWS_MAX),
    untold: new Map(),
    rows: 0,
    next: 0,
  };
}
