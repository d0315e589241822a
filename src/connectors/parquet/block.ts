/**
 * The block of a Parquet file's rows: columns as they were decoded, laid out flat so that a row group takes them over by copying.
 * Invariant: everything begins at a multiple of 8 bytes from the block's start.
 *
 *   block  := u32 rows, u32 0, column*
 *   column := u32 1 where validity follows, u32 bytes of text, [u8 valid * rows], values; each padded to 8 bytes
 *   values := f64 * rows, or for text u32 end * rows, bytes; the machine's byte order, which is little-endian wherever we run
 */
import type { Batch, Column } from "../../data/batch.ts";
import { createWriter, writeBytes, writeText } from "../../data/bytes.ts";
import type { ByteWriter } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import { jsonText } from "../../data/value_text.ts";
import type { BlockBuilder } from "../files/parts/contracts.ts";
import type { ParquetColumn } from "./column_type.ts";

const ROWS_AT_FIRST = 64;
const TEXT_BYTES_AT_FIRST = 256;
/** Rows beyond which room is given back between epochs. */
const ROWS_KEPT_MAX = 1 << 14;
const HEAD_BYTES = 8;

export const padded = (bytes: number): number => bytes + 7 & ~7;

/** Values of one column of an open epoch. */
interface Collector {
  append(column: Column, rows: Int32Array, count: number): void;
  readonly bytes: number;
  write(into: Uint8Array<ArrayBuffer>, at: number): number;
  clear(): void;
}

export class ColumnBlocks implements BlockBuilder {
  rows = 0;
  readonly #collectors: readonly Collector[];
  /** `places[i]` is the field of the record that column i holds. */
  constructor(columns: readonly ParquetColumn[], private readonly places: readonly number[]) {
    this.#collectors = columns.map((column) => column.form === "text" ? new TextCollector(column) : new NumberCollector());
  }

