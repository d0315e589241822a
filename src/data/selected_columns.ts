/**
 * Columns of chosen rows, gathered where somebody first reads them: most fields of a record that a filter lets through are only passed on,
 * in the bytes that they came in. Invariant: they look as if they had been gathered at once, for as long as nobody writes into what they
 * are gathered from, the numbers of the rows included.
 */
import type { Column, NumberColumn, TextColumn, ValueColumn } from "./batch.ts";

/** Rows of a batch, in some order. */
export class ChosenRows {
  readonly rows: Int32Array;
  /** The last choice that these rows were looked up in, and what came of it: all columns of a batch ask for the same. */
  #last: { readonly among: ChosenRows; readonly found: ChosenRows } | null = null;

  constructor(rows: Int32Array) {
    this.rows = rows;
  }
  /** Where these rows of what was chosen lie in what it was chosen from. */
  among(chosen: ChosenRows): ChosenRows {
    if (this.#last?.among !== chosen) this.#last = { among: chosen, found: new ChosenRows(selectPlaces(chosen.rows, this.rows)) };
    return this.#last.found;
  }
}

/** The rows of one column, in that order. A choice from a choice that nobody has read yet is gathered once. */
export function selectColumn<C extends Column>(column: C, chosen: ChosenRows): C;
export function selectColumn(column: Column, chosen: ChosenRows): Column {
  switch (column.kind) {
    case "number":
      return column instanceof SelectedNumbers ? column.select(chosen) : new SelectedNumbers(column, chosen);
    case "text":
      return column instanceof SelectedTexts ? column.select(chosen) : new SelectedTexts(column, chosen);
    case "value":
      return column instanceof SelectedValues ? column.select(chosen) : new SelectedValues(column, chosen);
  }
}

class SelectedNumbers implements NumberColumn {
  readonly kind = "number";
  readonly #of: NumberColumn;
  readonly #chosen: ChosenRows;
  #values: Float64Array | null = null;
  #valid: Uint8Array | null | undefined = undefined;

  constructor(of: NumberColumn, chosen: ChosenRows) {
    this.#of = of;
    this.#chosen = chosen;
  }
  select(chosen: ChosenRows): NumberColumn {
    return this.#values === null ? new SelectedNumbers(this.#of, chosen.among(this.#chosen)) : new SelectedNumbers(this, chosen);
  }
  get values(): Float64Array {
    return this.#values ??= selectNumbers(this.#of.values, this.#chosen.rows);
  }
  get valid(): Uint8Array | null {
    return this.#valid === undefined ? this.#valid = selectValid(this.#of.valid, this.#chosen.rows) : this.#valid;
  }
}

class SelectedTexts implements TextColumn {
  readonly kind = "text";
  readonly #of: TextColumn;
  readonly #chosen: ChosenRows;
  #start: Int32Array | null = null;
  #end: Int32Array | null = null;
  #valid: Uint8Array | null | undefined = undefined;

  constructor(of: TextColumn, chosen: ChosenRows) {
    this.#of = of;
    this.#chosen = chosen;
  }
  select(chosen: ChosenRows): TextColumn {
    return this.#start === null ? new SelectedTexts(this.#of, chosen.among(this.#chosen)) : new SelectedTexts(this, chosen);
  }
  get bytes(): Uint8Array {
    return this.#of.bytes;
  }
  get start(): Int32Array {
    return this.#start ??= selectPlaces(this.#of.start, this.#chosen.rows);
  }
  get end(): Int32Array {
    return this.#end ??= selectPlaces(this.#of.end, this.#chosen.rows);
  }
  get valid(): Uint8Array | null {
    return this.#valid === undefined ? this.#valid = selectValid(this.#of.valid, this.#chosen.rows) : this.#valid;
  }
  at(row: number): string | null {
    return this.#of.at(this.#chosen.rows[row]);
  }
}

class SelectedValues implements ValueColumn {
  readonly kind = "value";
  readonly #of: ValueColumn;
  readonly #chosen: ChosenRows;
  #values: readonly unknown[] | null = null;

  constructor(of: ValueColumn, chosen: ChosenRows) {
    this.#of = of;
    this.#chosen = chosen;
  }
  select(chosen: ChosenRows): ValueColumn {
    return this.#values === null ? new SelectedValues(this.#of, chosen.among(this.#chosen)) : new SelectedValues(this, chosen);
  }
  get values(): readonly unknown[] {
    return this.#values ??= selectValues(this.#of.values, this.#chosen.rows);
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
