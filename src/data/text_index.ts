/**
 * From texts to numbers 0, 1, 2 ... in order of arrival. Texts are UTF-8 in one arena, found by open addressing, so that a slice of a
 * record is looked up where it lies. Invariant: equal bytes, and only those, have one number.
 */
import { hashBytes } from "./hash_bytes.ts";

const ENTRIES_MIN = 64;
const encoder = new TextEncoder();

export class TextIndex {
  size = 0;
  #arena = new Uint8Array(1024);
  /** By number: where its text begins; the next one's is where it ends. */
  #starts = new Uint32Array(17);
  /** Pairs of number + 1 (0 where free) and hash: most misses end in one cache line. A power of two, at least four times `size`. */
  #index = new Int32Array(2 * ENTRIES_MIN);
  #asked = new Uint8Array(256);

  /** The number of the text bytes[from, to), or -1. */
  findBytes(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const index = this.#index;
    const mask = index.length - 1;
    for (let at = hash << 1 & mask;; at = at + 2 & mask) {
      const found = index[at] - 1;
      if (found < 0 || index[at + 1] === hash && this.#holds(found, bytes, from, to)) return found;
    }
  }

  find(text: string): number {
    return this.findBytes(this.#asked, 0, this.#encode(text));
  }

  /** The next number, for a text that is not there yet. */
  append(text: string): number {
    const length = this.#encode(text);
    const number = this.size++;
    const start = this.#starts[number];
    if (start + length > this.#arena.length) this.#arena = grown(this.#arena, start + length);
    this.#arena.set(this.#asked.subarray(0, length), start);
    if (this.size === this.#starts.length) this.#starts = grown(this.#starts, this.size + 1);
    this.#starts[this.size] = start + length;
    if (this.size * 8 > this.#index.length) this.#reindex();
    else this.#enter(number);
    return number;
  }

  #encode(text: string): number {
    if (this.#asked.length < 3 * text.length) this.#asked = new Uint8Array(3 * text.length);
    return encoder.encodeInto(text, this.#asked).written;
  }

  #holds(number: number, bytes: Uint8Array, from: number, to: number): boolean {
    const start = this.#starts[number];
    const length = to - from;
    if (this.#starts[number + 1] - start !== length) return false;
    const arena = this.#arena;
    for (let i = 0; i < length; i++) if (arena[start + i] !== bytes[from + i]) return false;
    return true;
  }

  #reindex(): void {
    this.#index = new Int32Array(this.#index.length * 2);
    for (let number = 0; number < this.size; number++) this.#enter(number);
  }

  #enter(number: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    const hash = hashBytes(this.#arena, this.#starts[number], this.#starts[number + 1]);
    let at = hash << 1 & mask;
    while (index[at] !== 0) at = at + 2 & mask;
    index[at] = number + 1;
    index[at + 1] = hash;
  }
}

function grown<T extends Uint8Array | Uint32Array>(from: T, need: number): T {
  const into = new (from.constructor as new (length: number) => T)(Math.max(need, from.length * 2));
  into.set(from);
  return into;
}
