/**
 * The index of a table with one number key: open addressing over the key column itself. Invariant: `find` gives the slot that
 * `insert` gave; slots count up from 0 and never move. Numbers are equal as `===` has it (0 is -0); NaN is no key.
 */
import { assert } from "../../data/fault.ts";
import type { KeyPart } from "../contracts.ts";
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { Keys } from "./keys.ts";

const bits = new Float64Array(1);
const words = new Int32Array(bits.buffer);

/** Mixes all bits of the number into 32. */
function hashNumber(key: number): number {
  let h = key | 0;
  if (h !== key) {
    bits[0] = key;
    h = words[0] ^ Math.imul(words[1], 0x9e37_79b1);
  }
  h = Math.imul(h ^ h >>> 16, 0x85eb_ca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2_ae35);
  return h ^ h >>> 16;
}

export class NumberKeys implements Keys {
  size = 0;
  /** By slot; the null key's slot holds NaN. */
  #keys = new Float64Array(16);
  /** Slot + 1, or 0 where free; a power of two, at least twice `size`. */
  #index = new Int32Array(64);
  #nullSlot = -1;

  find(key: KeyPart): number {
    if (typeof key !== "number") return this.#findNull(key);
    const index = this.#index;
    const keys = this.#keys;
    const mask = index.length - 1;
    for (let at = hashNumber(key) & mask;; at = at + 1 & mask) {
      const slot = index[at] - 1;
      if (slot < 0 || keys[slot] === key) return slot;
    }
  }

  insert(key: KeyPart): number {
    const found = this.find(key);
    if (found >= 0) return found;
    assert(key === null || key === key, "NaN is no key");
    const slot = this.size;
    this.resize(slot + 1);
    this.#put(slot, key === null ? NaN : key as number + 0); // -0 + 0 is 0: they are one key
    if (this.size * 2 > this.#index.length) this.reindex();
    else this.#enter(slot);
    return slot;
  }

  keyOf(slot: number): readonly KeyPart[] {
    return [slot === this.#nullSlot ? null : this.#keys[slot]];
  }

  resize(size: number): void {
    if (size > this.#keys.length) {
      const grown = new Float64Array(Math.max(this.#keys.length * 2, size));
      grown.set(this.#keys);
      this.#keys = grown;
    }
    this.size = size;
  }

  reindex(): void {
    let capacity = this.#index.length;
    while (capacity < this.size * 4) capacity *= 2;
    this.#index = new Int32Array(capacity);
    for (let slot = 0; slot < this.size; slot++) this.#enter(slot);
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    const keys = new Float64Array(slots.length);
    for (let i = 0; i < slots.length; i++) keys[i] = this.#keys[slots[i]];
    writer.raw(keys);
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    const keys = reader.float64s(slots.length);
    for (let i = 0; i < slots.length; i++) this.#put(slots[i], keys[i]);
  }

  #findNull(key: KeyPart | undefined): number {
    assert(key === null, "a number key is a number or null");
    return this.#nullSlot;
  }

  #put(slot: number, key: number): void {
    this.#keys[slot] = key;
    if (key !== key) this.#nullSlot = slot;
  }

  #enter(slot: number): void {
    const key = this.#keys[slot];
    if (key !== key) return;
    const mask = this.#index.length - 1;
    let at = hashNumber(key) & mask;
    while (this.#index[at] !== 0) at = at + 1 & mask;
    this.#index[at] = slot + 1;
  }
}
