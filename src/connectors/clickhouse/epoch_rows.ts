/**
 * The rows of an open epoch in RowBinary, and their cut into inserts. Invariant: rows and cuts depend on the rows alone, never on how
 * they were handed over; so an epoch that is delivered again gives the same bytes in the same inserts.
 */
import type { Batch } from "../../data/batch.ts";
import { createWriter } from "../../data/bytes.ts";
import type { ByteWriter, RowsEncoder } from "../../data/codec.ts";
import { MillraceError } from "../../data/fault.ts";
import type { EpochStamp } from "../../engine/contracts.ts";
import { BUFFER_KEPT_BYTES_MAX } from "../sql/limits.ts";
import type { ClickhouseMode } from "./clickhouse_target.ts";
import { INSERT_BYTES_MAX, INSERT_ROWS_MAX } from "./limits.ts";

const encoder = new TextEncoder();
const ENDS_MIN = 4096;

/** What stands behind the user's columns of each row; zeros where the epoch or the row is filled in. */
export function rowTail(mode: ClickhouseMode, run: string, lane: number): Uint8Array {
  if (mode === "token") return new Uint8Array(0);
  // Version: row number, epoch (4 bytes each), time (8 bytes); then whether the key is no more.
  if (mode === "upsert") return new Uint8Array(17);
  const name = encoder.encode(run);
  const tail = new Uint8Array(2 + name.length + 16);
  // A length below 2^14 in two bytes, also where one would do.
  tail.set([name.length & 127 | 128, name.length >> 7]);
  tail.set(name, 2);
  new DataView(tail.buffer).setUint32(2 + name.length, lane, true);
  return tail;
}

export class EpochRows {
  #rows = 0;
  #writer: ByteWriter = createWriter();
  #ends = new Uint32Array(ENDS_MIN);
  constructor(private readonly mode: ClickhouseMode, private readonly encode: RowsEncoder) {}

  get bytes(): number {
    return this.#writer.length;
  }
  get rows(): number {
    return this.#rows;
  }

  /** Throws where a column would not keep a value as it is. */
  add(batch: Batch): void {
    const { deleted } = batch.meta;
    if (deleted && this.mode !== "upsert" && deleted.includes(1)) throw deletesAppended();
    const first = this.#rows;
    const need = first + batch.rows;
    if (need > this.#ends.length) {
      const grown = new Uint32Array(Math.max(need, 2 * this.#ends.length));
      grown.set(this.#ends);
      this.#ends = grown;
    }
    this.encode(batch, 0, batch.rows, this.#writer, this.#ends, first);
    this.#rows = need;
    if (deleted) { for (let row = 0; row < batch.rows; row++) this.#writer.bytes[this.#ends[first + row] - 1] = deleted[row]; }
  }

  /** The epoch has its number: fills it in, with the numbers of the rows. May be done again. */
  number({ epoch, timeMicros }: Pick<EpochStamp, "epoch" | "timeMicros">): void {
    if (this.mode === "token") return;
    const { view } = this.#writer;
    const [low, high] = [epoch >>> 0, Math.floor(epoch / 2 ** 32)];
    const [timeLow, timeHigh] = [timeMicros % 2 ** 32, Math.floor(timeMicros / 2 ** 32)];
    for (let row = 0; row < this.#rows; row++) {
      const end = this.#ends[row];
      if (this.mode === "append") {
        view.setUint32(end - 12, low, true);
        view.setUint32(end - 8, high, true);
        view.setUint32(end - 4, row, true);
      } else {
        view.setUint32(end - 17, row, true);
        view.setUint32(end - 13, low, true);
        view.setUint32(end - 9, timeLow, true);
        view.setUint32(end - 5, timeHigh, true);
      }
    }
  }

  /** The inserts, in order; their bytes are good until the next change. */
  *inserts(): Generator<Uint8Array> {
    const bytes = this.#writer.bytes;
    let from = 0;
    let firstRow = 0;
    for (let row = 0; row < this.#rows; row++) {
      const end = this.#ends[row];
      const isFull = row + 1 - firstRow >= INSERT_ROWS_MAX || row + 1 < this.#rows && this.#ends[row + 1] - from > INSERT_BYTES_MAX;
      if (!isFull && row + 1 < this.#rows) continue;
      yield bytes.subarray(from, end);
      from = end;
      firstRow = row + 1;
    }
  }

  clear(): void {
    if (this.#writer.bytes.length > BUFFER_KEPT_BYTES_MAX) {
      this.#writer = createWriter();
      this.#ends = new Uint32Array(ENDS_MIN);
    }
    this.#writer.length = 0;
    this.#rows = 0;
  }
}

function deletesAppended(): MillraceError {
  return new MillraceError("delete_appended", "a row that says its key is no more cannot be appended", {
    hint: 'use mode = "upsert" with a key, or deletes = "drop" at the source',
  });
}
