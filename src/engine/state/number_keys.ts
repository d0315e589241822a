/**
 * The index of a table with one number key. Invariant: `find` gives the slot that `insert` gave; slots count up from 0 and never
 * move. Numbers are equal as `===` has it (0 is -0); NaN is no key, and stands for the null key where keys are stored.
 */
import { assert } from "../../data/fault.ts";
import { NumberIndex } from "../../data/number_index.ts";
import type { KeyPart } from "../contracts.ts";
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { Keys } from "./keys.ts";
import { packNumbers, unpackNumbers } from "./packed_numbers.ts";

export class NumberKeys implements Keys {
  readonly #index = new NumberIndex();
  #nullSlot = -1;

  get size(): number {
    return this.#index.size;
  }

  find(key: KeyPart): number {
    return typeof key === "number" ? this.#index.find(key) : this.#findNull(key);
  }

  insert(key: KeyPart): number {
    const found = this.find(key);
    if (found >= 0) return found;
    assert(key === key, "NaN is no key");
    if (key !== null) return this.#index.append(key as number);
    return this.#nullSlot = this.#index.append(NaN);
  }

  keyOf(slot: number): readonly KeyPart[] {
    return [slot === this.#nullSlot ? null : this.#index.keyAt(slot)];
  }

  resize(size: number): void {
    this.#index.resize(size);
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
      this.#index.put(slots[i], keys[i]);
      if (keys[i] !== keys[i]) this.#nullSlot = slots[i];
    }
  }

  #findNull(key: KeyPart | undefined): number {
    assert(key === null, "a number key is a number or null");
    return this.#nullSlot;
  }
}
