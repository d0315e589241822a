/**
 * From numbers to slots 0, 1, 2 ... in order of arrival. Whole numbers that lie close together, as ids mostly do, are found in an
 * array by their value; the others by open addressing. Invariant: slots never move; numbers are equal as `===` has it (0 is -0); NaN
 * may hold a slot but is never found.
 */

const bits = new Float64Array(1);
const words = new Int32Array(bits.buffer);

/** Mixes all bits of the number into 32; the same for every NaN. */
export function hashNumber(key: number): number {
  let h = key | 0;
  if (h !== key) {
    bits[0] = key;
    h = key === key ? words[0] ^ Math.imul(words[1], 0x9e37_79b1) : 0;
  }
  h = Math.imul(h ^ h >>> 16, 0x85eb_ca6b);
  h = Math.imul(h ^ h >>> 13, 0xc2b2_ae35);
  return h ^ h >>> 16;
}

/** Entries of the array by value, per number that is found there: bounds the memory of gaps. */
const DIRECT_ENTRIES_PER_KEY_MAX = 4;
/** The array by value never has more than 2^this entries. */
const DIRECT_BITS_MAX = 29;
const HASHED_ENTRIES_MIN = 64;

export class NumberIndex {
  size = 0;
  /** By slot. */
  #keys = new Float64Array(16);
  /** Slot + 1 by value, 0 where free, for whole numbers below its length. */
  #direct = new Int32Array(0);
  /** For the rest: slot + 1, or 0 where free; a power of two, at least twice `#hashedCount`. */
  #hashed = new Int32Array(HASHED_ENTRIES_MIN);
  #hashedCount = 0;

  /** The number's slot, or -1. */
  find(key: number): number {
    const direct = this.#direct;
    if (key >>> 0 === key && key < direct.length) return direct[key] - 1;
    const hashed = this.#hashed;
    const mask = hashed.length - 1;
    for (let at = hashNumber(key) & mask;; at = at + 1 & mask) {
      const slot = hashed[at] - 1;
      if (slot < 0 || this.#keys[slot] === key) return slot;
    }
  }

  /** The next slot for a number that is not there yet. */
  append(key: number): number {
    const slot = this.size;
    this.insertAt(slot, key);
    return slot;
  }

  /** Puts a number that is not there yet into a slot that holds none: a removed one, or the next. */
  insertAt(slot: number, key: number): void {
    if (slot >= this.size) this.resize(slot + 1);
    this.#keys[slot] = key + 0; // -0 + 0 is 0: they are one number
    this.#enter(slot);
    if (this.#hashedCount * 2 > this.#hashed.length) this.reindex();
  }

  /** Forgets the number of a slot. */
  remove(slot: number): void {
    const key = this.#keys[slot];
    if (key === key) {
      if (key >>> 0 === key && key < this.#direct.length) this.#direct[key] = 0;
      else this.#removeHashed(slot, key);
    }
    this.#keys[slot] = NaN;
  }

  keyAt(slot: number): number {
    return this.#keys[slot];
  }

  /** Makes slots up to `size`, to be filled by `put`, in any order, and then indexed by `reindex`. */
  resize(size: number): void {
    if (size > this.#keys.length) {
      const grown = new Float64Array(Math.max(this.#keys.length * 2, size));
      grown.set(this.#keys);
      this.#keys = grown;
    }
    this.size = size;
  }
  put(slot: number, key: number): void {
    this.#keys[slot] = key;
  }

  reindex(): void {
    const { direct, rest } = this.#division();
    this.#direct = new Int32Array(direct);
    let capacity = HASHED_ENTRIES_MIN;
    while (capacity < rest * 4) capacity *= 2;
    this.#hashed = new Int32Array(capacity);
    this.#hashedCount = 0;
    for (let slot = 0; slot < this.size; slot++) this.#enter(slot);
  }

  /** How long the array by value is best, and how many numbers are then left to the hash. */
  #division(): { readonly direct: number; readonly rest: number } {
    const byBits = new Int32Array(DIRECT_BITS_MAX + 2);
    for (let slot = 0; slot < this.size; slot++) {
      const key = this.#keys[slot];
      byBits[key >>> 0 === key ? Math.min(32 - Math.clz32(key), DIRECT_BITS_MAX + 1) : DIRECT_BITS_MAX + 1]++;
    }
    let best = { direct: 0, rest: this.size };
    let count = 0;
    for (let width = 0; width <= DIRECT_BITS_MAX; width++) {
      count += byBits[width];
      if (count > 0 && count * DIRECT_ENTRIES_PER_KEY_MAX >= 2 ** width) best = { direct: 2 ** width, rest: this.size - count };
    }
    return best;
  }

  #removeHashed(slot: number, key: number): void {
    const hashed = this.#hashed;
    const mask = hashed.length - 1;
    let free = hashNumber(key) & mask;
    while (hashed[free] !== slot + 1) free = free + 1 & mask;
    // Those behind move up, so that no search ends too early at the gap.
    for (let at = free + 1 & mask; hashed[at] !== 0; at = at + 1 & mask) {
      const home = hashNumber(this.#keys[hashed[at] - 1]) & mask;
      if ((at - home & mask) < (at - free & mask)) continue;
      hashed[free] = hashed[at];
      free = at;
    }
    hashed[free] = 0;
    this.#hashedCount--;
  }

  #enter(slot: number): void {
    const key = this.#keys[slot];
    if (key !== key) return;
    if (key >>> 0 === key && key < this.#direct.length) {
      this.#direct[key] = slot + 1;
      return;
    }
    const hashed = this.#hashed;
    const mask = hashed.length - 1;
    let at = hashNumber(key) & mask;
    while (hashed[at] !== 0) at = at + 1 & mask;
    hashed[at] = slot + 1;
    this.#hashedCount++;
  }
}
