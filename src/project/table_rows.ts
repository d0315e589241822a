/**
 * A reference table in memory: columns and a hash index over the key. Invariant: filled once per start, before any lane reads
 * it; the column objects stay the same ones, so plans may hold them.
 */
import type { LoadableRows, TableLoading } from "./contracts.ts";
import type { NumberRows, TextPlaces, ValueRows } from "../component/component.ts";
import type { Batch, Column, TextColumn } from "../data/batch.ts";
import { cell, countingFrom, makeMeta, numberColumn, valueColumn } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import { NumberIndex } from "../data/number_index.ts";
import { TextIndex } from "../data/text_index.ts";
import type { RecordType } from "../data/types.ts";
import { viewOf } from "../data/words.ts";
import { emptyColumn, growingColumn } from "./growing_columns.ts";
import { ROWS_PER_CALL } from "../data/limits.ts";

/**
 * Rows of `type`, found by its field `key`. A million rows of eight fields take some 100 MB. A key that is a text stands in the index
 * alone, unless it is among the fields that are read (absent: all are): a string of each would take longer to make than the row to find.
 */
export class KeyedRows implements LoadableRows {
  loads = 0;
  readonly columns: readonly (NumberRows | ValueRows)[];
  readonly #type: RecordType;
  readonly #keyIndex: number;
  #rowByNumber = new NumberIndex();
  #rowByText = new TextIndex();

  constructor(type: RecordType, key: string, private readonly read: ReadonlySet<string> | null = null) {
    this.#type = type;
    this.#keyIndex = type.fields.findIndex((field) => field.name === key);
    assert(this.#keyIndex >= 0, `the table's key "${key}" is one of its fields`);
    this.columns = type.fields.map(emptyColumn);
  }

  find(key: number | string | null): number {
    if (typeof key === "number") return this.#rowByNumber.find(key);
    return key === null ? -1 : this.#rowByText.find(key);
  }

  findText(bytes: DataView, from: number, to: number): number {
    return this.#rowByText.findBytes(bytes, from, to);
  }

  findTexts({ bytes, start, end, valid }: TextPlaces, from: number, to: number, found: Int32Array): void {
    this.#rowByText.findBlock(bytes, start, end, from, to, found);
    if (valid === null) return;
    for (let row = from; row < to; row++) if (valid[row] === 0) found[row - from] = -1;
  }

  get size(): number {
    return this.#rowByNumber.size + this.#rowByText.size;
  }

  begin(type: RecordType): TableLoading {
    assert(type.fields.length === this.#type.fields.length, "a table is loaded with its own type");
    this.#rowByNumber = new NumberIndex();
    this.#rowByText = new TextIndex();
    const columns = this.#type.fields.map((field, index) => this.#isInIndex(index) ? null : growingColumn(field, this.columns[index]));
    return {
      add: (batch) => {
        const { rows, count, duplicates } = this.#index(batch);
        for (let from = 0; from < count; from += ROWS_PER_CALL) {
          const to = Math.min(from + ROWS_PER_CALL, count);
          columns.forEach((column, index) => column?.add(batch.columns[index], rows, from, to));
        }
        return duplicates;
      },
      finish: () => {
        for (const column of columns) column?.finish();
        this.loads++;
      },
    };
  }

  load(type: RecordType, batches: Iterable<Batch>): { readonly duplicates: readonly number[] } {
    const loading = this.begin(type);
    const duplicates: number[] = [];
    let seen = 0;
    for (const batch of batches) {
      for (const row of loading.add(batch)) duplicates.push(seen + row);
      seen += batch.rows;
    }
    loading.finish();
    return { duplicates };
  }

  batch(name: string, fields: ReadonlySet<string>): Batch {
    const rows = this.size;
    const columns = this.#type.fields.map(({ name }, index): Column | null => {
      const column = this.columns[index];
      if (!fields.has(name)) return null;
      if (this.#isInIndex(index)) return this.#rowByText.column();
      return column.kind === "number" ? numberColumn(column.values, column.valid) : valueColumn(column.values);
    });
    return { rows, type: this.#type, columns, meta: makeMeta(name, 0, countingFrom(1, rows)) };
  }

  /** Whether the index alone holds the field's values. */
  #isInIndex(field: number): boolean {
    const { name, type } = this.#type.fields[field];
    return field === this.#keyIndex && type.kind === "string" && this.read !== null && !this.read.has(name);
  }

  /** The rows of the batch whose key is new, and the others. */
  #index(batch: Batch): { readonly rows: Int32Array; readonly count: number; readonly duplicates: readonly number[] } {
    const keyField = this.#type.fields[this.#keyIndex];
    const column = batch.columns[this.#keyIndex];
    assert(column, "a table's key is decoded");
    if (column.kind === "text" && column.valid === null && keyField.type.kind === "string") return this.#indexTexts(column, batch.rows);
    const rows = new Int32Array(batch.rows);
    const duplicates: number[] = [];
    let count = 0;
    for (let row = 0; row < batch.rows; row++) {
      const key = (column.kind === "number" ? column.values[row] : cell(column, keyField.type, row)) as number | string;
      if (this.find(key) >= 0) duplicates.push(row);
      else {
        if (typeof key === "number") this.#rowByNumber.append(key);
        else this.#rowByText.append(key);
        rows[count++] = row;
      }
    }
    return { rows, count, duplicates };
  }

  /** The same where keys are texts: they are compared and copied where they lie. */
  #indexTexts(column: TextColumn, batchRows: number): { rows: Int32Array; count: number; duplicates: readonly number[] } {
    const taken = { view: viewOf(column.bytes), rows: new Int32Array(batchRows), count: 0, duplicates: [] };
    for (let from = 0; from < batchRows; from += ROWS_PER_CALL) {
      this.#indexSomeTexts(column, from, Math.min(from + ROWS_PER_CALL, batchRows), taken);
    }
    return taken;
  }

  #indexSomeTexts({ start, end }: TextColumn, from: number, to: number, taken: TakenTexts): void {
    const { view, rows, duplicates } = taken;
    let { count } = taken;
    for (let row = from; row < to; row++) {
      if (this.#rowByText.findBytes(view, start[row], end[row]) >= 0) duplicates.push(row);
      else {
        this.#rowByText.appendBytes(view, start[row], end[row]);
        rows[count++] = row;
      }
    }
    taken.count = count;
  }
}

/** Rows of a batch whose key was new, and the others. */
interface TakenTexts {
  readonly view: DataView;
  readonly rows: Int32Array;
  count: number;
  readonly duplicates: number[];
}
