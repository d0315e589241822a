/**
 * From texts to numbers 0, 1, 2 ... in order of arrival. Texts are UTF-8 in one arena, found by open addressing, so that a slice of a
 * record is looked up where it lies. Invariant: equal bytes, and only those, have one number.
 */
import { createWriter } from "./bytes.ts";
import { equalBytes, hashBytes } from "./hash_bytes.ts";
import { viewOf } from "./words.ts";

const ENTRIES_MIN = 64;
/** In front of a text's bytes: its number and its length, INT32 each. Entries begin at multiples of four. */
const HEADER_BYTES = 8;
/** Texts that are looked for together. */
const BLOCK_ROWS = 512;
const encoder = new TextEncoder();

export class TextIndex {
  size = 0;
  /** Entries, one behind the other: what a look-up reads of one lies in one or two lines of the cache. */
  readonly #arena = createWriter();
  /**
   * A quarter of where an entry begins, + 1, 0 where free; a power of two, at least twice `size`. Hashes are not kept beside: what stays
   * in the cache counts for more than a comparison that fails.
   */
  #index = new Int32Array(ENTRIES_MIN);
  /** Where in the index each text of a block is looked for first. */
  readonly #homes = new Int32Array(BLOCK_ROWS);
  #asked = new Uint8Array(256);
  #askedView = viewOf(this.#asked);

  /** The number of the text bytes[from, to), or -1. */
  findBytes(bytes: DataView, from: number, to: number): number {
    return this.#findFrom(hashBytes(bytes, from, to) & this.#index.length - 1, bytes, from, to);
  }

  /**
   * The numbers of the texts bytes[start[row], end[row]) of rows [from, to), -1 for those that have none; found[0] is of the first row.
   * Step by step for many rows, because what misses the cache is then fetched side by side.
   */
  findBlock(bytes: DataView, start: Int32Array, end: Int32Array, from: number, to: number, found: Int32Array): void {
    const index = this.#index;
    const homes = this.#homes;
    const mask = index.length - 1;
    for (let block = from; block < to; block += homes.length) {
      const count = Math.min(homes.length, to - block);
      const at = block - from;
      for (let i = 0; i < count; i++) homes[i] = hashBytes(bytes, start[block + i], end[block + i]) & mask;
      for (let i = 0; i < count; i++) found[at + i] = index[homes[i]];
      for (let i = 0; i < count; i++) {
        const [first, behind] = [start[block + i], end[block + i]];
        found[at + i] = this.#isAt(found[at + i], bytes, first, behind)
          ? this.#numberAt(found[at + i])
          : this.#findFrom(homes[i], bytes, first, behind);
      }
    }
  }

  /** From this place of the index on. */
  #findFrom(home: number, bytes: DataView, from: number, to: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    for (let at = home;; at = at + 1 & mask) {
      const place = index[at];
      if (place === 0) return -1;
      if (this.#isAt(place, bytes, from, to)) return this.#numberAt(place);
    }
  }

  /** Whether the entry that the index tells of holds this text. */
  #isAt(place: number, bytes: DataView, from: number, to: number): boolean {
    const arena = this.#arena.view;
    const entry = (place - 1) * 4;
    return place !== 0 && arena.getInt32(entry + 4, true) === to - from && equalBytes(arena, entry + HEADER_BYTES, bytes, from, to - from);
  }

  #numberAt(place: number): number {
    return this.#arena.view.getInt32((place - 1) * 4, true);
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
    const arena = this.#arena;
    const length = to - from;
    const entry = arena.length;
    arena.reserve(entryBytes(length));
    arena.view.setInt32(entry, this.size, true);
    arena.view.setInt32(entry + 4, length, true);
    arena.bytes.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, length), entry + HEADER_BYTES);
    arena.length += entryBytes(length);
    if (++this.size * 2 > this.#index.length) this.#reindex();
    else this.#enter(entry);
    return this.size - 1;
  }

  #encode(text: string): number {
    if (this.#asked.length < 3 * text.length) {
      this.#asked = new Uint8Array(3 * text.length);
      this.#askedView = viewOf(this.#asked);
    }
    return encoder.encodeInto(text, this.#asked).written;
  }

  #reindex(): void {
    this.#index = new Int32Array(this.#index.length * 2);
    const { view, length } = this.#arena;
    for (let entry = 0; entry < length; entry += entryBytes(view.getInt32(entry + 4, true))) this.#enter(entry);
  }

  #enter(entry: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    const text = entry + HEADER_BYTES;
    const { view } = this.#arena;
    let at = hashBytes(view, text, text + view.getInt32(entry + 4, true)) & mask;
    while (index[at] !== 0) at = at + 1 & mask;
    index[at] = entry / 4 + 1;
  }
}

const entryBytes = (length: number): number => HEADER_BYTES + Math.ceil(length / 4) * 4;
