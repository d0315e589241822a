/**
 * A reference table in memory: columns and a hash index over the key. Invariant: filled once per start, before any lane reads
 * it; the column objects stay the same ones, so plans may hold them.
 */
import type { LoadableRows } from "./contracts.ts";
import type { NumberRows, ValueRows } from "../component/component.ts";
import type { Batch, Column } from "../data/batch.ts";
import { cell, detach, ownText, selectColumn } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import { NumberIndex } from "../data/number_index.ts";
import { TextIndex } from "../data/text_index.ts";
import { type Field, isNumeric, type RecordType } from "../data/types.ts";

/** Rows of `type`, found by its field `key`. A million rows of eight fields take some 100 MB. */
export class KeyedRows implements LoadableRows {
  readonly columns: readonly (NumberRows | ValueRows)[];
  readonly #type: RecordType;
  readonly #keyIndex: number;
  #rowByNumber = new NumberIndex();
  #rowByText = new TextIndex();

  constructor(type: RecordType, key: string) {
    this.#type = type;
    this.#keyIndex = type.fields.findIndex((field) => field.name === key);
    assert(this.#keyIndex >= 0, `the table's key "${key}" is one of its fields`);
    this.columns = type.fields.map((field) =>
      isNumeric(field.type) ? { kind: "number", values: new Float64Array(0), valid: null } : { kind: "value", values: [] }
    );
  }

  find(key: number | string | null): number {
    if (typeof key === "number") return this.#rowByNumber.find(key);
    return key === null ? -1 : this.#rowByText.find(key);
  }

  findText(bytes: DataView, from: number, to: number): number {
    return this.#rowByText.findBytes(bytes, from, to);
  }

  /** Replaces all rows. The first row of a key stays; the places of later ones, counted over all batches, are told. */
  load(type: RecordType, batches: Iterable<Batch>): { readonly duplicates: readonly number[] } {
    assert(type.fields.length === this.#type.fields.length, "a table is loaded with its own type");
    const kept: Kept[] = [];
    const duplicates: number[] = [];
    this.#rowByNumber = new NumberIndex();
    this.#rowByText = new TextIndex();
    let seen = 0;
    for (const batch of batches) {
      kept.push({ batch, rows: this.#index(batch, seen, duplicates) });
      seen += batch.rows;
    }
    const count = this.#rowByNumber.size + this.#rowByText.size;
    this.#type.fields.forEach((field, index) => {
      const target = this.columns[index];
      if (target.kind === "number") fillNumbers(target, kept, index, count);
      else fillValues(target, kept, index, field, count);
    });
    return { duplicates };
  }

  /** The rows whose key is new; null for all. */
  #index(batch: Batch, seen: number, duplicates: number[]): Int32Array | null {
    const keyField = this.#type.fields[this.#keyIndex];
    const column = batch.columns[this.#keyIndex];
    assert(column, "a table's key is decoded");
    const rows = new Int32Array(batch.rows);
    let count = 0;
    for (let row = 0; row < batch.rows; row++) {
      const key = (column.kind === "number" ? column.values[row] : cell(column, keyField.type, row)) as number | string;
      if (this.find(key) >= 0) duplicates.push(seen + row);
      else {
        if (typeof key === "number") this.#rowByNumber.append(key);
        else this.#rowByText.append(key);
        rows[count++] = row;
      }
    }
    return count === batch.rows ? null : rows.subarray(0, count);
  }
}

/** A batch and those of its rows that stay; null for all. */
interface Kept {
  readonly batch: Batch;
  readonly rows: Int32Array | null;
}
const countOf = ({ batch, rows }: Kept): number => rows === null ? batch.rows : rows.length;

function fillNumbers(target: NumberRows, kept: readonly Kept[], index: number, count: number): void {
  const values = new Float64Array(count);
  let valid: Uint8Array | null = null;
  let at = 0;
  for (const one of kept) {
    const { batch, rows } = one;
    const whole = batch.columns[index];
    if (whole) {
      const column = rows === null ? whole : selectColumn(whole, rows, rows.length);
      assert(column.kind === "number", "numbers are kept as numbers");
      values.set(column.values.subarray(0, countOf(one)), at);
      if (column.valid !== null) (valid ??= new Uint8Array(count).fill(1)).set(column.valid.subarray(0, countOf(one)), at);
    }
    at += countOf(one);
  }
  target.values = values;
  target.valid = valid;
}

function fillValues(target: ValueRows, kept: readonly Kept[], index: number, field: Field, count: number): void {
  const values = new Array<unknown>(count).fill(null);
  let at = 0;
  for (const one of kept) {
    const column = one.batch.columns[index];
    if (column) fillSome(values, at, one, column, field);
    at += countOf(one);
  }
  target.values = values;
}
function fillSome(values: unknown[], at: number, { batch, rows }: Kept, column: Column, field: Field): void {
  const count = rows === null ? batch.rows : rows.length;
  for (let i = 0; i < count; i++) values[at + i] = ownValue(column, field, rows === null ? i : rows[i]);
}
function ownValue(column: Column, field: Field, row: number): unknown {
  if (column.kind === "text") return ownText(column, row);
  const value = cell(column, field.type, row);
  return typeof value === "string" ? detach(value) : value;
}
