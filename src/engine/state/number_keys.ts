/**
 * The index of a table with one number key. Invariant: `find` gives the slot that `insert` gave; slots never move. Numbers are equal
 * as `===` has it (0 is -0); NaN is no key, and stands for the null key where keys are stored.
 */
import { assert } from "../../data/fault.ts";
import { NumberIndex } from "../../data/number_index.ts";
import type { KeyPart } from "../contracts.ts";
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { Keys } from "./keys.ts";
import { packNumbers, unpackNumbers } from "./packed_numbers.ts";
import type { Slots } from "./slots.ts";

export class NumberKeys implements Keys {
  readonly #index = new NumberIndex();
  readonly #slots: Slots;
  #nullSlot = -1;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  find(key: KeyPart): number {
    return typeof key === "number" ? this.#index.find(key) : this.#findNull(key);
  }

  insert(key: KeyPart): number {
    const found = this.find(key);
    if (found >= 0) return found;
    assert(key === key, "NaN is no key");
    const slot = this.#slots.take();
    this.#index.insertAt(slot, key === null ? NaN : key as number);
    if (key === null) this.#nullSlot = slot;
    return slot;
  }

  remove(slot: number): void {
    this.#index.remove(slot);
    if (slot === this.#nullSlot) this.#nullSlot = -1;
  }
  clear(slot: number): void {
    this.#index.put(slot, NaN);
    if (slot === this.#nullSlot) this.#nullSlot = -1;
  }

  findText(): number {
    throw new Error("a key of numbers is no text");
  }
  insertText(): number {
    return this.findText();
  }

  keyOf(slot: number): readonly KeyPart[] {
    return [slot === this.#nullSlot ? null : this.#index.keyAt(slot)];
  }

  resize(): void {
    this.#index.resize(this.#slots.size);
  }
  reindex(): void {
    this.#index.reindex();
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    const keys = new Float64Array(slots.length);
    for (let i = 0; i < slots.length; i++) keys[i] = this.#index.keyAt(slots[i]);
    packNumbers(writer, keys);
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    const keys = unpackNumbers(reader, slots.length);
    for (let i = 0; i < slots.length; i++) {
      this.clear(slots[i]);
      this.#index.put(slots[i], keys[i]);
      if (keys[i] !== keys[i]) this.#nullSlot = slots[i];
    }
  }

  #findNull(key: KeyPart | undefined): number {
    assert(key === null, "a number key is a number or null");
    return this.#nullSlot;
  }
}
