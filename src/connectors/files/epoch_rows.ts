/**
 * The rows of one open epoch of one lane, encoded as they come and put in order when the epoch is delivered.
 * Invariant: the result depends on the rows and their order of arrival only, never on how batches were cut.
 */
import type { Batch } from "../../data/batch.ts";
import { createWriter } from "../../data/bytes.ts";
import type { ByteWriter, RowsEncoder } from "../../data/codec.ts";
import { compareBytes, type SortKey } from "./sort_key.ts";
import { ROWS_PER_CALL } from "../../data/limits.ts";

/** Encoded rows in their final order. `index` is empty where there is no sort key. */
export interface OrderedRows {
  readonly count: number;
  readonly rows: Uint8Array;
  /** Per row: u32 length of the row, u32 length of the key unless its width is fixed, key; little-endian. */
  readonly index: Uint8Array;
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
}

const CAPACITY_BYTES = 64 << 10;
/** Room is given back when an epoch used less than one part in so many. */
const SPARE_FACTOR = 8;

export class EpochRows {
  #rows: ByteWriter = createWriter(CAPACITY_BYTES);
  #keys: ByteWriter = createWriter(1 << 10);
  #rowEnds = new Uint32Array(1024);
  #keyEnds = new Uint32Array(1024);
  #count = 0;
  #inOrder = true;

  constructor(private readonly encode: RowsEncoder, private readonly key: SortKey | null) {}

  get count(): number {
    return this.#count;
  }
  get bytes(): number {
    return this.#rows.length + this.#keys.length + 8 * this.#count;
  }

  append(batch: Batch): void {
    this.#grow(this.#count + batch.rows);
    const { encode } = this;
    for (let from = 0; from < batch.rows; from += ROWS_PER_CALL) {
      encode(batch, from, Math.min(from + ROWS_PER_CALL, batch.rows), this.#rows, this.#rowEnds, this.#count + from);
    }
    if (this.key) this.#appendKeys(batch, this.key);
    this.#count += batch.rows;
  }

  #appendKeys(batch: Batch, { encode }: SortKey): void {
    const isAscending = encode(batch, this.#keys, this.#keyEnds, this.#count);
    this.#inOrder &&= isAscending && (this.#count === 0 || batch.rows === 0 || this.#compareKeys(this.#count - 1, this.#count) <= 0);
  }

  clear(): void {
    // One big epoch must not hold its memory for ever; but growing again to the usual size would cost a copy at every step.
    const spare = Math.max(CAPACITY_BYTES, SPARE_FACTOR * this.#rows.length);
    if (this.#rows.bytes.length > spare) this.#rows = createWriter(Math.max(CAPACITY_BYTES, this.#rows.length));
    this.#rows.length = 0;
    this.#keys.length = 0;
    this.#count = 0;
    this.#inOrder = true;
  }

  /** Views of this object's memory, valid until the next `append` or `clear`. */
  ordered(): OrderedRows {
    const rows = this.#rows.bytes.subarray(0, this.#rows.length);
    const none = new Uint8Array(0);
    if (!this.key || this.#count === 0) return { count: this.#count, rows, index: none, firstKey: none, lastKey: none };
    const order = this.#inOrder ? null : this.#sortedOrder();
    return {
      count: this.#count,
      rows: order ? this.#reordered(order) : rows,
      index: this.#index(order, this.key.width),
      firstKey: this.#keyAt(order ? order[0] : 0),
      lastKey: this.#keyAt(order ? order[this.#count - 1] : this.#count - 1),
    };
  }

  #sortedOrder(): Uint32Array {
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i);
    // Equal keys keep their order of arrival.
    return order.sort((a, b) => this.#compareKeys(a, b) || a - b);
  }

  #compareKeys(a: number, b: number): number {
    const { bytes } = this.#keys;
    const ends = this.#keyEnds;
    return compareBytes(bytes, start(ends, a), ends[a], bytes, start(ends, b), ends[b]);
  }

  #reordered(order: Uint32Array): Uint8Array {
    const { bytes, length } = this.#rows;
    const into = new Uint8Array(length);
    let at = 0;
    for (const row of order) {
      into.set(bytes.subarray(start(this.#rowEnds, row), this.#rowEnds[row]), at);
      at += this.#rowEnds[row] - start(this.#rowEnds, row);
    }
    return into;
  }

  #index(order: Uint32Array | null, width: number | null): Uint8Array {
    if (order === null && width !== null && width % 4 === 0) return this.#indexInWords(width / 4);
    const into = new Uint8Array(this.#count * (width === null ? 8 : 4) + this.#keys.length);
    const view = new DataView(into.buffer);
    let at = 0;
    for (let i = 0; i < this.#count; i++) {
      const row = order ? order[i] : i;
      const from = start(this.#keyEnds, row);
      const to = this.#keyEnds[row];
      view.setUint32(at, this.#rowEnds[row] - start(this.#rowEnds, row), true);
      at += 4;
      if (width === null) {
        view.setUint32(at, to - from, true);
        at += 4;
      }
      const { bytes } = this.#keys;
      for (let k = from; k < to; k++) into[at++] = bytes[k];
    }
    return into;
  }

  /** The index of rows that came in order, with keys of so many words. */
  #indexInWords(keyWords: number): Uint8Array {
    const ends = this.#rowEnds;
    const keys = new Uint32Array(this.#keys.bytes.buffer, this.#keys.bytes.byteOffset, this.#count * keyWords);
    const into = new Uint32Array(this.#count * (1 + keyWords));
    let at = 0;
    for (let row = 0, key = 0; row < this.#count; row++) {
      into[at++] = ends[row] - start(ends, row);
      for (const end = key + keyWords; key < end; key++) into[at++] = keys[key];
    }
    return new Uint8Array(into.buffer);
  }

  #keyAt(row: number): Uint8Array {
    return this.#keys.bytes.slice(start(this.#keyEnds, row), this.#keyEnds[row]);
  }

  #grow(rows: number): void {
    if (rows <= this.#rowEnds.length) return;
    const length = Math.max(rows, 2 * this.#rowEnds.length);
    this.#rowEnds = enlarged(this.#rowEnds, length);
    this.#keyEnds = enlarged(this.#keyEnds, length);
  }
}

const start = (ends: Uint32Array, row: number): number => row === 0 ? 0 : ends[row - 1];

function enlarged(from: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const into = new Uint32Array(length);
  into.set(from);
  return into;
}
