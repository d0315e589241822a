/** Columns of a table while it is loaded, batch by batch. Invariant: nothing of a batch is kept alive: texts are copied out of it. */
import type { NumberRows, ValueRows } from "../component/component.ts";
import type { Column } from "../data/batch.ts";
import { cell, detach, ownText } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import { type Field, isNumeric } from "../data/types.ts";

/** One column; `column` is absent where nobody reads the field. */
export interface GrowingColumn {
  /** The batch's rows `rows[0, count)`. */
  add(column: Column | null, rows: Int32Array, count: number): void;
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

  add(column: Column | null, rows: Int32Array, count: number): void {
    this.#reserve(this.#count + count);
    if (column !== null) {
      assert(column.kind === "number", "numbers are kept as numbers");
      for (let i = 0; i < count; i++) this.#values[this.#count + i] = column.values[rows[i]];
      if (column.valid !== null) this.#noteNulls(column.valid, rows, count);
    }
    this.#count += count;
  }

  #noteNulls(valid: Uint8Array, rows: Int32Array, count: number): void {
    this.#valid ??= new Uint8Array(this.#values.length).fill(1);
    for (let i = 0; i < count; i++) this.#valid[this.#count + i] = valid[rows[i]];
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

class GrowingValues implements GrowingColumn {
  readonly #values: unknown[] = [];
  constructor(private readonly field: Field, private readonly target: ValueRows) {}

  add(column: Column | null, rows: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) this.#values.push(column === null ? null : this.#own(column, rows[i]));
  }

  #own(column: Column, row: number): unknown {
    if (column.kind === "text") return ownText(column, row);
    const value = cell(column, this.field.type, row);
    return typeof value === "string" ? detach(value) : value;
  }

  finish(): void {
    this.target.values = this.#values;
  }
}
