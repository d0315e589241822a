/**
 * The index of a table whose key is two numbers: open addressing over two columns, without bytes. Invariant: as for one number; a null
 * part is kept as NaN.
 */
import { assert } from "../../data/fault.ts";
import { hashNumber } from "../../data/number_index.ts";
import type { KeyPart } from "../contracts.ts";
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { Keys } from "./keys.ts";
import { packNumbersAt, unpackNumbers } from "./packed_numbers.ts";
import type { Slots } from "./slots.ts";

export class NumberPairKeys implements Keys {
  readonly #slots: Slots;
  #first = new Float64Array(16);
  #second = new Float64Array(16);
  /**
   * Slot + 1 in the low bits, as many as the length needs, and above them the hash's own bits: a key that is not there seldom costs
   * a look at the columns. 0 where free; a power of two, at least twice `size`.
   */
  #index = new Int32Array(64);
  /** What `warm` read, kept so that no compiler may leave reading it out. */
  warmed = 0;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  find(a: KeyPart, b?: KeyPart): number {
    const first = numberOf(a);
    const second = numberOf(b);
    return this.#lookUp(first, second, hashPair(first, second));
  }

  insert(a: KeyPart, b?: KeyPart): number {
    const first = numberOf(a);
    const second = numberOf(b);
    const hash = hashPair(first, second);
    const found = this.#lookUp(first, second, hash);
    if (found >= 0) return found;
    const slot = this.#slots.take();
    this.resize();
    this.#first[slot] = first + 0; // -0 + 0 is 0: they are one key
    this.#second[slot] = second + 0;
    if (this.#slots.size * 2 > this.#index.length) this.reindex();
    else this.#enter(slot, hash);
    return slot;
  }

  remove(slot: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let free = this.#hashOf(slot) & mask;
    while ((index[free] & mask) - 1 !== slot) free = free + 1 & mask;
    for (let at = free + 1 & mask; index[at] !== 0; at = at + 1 & mask) {
      const home = this.#hashOf((index[at] & mask) - 1) & mask;
      if ((at - home & mask) < (at - free & mask)) continue;
      index[free] = index[at];
      free = at;
    }
    index[free] = 0;
  }

  clear(): void {}

  findText(): number {
    throw new Error("a key of numbers is no text");
  }
  insertText(): number {
    return this.findText();
  }

  warm([first, second]: readonly Float64Array[], from: number, to: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let read = 0;
    for (let i = from; i < to; i++) read ^= index[hashPair(first[i], second[i]) & mask];
    this.warmed = read;
  }

  keyOf(slot: number): readonly KeyPart[] {
    return [partOf(this.#first[slot]), partOf(this.#second[slot])];
  }

  resize(): void {
    const { size } = this.#slots;
    if (size <= this.#first.length) return;
    const capacity = Math.max(this.#first.length * 2, size);
    this.#first = grown(this.#first, capacity);
    this.#second = grown(this.#second, capacity);
  }

  reindex(): void {
    const { size } = this.#slots;
    let capacity = this.#index.length;
    while (capacity < size * 2) capacity *= 2;
    this.#index = new Int32Array(capacity);
    for (let slot = 0; slot < size; slot++) if (this.#slots.isLive(slot)) this.#enter(slot, this.#hashOf(slot));
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    packNumbersAt(writer, this.#first, slots);
    packNumbersAt(writer, this.#second, slots);
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    for (const column of [this.#first, this.#second]) {
      const parts = unpackNumbers(reader, slots.length);
      for (let i = 0; i < slots.length; i++) column[slots[i]] = parts[i];
    }
  }

  #lookUp(first: number, second: number, hash: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    for (let at = hash & mask;; at = at + 1 & mask) {
      const entry = index[at];
      if (entry === 0) return -1;
      if (((entry ^ hash) & ~mask) !== 0) continue;
      const slot = (entry & mask) - 1;
      if (isSame(this.#first[slot], first) && isSame(this.#second[slot], second)) return slot;
    }
  }

  #hashOf(slot: number): number {
    return hashPair(this.#first[slot], this.#second[slot]);
  }

  #enter(slot: number, hash: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let at = hash & mask;
    while (index[at] !== 0) at = at + 1 & mask;
    index[at] = hash & ~mask | slot + 1;
  }
}

function numberOf(part: KeyPart | undefined): number {
  if (typeof part === "number") {
    assert(part === part, "NaN is no key");
    return part;
  }
  assert(part === null, "a number key is a number or null");
  return NaN;
}
const partOf = (value: number): KeyPart => value === value ? value : null;
const isSame = (a: number, b: number): boolean => a === b || a !== a && b !== b;
/** The first part's hash is turned, so that equal parts do not cancel each other. */
function hashPair(first: number, second: number): number {
  const h = Math.imul(hashNumber(first), 0x9e37_79b1) ^ hashNumber(second);
  return Math.imul(h ^ h >>> 15, 0x2c1b_3c6d) ^ h >>> 13;
}
function grown(from: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const into = new Float64Array(capacity);
  into.set(from);
  return into;
}
