/**
 * Which slots of a table hold a row. Invariant: a slot is handed out again only after it was released; which one comes next depends on
 * the order of calls alone, and nothing outside of the table's own bytes may depend on it.
 */
import { assert } from "../../data/fault.ts";

export class Slots {
  /** Slots that were ever handed out; all numbers below are either live or free. */
  size = 0;
  #free = new Int32Array(16);
  #freeCount = 0;
  /** 1 where a row is. */
  #there = new Uint8Array(16);

  /** Rows there. */
  get live(): number {
    return this.size - this.#freeCount;
  }

  isLive(slot: number): boolean {
    return this.#there[slot] === 1;
  }

  take(): number {
    const slot = this.#freeCount > 0 ? this.#free[--this.#freeCount] : this.size;
    if (slot === this.size) this.resize(slot + 1);
    else this.#there[slot] = 1;
    return slot;
  }

  release(slot: number): void {
    assert(this.isLive(slot), "only a row that is there is removed");
    this.#there[slot] = 0;
    if (this.#freeCount === this.#free.length) {
      const free = new Int32Array(this.#freeCount * 2);
      free.set(this.#free);
      this.#free = free;
    }
    this.#free[this.#freeCount++] = slot;
  }

  /** Slots up to `size` exist, new ones as live. */
  resize(size: number): void {
    if (size > this.#there.length) {
      const there = new Uint8Array(Math.max(this.#there.length * 2, size));
      there.set(this.#there);
      this.#there = there;
    }
    this.#there.fill(1, this.size, size);
    this.size = size;
  }

  /** Restoring: whether the slot holds a row, as the newest stored change says. Finish with `restored`. */
  mark(slot: number, now: "live" | "free"): void {
    this.#there[slot] = now === "live" ? 1 : 0;
  }
  restored(): void {
    let free = 0;
    for (let slot = 0; slot < this.size; slot++) if (this.#there[slot] === 0) free++;
    this.#free = new Int32Array(Math.max(16, free));
    this.#freeCount = 0;
    // The lowest are handed out first.
    for (let slot = this.size - 1; slot >= 0; slot--) if (this.#there[slot] === 0) this.#free[this.#freeCount++] = slot;
  }
}
