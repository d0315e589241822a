/**
 * Distinct values of a column, found by a hash table over typed arrays, and given up as soon as they plainly do not pay.
 * Invariant: values keep the order in which they came first; numbers are told apart by their bits.
 */
import type { NumberGroup, TextGroup } from "./row_group.ts";

/** The distinct values as rows of the group, and for every row that is not null, in order, which it has. */
export interface Dictionary {
  readonly first: Int32Array;
  readonly indexes: Int32Array;
}

/** Distinct values at most; an index then takes two bytes. */
const DISTINCT_MAX = 1 << 16;
/** After so many rows it is looked whether values come again. */
const TRIAL_ROWS = 4096;

/** Null where more than half of the values are new. */
export function dictionaryOf(group: NumberGroup | TextGroup): Dictionary | null {
  const table = group.kind === "number" ? new NumberTable(group) : new TextTable(group);
  const { rows, valid, nulls } = group;
  const indexes = new Int32Array(rows - nulls);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    if (valid !== null && valid[row] === 0) continue;
    indexes[at++] = table.indexOf(row);
    if (table.count > DISTINCT_MAX || at === TRIAL_ROWS && table.count * 2 > TRIAL_ROWS) return null;
  }
  return at > 0 && table.count * 2 <= at ? { first: table.first.subarray(0, table.count), indexes } : null;
}

abstract class Table {
  count = 0;
  /** Rows of the distinct values. */
  first = new Int32Array(256);
  /** Indexes of values, -1 where free; at most half full. */
  #slots = new Int32Array(1024).fill(-1);

  protected abstract hash(row: number): number;
  protected abstract isEqual(a: number, b: number): boolean;

  indexOf(row: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.hash(row) & mask;
    for (let index = this.#slots[slot]; index >= 0; index = this.#slots[slot]) {
      if (this.isEqual(this.first[index], row)) return index;
      slot = slot + 1 & mask;
    }
    if (this.count === this.first.length) {
      const grown = new Int32Array(2 * this.count);
      grown.set(this.first);
      this.first = grown;
    }
    this.first[this.count] = row;
    this.#slots[slot] = this.count++;
    if (2 * this.count > this.#slots.length) this.#grow();
    return this.count - 1;
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length).fill(-1);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      let slot = this.hash(this.first[index]) & mask;
      while (slots[slot] >= 0) slot = slot + 1 & mask;
      slots[slot] = index;
    }
    this.#slots = slots;
  }
}

class NumberTable extends Table {
  readonly #words: Uint32Array;
  constructor({ values }: NumberGroup) {
    super();
    this.#words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  }
  protected hash(row: number): number {
    const mixed = Math.imul(this.#words[2 * row] ^ Math.imul(this.#words[2 * row + 1], 0x85ebca6b), 0x9e3779b1);
    return mixed ^ mixed >>> 15;
  }
  protected isEqual(a: number, b: number): boolean {
    return this.#words[2 * a] === this.#words[2 * b] && this.#words[2 * a + 1] === this.#words[2 * b + 1];
  }
}

class TextTable extends Table {
  constructor(private readonly group: TextGroup) {
    super();
  }
  protected hash(row: number): number {
    const { bytes, ends } = this.group;
    let hash = 0x811c9dc5;
    for (let i = row === 0 ? 0 : ends[row - 1]; i < ends[row]; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    return hash ^ hash >>> 15;
  }
  protected isEqual(a: number, b: number): boolean {
    const { bytes, ends } = this.group;
    const startA = a === 0 ? 0 : ends[a - 1];
    const startB = b === 0 ? 0 : ends[b - 1];
    const length = ends[a] - startA;
    if (ends[b] - startB !== length) return false;
    for (let i = 0; i < length; i++) if (bytes[startA + i] !== bytes[startB + i]) return false;
    return true;
  }
}
