/**
 * What the rows that a sink was given in the open epoch were made from, so that those which its target refuses can leave as rejects.
 * Invariant: rows are numbered as the sink was given them; nothing of a batch is kept beyond `add` but copies.
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { createWriter } from "../data/bytes.ts";
import { rowJson } from "../data/json/mod.ts";
import type { RefusedRow } from "./contracts.ts";

const encoder = new TextEncoder();
const ENDS_MIN = 1024;

/** Rows of one batch. */
interface Stretch {
  readonly first: number;
  readonly source: string;
  readonly partition: number;
  readonly position: Float64Array;
  readonly origin: Float64Array;
  readonly received: Float64Array | null;
}

export class DeliveredRows {
  readonly #stretches: Stretch[] = [];
  #rows = 0;
  #bytes = createWriter();
  /** Behind the last byte of each row. */
  #ends = new Uint32Array(ENDS_MIN);

  /** For the epoch's bound. */
  get bytes(): number {
    return this.#bytes.length;
  }

  add(batch: Batch): void {
    const { source, partition, position, origin, raw, received } = batch.meta;
    const { rows } = batch;
    const numbers = (values: Float64Array) => values.slice(0, rows);
    this.#stretches.push({
      first: this.#rows,
      source,
      partition,
      position: numbers(position),
      origin: numbers(origin),
      received: received ? numbers(received) : null,
    });
    this.#makeRoom(rows);
    const into = this.#bytes;
    for (let row = 0; row < rows; row++) {
      // A made row has no bytes of its own, and is kept as JSON.
      const [bytes, start, end] = raw === null ? whole(encoder.encode(rowJson(batch, row))) : [raw.bytes, raw.start[row], raw.end[row]];
      into.reserve(end - start);
      into.bytes.set(bytes.subarray(start, end), into.length);
      into.length += end - start;
      this.#ends[this.#rows++] = into.length;
    }
  }

  /** Refused rows of `sink` as rejects. */
  rejected(sink: string, refused: readonly RefusedRow[]): Rejected[] {
    return refused.map(({ row, code, message }) => {
      const { first, source, partition, position, origin, received } = this.#stretchOf(row);
      const at = row - first;
      return {
        source,
        partition,
        position: position[at],
        origin: origin[at],
        step: sink,
        reason: `${sink}:${code}`,
        raw: this.#bytes.bytes.slice(row === 0 ? 0 : this.#ends[row - 1], this.#ends[row]),
        receivedMicros: received?.[at],
        message,
      };
    });
  }

  clear(): void {
    this.#stretches.length = 0;
    this.#rows = 0;
    this.#bytes.length = 0;
  }

  #stretchOf(row: number): Stretch {
    let low = 0;
    for (let high = this.#stretches.length - 1; low < high;) {
      const middle = (low + high + 1) >> 1;
      if (this.#stretches[middle].first <= row) low = middle;
      else high = middle - 1;
    }
    return this.#stretches[low];
  }

  #makeRoom(rows: number): void {
    const need = this.#rows + rows;
    if (need <= this.#ends.length) return;
    const grown = new Uint32Array(Math.max(need, 2 * this.#ends.length));
    grown.set(this.#ends);
    this.#ends = grown;
  }
}

const whole = (bytes: Uint8Array): readonly [Uint8Array, number, number] => [bytes, 0, bytes.length];
