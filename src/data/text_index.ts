/**
 * From texts to numbers 0, 1, 2 ... in order of arrival. Texts are UTF-8 in one arena, found by open addressing, so that a slice of a
 * record is looked up where it lies. Invariant: equal bytes, and only those, have one number.
 */
import { equalBytes, hashBytes } from "./hash_bytes.ts";
import { viewOf } from "./words.ts";

const ENTRIES_MIN = 64;
const encoder = new TextEncoder();

export class TextIndex {
  size = 0;
  #arena = new Uint8Array(1024);
  #arenaView = viewOf(this.#arena);
  /** By number: where its text begins; the next one's is where it ends. */
  #starts = new Uint32Array(17);
  /**
   * Number + 1, 0 where free; a power of two, at least twice `size`. Hashes are not kept beside: what stays in the cache counts for more
   * than a comparison that fails.
   */
  #index = new Int32Array(ENTRIES_MIN);
  #asked = new Uint8Array(256);
  #askedView = viewOf(this.#asked);

  /** The number of the text bytes[from, to), or -1. */
  findBytes(bytes: DataView, from: number, to: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    for (let at = hashBytes(bytes, from, to) & mask;; at = at + 1 & mask) {
      const found = index[at] - 1;
      if (found < 0 || this.#holds(found, bytes, from, to)) return found;
    }
  }

  find(text: string): number {
    return this.findBytes(this.#askedView, 0, this.#encode(text));
  }

  /** The next number, for a text that is not there yet. */
  append(text: string): number {
    return this.appendBytes(this.#askedView, 0, this.#encode(text));
  }

  /** The next number, for the text bytes[from, to), which is not there yet. */
  appendBytes(bytes: DataView, from: number, to: number): number {
    const length = to - from;
    const number = this.size++;
    const start = this.#starts[number];
    if (start + length > this.#arena.length) {
      this.#arena = grown(this.#arena, start + length);
      this.#arenaView = viewOf(this.#arena);
    }
    this.#arena.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, length), start);
    if (this.size === this.#starts.length) this.#starts = grown(this.#starts, this.size + 1);
    this.#starts[this.size] = start + length;
    if (this.size * 2 > this.#index.length) this.#reindex();
    else this.#enter(number);
    return number;
  }

  #encode(text: string): number {
    if (this.#asked.length < 3 * text.length) {
      this.#asked = new Uint8Array(3 * text.length);
      this.#askedView = viewOf(this.#asked);
    }
    return encoder.encodeInto(text, this.#asked).written;
  }

  #holds(number: number, bytes: DataView, from: number, to: number): boolean {
    const start = this.#starts[number];
    return this.#starts[number + 1] - start === to - from && equalBytes(this.#arenaView, start, bytes, from, to - from);
  }

  #reindex(): void {
    this.#index = new Int32Array(this.#index.length * 2);
    for (let number = 0; number < this.size; number++) this.#enter(number);
  }

  #enter(number: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let at = hashBytes(this.#arenaView, this.#starts[number], this.#starts[number + 1]) & mask;
    while (index[at] !== 0) at = at + 1 & mask;
    index[at] = number + 1;
  }
}

function grown<T extends Uint8Array | Uint32Array>(from: T, need: number): T {
  const into = new (from.constructor as new (length: number) => T)(Math.max(need, from.length * 2));
  into.set(from);
  return into;
}
