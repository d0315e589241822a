/** Collects the records that a splitter finds. Invariant: no record is empty. */
import type { Split } from "./codec.ts";

/** Records expected in a buffer at first: grown by doubling. */
const ROWS_AT_FIRST = 1024;

/** Makes the result of splitLines and splitCsv. */
export class SplitBuilder {
  readonly #bytes: Uint8Array;
  readonly #recordBytesMax: number;
  readonly #tooLong: number[] = [];
  #start = new Int32Array(ROWS_AT_FIRST);
  #end = new Int32Array(ROWS_AT_FIRST);
  #rows = 0;

  constructor(bytes: Uint8Array, recordBytesMax: number) {
    this.#bytes = bytes;
    this.#recordBytesMax = recordBytesMax;
  }
  /** Adds [start, end), unless it is empty. */
  add(start: number, end: number): void {
    if (end <= start) return;
    if (this.#rows === this.#start.length) this.#grow();
    if (end - start > this.#recordBytesMax) this.#tooLong.push(this.#rows);
    this.#start[this.#rows] = start;
    this.#end[this.#rows++] = end;
  }
  finish(consumed: number): Split {
    const start = this.#start.subarray(0, this.#rows);
    const end = this.#end.subarray(0, this.#rows);
    return { records: { bytes: this.#bytes, start, end, rows: this.#rows }, consumed, tooLong: this.#tooLong };
  }
  #grow(): void {
    const start = new Int32Array(2 * this.#rows);
    start.set(this.#start);
    this.#start = start;
    const end = new Int32Array(2 * this.#rows);
    end.set(this.#end);
    this.#end = end;
  }
}
