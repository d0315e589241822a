/** Columns of a table while it is loaded, batch by batch. Invariant: nothing of a batch is kept alive: texts are copied out of it. */
import type { NumberRows, ValueRows } from "../component/component.ts";
import type { Column, TextColumn } from "../data/batch.ts";
import { cell, detach, ownText } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import { type Field, isNumeric } from "../data/types.ts";

/** One column; `column` is absent where nobody reads the field. */
export interface GrowingColumn {
  /** The batch's rows `rows[from, to)`, a few hundred of them at a time. */
  add(column: Column | null, rows: Int32Array, from: number, to: number): void;
  /** Hands all rows over. */
  finish(): void;
}

/** A column that will be `target`'s. */
export function growingColumn(field: Field, target: NumberRows | ValueRows): GrowingColumn {
  return target.kind === "number" ? new GrowingNumbers(target) : new GrowingValues(field, target);
}

/** An empty column of the field's kind. */
export const emptyColumn = (field: Field): NumberRows | ValueRows =>
  isNumeric(field.type) ? { kind: "number", values: new Float64Array(0), valid: null } : { kind: "value", values: [] };

class GrowingNumbers implements GrowingColumn {
  #values = new Float64Array(1024);
  #valid: Uint8Array<ArrayBuffer> | null = null;
  #count = 0;
  constructor(private readonly target: NumberRows) {}

  add(column: Column | null, rows: Int32Array, from: number, to: number): void {
    this.#reserve(this.#count + to - from);
    if (column !== null) {
      assert(column.kind === "number", "numbers are kept as numbers");
      take(column.values, rows, from, to, this.#values, this.#count);
      if (column.valid !== null) this.#noteNulls(column.valid, rows, from, to);
    }
    this.#count += to - from;
  }

  #noteNulls(valid: Uint8Array, rows: Int32Array, from: number, to: number): void {
    this.#valid ??= new Uint8Array(this.#values.length).fill(1);
    for (let i = from; i < to; i++) this.#valid[this.#count + i - from] = valid[rows[i]];
  }

  #reserve(count: number): void {
    if (count <= this.#values.length) return;
    const capacity = Math.max(count, this.#values.length * 2);
    const values = new Float64Array(capacity);
    values.set(this.#values);
    this.#values = values;
    if (this.#valid === null) return;
    const valid = new Uint8Array(capacity).fill(1);
    valid.set(this.#valid);
    this.#valid = valid;
  }

  finish(): void {
    this.target.values = this.#values.slice(0, this.#count);
    this.target.valid = this.#valid && this.#valid.slice(0, this.#count);
  }
}

function take(values: Float64Array, rows: Int32Array, from: number, to: number, into: Float64Array, at: number): void {
  for (let i = from; i < to; i++) into[at + i - from] = values[rows[i]];
}

class GrowingValues implements GrowingColumn {
  readonly #values: unknown[] = [];
  constructor(private readonly field: Field, private readonly target: ValueRows) {}

  add(column: Column | null, rows: Int32Array, from: number, to: number): void {
    if (column?.kind === "text") this.#addTexts(column, rows, from, to);
    else for (let i = from; i < to; i++) this.#values.push(column === null ? null : this.#own(column, rows[i]));
  }

  #addTexts(column: TextColumn, rows: Int32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) this.#values.push(ownText(column, rows[i]));
  }

  #own(column: Column, row: number): unknown {
    const value = cell(column, this.field.type, row);
    return typeof value === "string" ? detach(value) : value;
  }

  finish(): void {
    this.target.values = this.#values;
  }
}
