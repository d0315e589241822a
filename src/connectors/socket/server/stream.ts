/**
 * What a client reads from: numbered records as bytes. Invariant: record n has the same bytes for everybody who may read it from
 * this stream, however often and in whatever pieces.
 */
import { createWriter } from "../../../data/bytes.ts";
import type { ByteWriter } from "../../../data/codec.ts";
import type { NumberedRecords } from "../../../component/serving.ts";
import { BLOCK_RECORDS, BLOCKS_KEPT_MAX, PIECE_BYTES_MAX } from "../limits.ts";
import type { Schedule } from "./schedule.ts";

/** Whole records. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly records: number;
}
export interface Stream {
  /** Where a new client begins: so that its first record leaves at once where there is one. */
  entry(nowMs: number): number;
  /** The oldest record that is still there. */
  first(): number;
  /** One behind the last record that may be sent now. */
  due(nowMs: number): number;
  /** One behind the newest record that anybody can have got: what a slow client is measured by. */
  head(nowMs: number): number;
  /** Until record `number` is due; Infinity where a wake-up tells. */
  waitMs(number: number, nowMs: number): number;
  /** At least one record from `from` on, none from `to` on. Valid until the same client reads again. */
  read(from: number, to: number): Piece;
}

/** A client's own stream: made as it is read. */
export class OwnStream implements Stream {
  readonly #into: ByteWriter = createWriter(1024);
  constructor(private readonly records: NumberedRecords, private readonly schedule: Schedule) {}

  entry(): number {
    return 0;
  }
  first(): number {
    return 0;
  }
  due(nowMs: number): number {
    return this.schedule.due(nowMs);
  }
  head(nowMs: number): number {
    return this.schedule.rate === Infinity ? 0 : this.schedule.due(nowMs);
  }
  waitMs(number: number, nowMs: number): number {
    return this.schedule.waitMs(number, nowMs);
  }
  read(from: number, to: number): Piece {
    const into = this.#into;
    into.length = 0;
    let number = from;
    while (number < to && into.length < PIECE_BYTES_MAX) this.records.write(number++, into);
    return { bytes: into.bytes.subarray(0, into.length), records: number - from };
  }
}

/** Records [first, first + ends.length), made as far as somebody wanted them. */
interface Block {
  readonly first: number;
  readonly into: ByteWriter;
  readonly ends: number[];
}

/** One stream for all: its bytes are made once and handed to every client that is near enough. */
export class SharedStream implements Stream {
  /** In order of last use, the oldest first. */
  readonly #blocks = new Map<number, Block>();
  #furthest = 0;
  constructor(private readonly records: NumberedRecords, private readonly schedule: Schedule) {}

  entry(nowMs: number): number {
    return this.schedule.rate === Infinity ? this.#furthest : this.schedule.due(nowMs) - 1;
  }
  first(): number {
    return 0;
  }
  due(nowMs: number): number {
    return this.schedule.due(nowMs);
  }
  head(nowMs: number): number {
    return this.schedule.rate === Infinity ? this.#furthest : this.schedule.due(nowMs);
  }
  waitMs(number: number, nowMs: number): number {
    return this.schedule.waitMs(number, nowMs);
  }
  read(from: number, to: number): Piece {
    const block = this.#block(Math.floor(from / BLOCK_RECORDS));
    const end = Math.min(to, block.first + BLOCK_RECORDS);
    for (let number = block.first + block.ends.length; number < end; number++) {
      this.records.write(number, block.into);
      block.ends.push(block.into.length);
    }
    this.#furthest = Math.max(this.#furthest, end);
    const start = from === block.first ? 0 : block.ends[from - block.first - 1];
    // What is written behind later never moves these bytes: a full buffer is replaced, not changed.
    return { bytes: block.into.bytes.subarray(start, block.ends[end - block.first - 1]), records: end - from };
  }

  #block(index: number): Block {
    let block = this.#blocks.get(index);
    if (block) this.#blocks.delete(index);
    else {
      block = { first: index * BLOCK_RECORDS, into: createWriter(4096), ends: [] };
      if (this.#blocks.size >= BLOCKS_KEPT_MAX) this.#blocks.delete(this.#blocks.keys().next().value!);
    }
    this.#blocks.set(index, block);
    return block;
  }
}
