/** The keys of a batch's rows as bytes: those of a text field lie in the rows already, others are written behind one another. */
import type { Batch } from "../data/batch.ts";
import { createWriter, writeDecimal, writeInteger, writeText } from "../data/bytes.ts";
import type { ByteWriter } from "../data/codec.ts";
import type { Type } from "../data/types.ts";
import { COPY_SLACK, copyBytes, copyWords, viewOf } from "../data/words.ts";
import type { RowExpression } from "./row_expressions.ts";

/** By row of a batch: its key is `bytes[start, end)`; it has none where `valid` says 0, and start and end then mean nothing. */
export interface RowKeys {
  readonly bytes: DataView;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly valid: Uint8Array | null;
}

/** What a record's key is made of. */
export interface RecordKey {
  readonly expression: RowExpression;
  /** The key is a JSON object with this one member; null: it is the value's text. */
  readonly member: string | null;
}

/** Bytes of the key of a row, -1 where it has none. */
export const keyLength = ({ start, end, valid }: RowKeys, row: number): number =>
  valid !== null && valid[row] === 0 ? -1 : end[row] - start[row];

/** Copies the key of a row, of that length, to where COPY_SLACK bytes more are free; gives the position behind. */
export function putKey(target: DataView, at: number, { bytes, start }: RowKeys, row: number, length: number): number {
  const from = start[row];
  if (from + length + COPY_SLACK <= bytes.byteLength) copyWords(target, at, bytes, from, from + length);
  else copyBytes(target, at, bytes, from, length);
  return at + length;
}

/** Keys for `rows` rows of which none has one. */
export function noKeys(rows: number): RowKeys {
  const { start, end, valid } = placesFor(rows);
  return rowKeys(new Uint8Array(0), start, end, valid);
}

const NO_KEYS = noKeys(0);
const NO_ORIGINS: Float64Array = new Float64Array(0);

/** The rows whose records are written now: what wrappers of records know of them. */
export class BoundRows {
  protected keys = NO_KEYS;
  protected origin = NO_ORIGINS;

  bind(batch: Batch, keys: RowKeys): void {
    this.keys = keys;
    this.origin = batch.meta.origin;
  }
}

/** Gives the keys of one batch after the other; those of a batch are valid until the next. */
export class KeyReader {
  readonly #key: RecordKey | null;
  /** Around the value of a key that is an object; empty where it is the text alone. */
  readonly #before: string;
  readonly #made = createWriter(1024);
  #places: Pick<RowKeys, "start" | "end"> & { readonly valid: Uint8Array } = placesFor(0);

  constructor(key: RecordKey | null) {
    this.#key = key;
    this.#before = key === null || key.member === null ? "" : `{${JSON.stringify(key.member)}:`;
  }

  keysOf(batch: Batch): RowKeys {
    const field = this.#key?.expression.field ?? null;
    const column = field === null ? null : batch.columns[field];
    if (column?.kind === "text" && this.#before === "") return rowKeys(column.bytes, column.start, column.end, column.valid);
    if (this.#places.valid.length < batch.rows) this.#places = placesFor(batch.rows);
    if (this.#key !== null) this.#make(batch, this.#key.expression);
    const { start, end, valid } = this.#places;
    return rowKeys(this.#made.bytes, start, end, valid);
  }

  #make(batch: Batch, { over, type }: RowExpression): void {
    const { start, end, valid } = this.#places;
    const into = this.#made;
    const value = over(batch);
    into.length = 0;
    for (let row = 0; row < batch.rows; row++) {
      const key = value(row);
      valid[row] = key === null ? 0 : 1;
      start[row] = into.length;
      if (key !== null && this.#before === "") writeKey(into, key, type);
      else if (key !== null) writeKeyObject(into, this.#before, key, type);
      end[row] = into.length;
    }
  }
}

/** All keys are objects of one form: the code that reads them is compiled for it. */
function rowKeys(bytes: Uint8Array, start: Int32Array, end: Int32Array, valid: Uint8Array | null): RowKeys {
  return { bytes: viewOf(bytes), start, end, valid };
}

function placesFor(rows: number): { readonly start: Int32Array; readonly end: Int32Array; readonly valid: Uint8Array } {
  return { start: new Int32Array(rows), end: new Int32Array(rows), valid: new Uint8Array(rows) };
}

/** A key is its text: the same bytes that a Kafka producer with a string serialiser would send. */
function writeKey(into: ByteWriter, value: unknown, type: Type): void {
  if (type.kind === "string") writeText(into, value as string);
  else if (type.kind === "decimal") writeDecimal(into, value as number, type.scale);
  else writeInteger(into, value as number);
}

/** As change data capture writes keys: decimals are text there too. */
function writeKeyObject(into: ByteWriter, before: string, value: unknown, type: Type): void {
  writeText(into, before);
  if (type.kind === "string") writeText(into, JSON.stringify(value));
  else {
    if (type.kind === "decimal") writeText(into, '"');
    writeKey(into, value, type);
    if (type.kind === "decimal") writeText(into, '"');
  }
  writeText(into, "}");
}
