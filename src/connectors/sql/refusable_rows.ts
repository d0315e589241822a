/**
 * The rows of an open epoch for a table that may refuse some of them, and the way around those. Invariant: rows go in in their order,
 * each or none; a row is refused only by what the target said of it alone, behind all good rows before it.
 */
import type { Batch } from "../../data/batch.ts";
import { createWriter } from "../../data/bytes.ts";
import type { ByteWriter } from "../../data/codec.ts";
import type { RefusedRow } from "../../engine/contracts.ts";
import { BUFFER_KEPT_BYTES_MAX } from "./limits.ts";
import { refusedRow, RowRefused } from "./row_refused.ts";
import type { SqlSession } from "./session.ts";
import type { RowPutter, TextRows } from "./sink_lane.ts";

const ROWS_MIN = 1024;

export class RefusableRows<S extends SqlSession> {
  #text: ByteWriter = createWriter();
  /** Of the rows that are in the text: where each ends, and its number in the epoch. */
  #ends = new Uint32Array(ROWS_MIN);
  #numbers = new Uint32Array(ROWS_MIN);
  #encoded = 0;
  /** Rows of the epoch. */
  #rows = 0;
  /** Refused before they were sent. */
  #unsent: RefusedRow[] = [];

  constructor(private readonly putter: RowPutter<S>) {}

  get rows(): number {
    return this.#rows;
  }
  get bytes(): number {
    return this.#text.length;
  }

  add(batch: Batch): void {
    const { putter } = this;
    const misfits = putter.misfits?.(batch);
    this.#makeRoom(batch.rows);
    const text = this.#text;
    for (let row = 0; row < batch.rows; row++) {
      const number = this.#rows++;
      const misfit = misfits?.get(row);
      if (misfit) {
        this.#unsent.push(refusedRow(number, misfit));
        continue;
      }
      const from = text.length;
      try {
        putter.encode(batch, row, text);
      } catch (error) {
        if (!(error instanceof RowRefused)) throw error;
        text.length = from;
        this.#unsent.push(refusedRow(number, error));
        continue;
      }
      this.#ends[this.#encoded] = text.length;
      this.#numbers[this.#encoded++] = number;
    }
  }

  /** Within a transaction: puts what the target takes, halving what it does not until single rows are left; returns those. */
  async put(session: S): Promise<readonly RefusedRow[]> {
    const refused = [...this.#unsent];
    const open: [from: number, to: number][] = this.#encoded > 0 ? [[0, this.#encoded]] : [];
    for (let part = open.pop(); part; part = open.pop()) {
      const [from, to] = part;
      const fault = await this.#try(session, from, to);
      if (fault === null) continue;
      if (to - from === 1) refused.push(refusedRow(this.#numbers[from], fault));
      else {
        const middle = (from + to) >> 1;
        open.push([middle, to], [from, middle]);
      }
    }
    return refused.sort((a, b) => a.row - b.row);
  }

  clear(): void {
    if (this.#text.bytes.length > BUFFER_KEPT_BYTES_MAX) this.#text = createWriter();
    this.#text.length = 0;
    this.#encoded = 0;
    this.#rows = 0;
    this.#unsent = [];
  }

  /** Null when the rows are in; what is wrong with one of them when none is. */
  async #try(session: S, from: number, to: number): Promise<RowRefused | null> {
    await session.run("SAVEPOINT millrace_rows");
    try {
      await this.putter.put(session, this.#part(from, to));
      await this.putter.putBefore?.(session);
      await session.run("RELEASE SAVEPOINT millrace_rows");
      return null;
    } catch (error) {
      if (!(error instanceof RowRefused) || !session.alive) throw error;
      await session.run("ROLLBACK TO SAVEPOINT millrace_rows");
      return error;
    }
  }

  #part(from: number, to: number): TextRows {
    const bytes = this.#text.bytes.subarray(from === 0 ? 0 : this.#ends[from - 1], this.#ends[to - 1]);
    return { text: { bytes, length: bytes.length }, rows: to - from };
  }

  #makeRoom(rows: number): void {
    const need = this.#encoded + rows;
    if (need <= this.#ends.length) return;
    const grown = (numbers: Uint32Array): Uint32Array<ArrayBuffer> => {
      const more = new Uint32Array(Math.max(need, 2 * numbers.length));
      more.set(numbers);
      return more;
    };
    this.#ends = grown(this.#ends);
    this.#numbers = grown(this.#numbers);
  }
}
