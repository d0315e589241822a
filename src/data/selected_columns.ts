/**
 * Columns of chosen rows, gathered where somebody first reads them: most fields of a record that a filter lets through are only passed on,
 * in the bytes that they came in. Invariant: they look as if they had been gathered at once, for as long as nobody writes into what they
 * are gathered from, the numbers of the rows included.
 */
import type { Column, NumberColumn, TextColumn, ValueColumn } from "./batch.ts";

/** The rows of one column, in that order. */
export function selectColumn<C extends Column>(column: C, rows: Int32Array): C;
export function selectColumn(column: Column, rows: Int32Array): Column {
  switch (column.kind) {
    case "number":
      return new SelectedNumbers(column, rows);
    case "text":
      return new SelectedTexts(column, rows);
    case "value":
      return new SelectedValues(column, rows);
  }
}

class SelectedNumbers implements NumberColumn {
  readonly kind = "number";
  readonly #of: NumberColumn;
  readonly #rows: Int32Array;
  #values: Float64Array | null = null;
  #valid: Uint8Array | null | undefined = undefined;

  constructor(of: NumberColumn, rows: Int32Array) {
    this.#of = of;
    this.#rows = rows;
  }
  get values(): Float64Array {
    return this.#values ??= selectNumbers(this.#of.values, this.#rows);
  }
  get valid(): Uint8Array | null {
    return this.#valid === undefined ? this.#valid = selectValid(this.#of.valid, this.#rows) : this.#valid;
  }
}

class SelectedTexts implements TextColumn {
  readonly kind = "text";
  readonly #of: TextColumn;
  readonly #rows: Int32Array;
  #start: Int32Array | null = null;
  #end: Int32Array | null = null;
  #valid: Uint8Array | null | undefined = undefined;

  constructor(of: TextColumn, rows: Int32Array) {
    this.#of = of;
    this.#rows = rows;
  }
  get bytes(): Uint8Array {
    return this.#of.bytes;
  }
  get start(): Int32Array {
    return this.#start ??= selectPlaces(this.#of.start, this.#rows);
  }
  get end(): Int32Array {
    return this.#end ??= selectPlaces(this.#of.end, this.#rows);
  }
  get valid(): Uint8Array | null {
    return this.#valid === undefined ? this.#valid = selectValid(this.#of.valid, this.#rows) : this.#valid;
  }
  at(row: number): string | null {
    return this.#of.at(this.#rows[row]);
  }
}

class SelectedValues implements ValueColumn {
  readonly kind = "value";
  readonly #of: ValueColumn;
  readonly #rows: Int32Array;
  #values: readonly unknown[] | null = null;

  constructor(of: ValueColumn, rows: Int32Array) {
    this.#of = of;
    this.#rows = rows;
  }
  get values(): readonly unknown[] {
    return this.#values ??= selectValues(this.#of.values, this.#rows);
  }
}

export function selectNumbers(values: Float64Array, rows: Int32Array): Float64Array {
  const chosen = new Float64Array(rows.length);
  for (let i = 0; i < chosen.length; i++) chosen[i] = values[rows[i]];
  return chosen;
}

export function selectBytes(values: Uint8Array, rows: Int32Array): Uint8Array {
  const chosen = new Uint8Array(rows.length);
  for (let i = 0; i < chosen.length; i++) chosen[i] = values[rows[i]];
  return chosen;
}

function selectPlaces(places: Int32Array, rows: Int32Array): Int32Array {
  const chosen = new Int32Array(rows.length);
  for (let i = 0; i < chosen.length; i++) chosen[i] = places[rows[i]];
  return chosen;
}

function selectValues(values: readonly unknown[], rows: Int32Array): unknown[] {
  const chosen = new Array<unknown>(rows.length);
  for (let i = 0; i < chosen.length; i++) chosen[i] = values[rows[i]];
  return chosen;
}

/** null when none of the chosen rows is null. */
function selectValid(valid: Uint8Array | null, rows: Int32Array): Uint8Array | null {
  if (valid === null) return null;
  const chosen = selectBytes(valid, rows);
  return chosen.includes(0) ? chosen : null;
}
