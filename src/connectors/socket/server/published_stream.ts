/** The rows that a pipeline's epochs deliver, as a stream: only the newest are held, as many as a client may fall behind. */
import type { Piece, Stream } from "./stream.ts";
import { PIECE_BYTES_MAX } from "../limits.ts";

interface Published {
  readonly first: number;
  readonly bytes: Uint8Array;
  /** By record: where it ends. */
  readonly ends: Int32Array;
}

export class PublishedStream implements Stream {
  readonly #published: Published[] = [];
  #due = 0;

  /** `recordsHeld`: at least so many of the newest records stay readable. */
  constructor(private readonly recordsHeld: number) {}

  /** Takes the bytes over. */
  publish(bytes: Uint8Array, ends: Int32Array): void {
    if (ends.length === 0) return;
    this.#published.push({ first: this.#due, bytes, ends });
    this.#due += ends.length;
    let dead = 0;
    while (dead < this.#published.length - 1 && this.#published[dead + 1].first <= this.#due - this.recordsHeld) dead++;
    this.#published.splice(0, dead);
  }

  entry(): number {
    return Math.max(0, this.#due - 1);
  }
  first(): number {
    return this.#published[0]?.first ?? 0;
  }
  due(): number {
    return this.#due;
  }
  head(): number {
    return this.#due;
  }
  waitMs(): number {
    return Infinity;
  }
  read(from: number, to: number): Piece {
    let low = 0;
    for (let high = this.#published.length - 1; low < high;) {
      const middle = (low + high + 1) >> 1;
      if (this.#published[middle].first <= from) low = middle;
      else high = middle - 1;
    }
    const { first, bytes, ends } = this.#published[low];
    const start = from === first ? 0 : ends[from - first - 1];
    let row = from - first;
    const last = Math.min(ends.length, to - first) - 1;
    while (row < last && ends[row + 1] - start <= PIECE_BYTES_MAX) row++;
    return { bytes: bytes.subarray(start, ends[row]), records: row + 1 - (from - first) };
  }
}
