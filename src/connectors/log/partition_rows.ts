/** The records of one open epoch for one partition, already in the form of frame bodies. */
import { createWriter } from "../../data/bytes.ts";
import type { Batch } from "../../data/batch.ts";
import type { ByteWriter, RecordsEncoder, RecordWrapper } from "../../data/codec.ts";
import { COPY_SLACK } from "../../data/words.ts";
import { FRAME_BYTES_MAX } from "../limits.ts";
import { BoundRows, keyLength, putKey, type RowKeys } from "../row_keys.ts";
import { RECORD_PREFIX_BYTES } from "./frame.ts";

export interface FrameBody {
  readonly body: Uint8Array;
  readonly records: number;
}

export class PartitionRows {
  readonly #bytes: ByteWriter = createWriter(4 << 10);
  /** Ends of complete bodies and how many records they hold. */
  readonly #cuts: { end: number; records: number }[] = [];
  #records = 0;
  #cutEnd = 0;
  readonly #wrapper = new BodyRecordWrapper();

  constructor(private readonly encode: RecordsEncoder) {}

  get bytes(): number {
    return this.#bytes.length;
  }

  append(batch: Batch, rows: Int32Array, from: number, to: number, keys: RowKeys): void {
    const into = this.#bytes;
    this.#wrapper.bind(batch, keys);
    for (let i = from; i < to;) {
      const next = this.encode(batch, rows, i, to, into, this.#wrapper, this.#cutEnd + FRAME_BYTES_MAX - 1);
      this.#records += next - i;
      i = next;
      if (into.length - this.#cutEnd >= FRAME_BYTES_MAX) this.#cut();
    }
  }

  /** Views of this object's memory, valid until the next `append` or `clear`. */
  bodies(): FrameBody[] {
    this.#cut();
    let start = 0;
    return this.#cuts.map(({ end, records }) => {
      const body = this.#bytes.bytes.subarray(start, end);
      start = end;
      return { body, records };
    });
  }

  clear(): void {
    this.#bytes.length = 0;
    this.#cuts.length = 0;
    this.#records = 0;
    this.#cutEnd = 0;
  }

  #cut(): void {
    if (this.#records === 0) return;
    this.#cuts.push({ end: this.#bytes.length, records: this.#records });
    this.#records = 0;
    this.#cutEnd = this.#bytes.length;
  }
}

/** Sizes, origin and key of a record (grammar: frame.ts). */
class BodyRecordWrapper extends BoundRows implements RecordWrapper {
  /** Where the record begins, and where its value does. */
  #start = 0;
  #valueAt = 0;

  room(row: number): number {
    return RECORD_PREFIX_BYTES + COPY_SLACK + Math.max(0, keyLength(this.keys, row));
  }

  open(_target: Uint8Array, view: DataView, at: number, row: number): number {
    const keys = this.keys;
    const length = keyLength(keys, row);
    view.setInt32(at + 4, length, true);
    view.setFloat64(at + 8, this.origin[row], true);
    this.#start = at;
    at += RECORD_PREFIX_BYTES;
    if (length > 0) at = putKey(view, at, keys, row, length);
    return this.#valueAt = at;
  }

  close(_target: Uint8Array, view: DataView, at: number): number {
    view.setInt32(this.#start, at - this.#valueAt, true);
    return at;
  }
}