  get bytes(): number {
    if (this.rows === 0) return 0;
    let bytes = HEAD_BYTES;
    for (const collector of this.#collectors) bytes += collector.bytes;
    return bytes;
  }

  append(batch: Batch, rows: Int32Array, count: number): void {
    for (let i = 0; i < this.places.length; i++) {
      const column = batch.columns[this.places[i]];
      assert(column, `field ${batch.type.fields[this.places[i]].name} is written but was not decoded`);
      this.#collectors[i].append(column, rows, count);
    }
    this.rows += count;
  }

  block(): Uint8Array {
    const block = new Uint8Array(this.bytes);
    new Uint32Array(block.buffer)[0] = this.rows;
    let at = HEAD_BYTES;
    for (const collector of this.#collectors) at = collector.write(block, at);
    assert(at === block.length, "a block is as long as its columns");
    return block;
  }

  clear(): void {
    for (const collector of this.#collectors) collector.clear();
    this.rows = 0;
  }
}

/** Which rows have a value; costs nothing while all have. */
class Validity {
  #flags: Uint8Array | null = null;
  /** 1 where a row is null. */
  get flag(): 0 | 1 {
    return this.#flags ? 1 : 0;
  }
  /** Row `row` is null, those before it that were not told are not. */
  setNull(row: number): void {
    this.#flags ??= new Uint8Array(ROWS_AT_FIRST).fill(1);
    while (row >= this.#flags.length) {
      const grown = new Uint8Array(2 * this.#flags.length).fill(1);
      grown.set(this.#flags);
      this.#flags = grown;
    }
    this.#flags[row] = 0;
  }
  write(into: Uint8Array, at: number, rows: number): number {
    if (!this.#flags) return at;
    into.fill(1, at, at + rows);
    into.set(this.#flags.subarray(0, rows), at);
    return at + padded(rows);
  }
  clear(): void {
    this.#flags = null;
  }
}

class NumberCollector implements Collector {
  #values = new Float64Array(ROWS_AT_FIRST);
  #rows = 0;
  readonly #validity = new Validity();

  get bytes(): number {
    return HEAD_BYTES + this.#validity.flag * padded(this.#rows) + 8 * this.#rows;
  }
  append(column: Column, rows: Int32Array, count: number): void {
    assert(column.kind === "number", "a field of numbers has a column of numbers");
    const { values, valid } = column;
    const first = this.#rows;
    this.#reserve(first + count);
    const into = this.#values;
    for (let i = 0; i < count; i++) into[first + i] = values[rows[i]];
    if (valid) {
      for (let i = 0; i < count; i++) {
        if (valid[rows[i]] !== 0) continue;
        this.#validity.setNull(first + i);
        into[first + i] = 0;
      }
    }
    this.#rows += count;
  }
  write(into: Uint8Array<ArrayBuffer>, at: number): number {
    new Uint32Array(into.buffer, at, 2)[0] = this.#validity.flag;
    const start = this.#validity.write(into, at + HEAD_BYTES, this.#rows);
    new Float64Array(into.buffer, start, this.#rows).set(this.#values.subarray(0, this.#rows));
    return start + 8 * this.#rows;
  }
  clear(): void {
    if (this.#values.length > ROWS_KEPT_MAX) this.#values = new Float64Array(ROWS_AT_FIRST);
    this.#rows = 0;
    this.#validity.clear();
  }
  #reserve(rows: number): void {
    if (rows <= this.#values.length) return;
    const grown = new Float64Array(Math.max(rows, 2 * this.#values.length));
    grown.set(this.#values.subarray(0, this.#rows));
    this.#values = grown;
  }
}

class TextCollector implements Collector {
  #ends = new Uint32Array(ROWS_AT_FIRST);
  #text: ByteWriter = createWriter(TEXT_BYTES_AT_FIRST);
  #rows = 0;
  readonly #validity = new Validity();
  constructor(private readonly column: ParquetColumn) {}

  get bytes(): number {
    return HEAD_BYTES + this.#validity.flag * padded(this.#rows) + padded(4 * this.#rows) + padded(this.#text.length);
  }
  append(column: Column, rows: Int32Array, count: number): void {
    this.#reserve(this.#rows + count);
    const text = this.#text;
    if (column.kind === "text") {
      const { bytes, start, end, valid } = column;
      for (let i = 0; i < count; i++) {
        const row = rows[i];
        if (valid !== null && valid[row] === 0) this.#validity.setNull(this.#rows);
        else writeBytes(text, bytes, start[row], end[row]);
        this.#ends[this.#rows++] = text.length;
      }
      return;
    }
    assert(column.kind === "value", "a field of text has no column of numbers");
    for (let i = 0; i < count; i++) {
      const value = column.values[rows[i]] ?? null;
      if (value === null) this.#validity.setNull(this.#rows);
      else writeText(text, this.column.isJson ? jsonText(this.column.field, value, {}) : String(value));
      this.#ends[this.#rows++] = text.length;
    }
  }
  write(into: Uint8Array<ArrayBuffer>, at: number): number {
    const head = new Uint32Array(into.buffer, at, 2);
    head[0] = this.#validity.flag;
    head[1] = this.#text.length;
    const start = this.#validity.write(into, at + HEAD_BYTES, this.#rows);
    new Uint32Array(into.buffer, start, this.#rows).set(this.#ends.subarray(0, this.#rows));
    const textAt = start + padded(4 * this.#rows);
    into.set(this.#text.bytes.subarray(0, this.#text.length), textAt);
    return textAt + padded(this.#text.length);
  }
  clear(): void {
    if (this.#ends.length > ROWS_KEPT_MAX) {
      this.#ends = new Uint32Array(ROWS_AT_FIRST);
      this.#text = createWriter(TEXT_BYTES_AT_FIRST);
    }
    this.#text.length = 0;
    this.#rows = 0;
    this.#validity.clear();
  }
  #reserve(rows: number): void {
    if (rows <= this.#ends.length) return;
    const grown = new Uint32Array(Math.max(rows, 2 * this.#ends.length));
    grown.set(this.#ends.subarray(0, this.#rows));
    this.#ends = grown;
  }
}
