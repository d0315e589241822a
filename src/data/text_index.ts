/**
 * From texts to numbers 0, 1, 2 ... in order of arrival. Texts are UTF-8 in one arena, found by open addressing, so that a slice of a
 * record is looked up where it lies. Invariant: equal bytes, and only those, have one number.
 */
import type { TextColumn } from "./batch.ts";
import { createWriter, encodeText } from "./bytes.ts";
import { equalBytes, hashBytes } from "./hash_bytes.ts";
import { ROWS_PER_CALL } from "./limits.ts";
import { textColumn } from "./text_column.ts";
import { copyBytes, viewOf } from "./words.ts";

const ENTRIES_MIN = 64;
/** In front of a text's bytes: its number and its length, INT32 each. Entries begin at multiples of four. */
const HEADER_BYTES = 8;

export class TextIndex {
  size = 0;
  /** Entries, one behind the other: what a look-up reads of one lies in one or two lines of the cache. */
  readonly #arena = createWriter();
  /**
   * A quarter of where an entry begins, + 1, 0 where free; above it, in the bits of `#tagMask`, those of the text's hash: so what is looked
   * for elsewhere is passed by without reading its entry, which mostly is not in the cache. A power of two, at least twice `size`.
   */
  #index = new Int32Array(ENTRIES_MIN);
  #tagMask = tagMaskFor(0);
  /** Hashes of the texts of a block. */
  readonly #hashes = new Int32Array(ROWS_PER_CALL);
  #asked = new Uint8Array(256);
  #askedView = viewOf(this.#asked);

  /** The number of the text bytes[from, to), or -1. */
  findBytes(bytes: DataView, from: number, to: number): number {
    return this.#findHashed(hashBytes(bytes, from, to), bytes, from, to);
  }

  /**
   * The numbers of the texts bytes[start[row], end[row]) of rows [from, to), -1 for those that have none; found[0] is of the first row.
   * Step by step for many rows, because what misses the cache is then fetched side by side.
   */
  findBlock(bytes: DataView, start: Int32Array, end: Int32Array, from: number, to: number, found: Int32Array): void {
    const index = this.#index;
    const hashes = this.#hashes;
    const mask = index.length - 1;
    for (let block = from; block < to; block += hashes.length) {
      const count = Math.min(hashes.length, to - block);
      const at = block - from;
      for (let i = 0; i < count; i++) hashes[i] = hashBytes(bytes, start[block + i], end[block + i]);
      for (let i = 0; i < count; i++) found[at + i] = index[hashes[i] & mask];
      for (let i = 0; i < count; i++) {
        found[at + i] = found[at + i] === 0 ? -1 : this.#findHashed(hashes[i], bytes, start[block + i], end[block + i]);
      }
    }
  }

  #findHashed(hash: number, bytes: DataView, from: number, to: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    const tagMask = this.#tagMask;
    const arena = this.#arena.view;
    for (let at = hash & mask;; at = at + 1 & mask) {
      const place = index[at];
      if (place === 0) return -1;
      if (((place ^ hash) & tagMask) !== 0) continue;
      const entry = ((place & ~tagMask) - 1) * 4; // placeOf
      if (arena.getInt32(entry + 4, true) === to - from && equalBytes(arena, entry + HEADER_BYTES, bytes, from, to - from)) {
        return arena.getInt32(entry, true);
      }
    }
  }

  /** The texts by number. Valid until the next one is appended. */
  column(): TextColumn {
    const start = new Int32Array(this.size);
    const end = new Int32Array(this.size);
    const arena = this.#arena;
    let entry = 0;
    for (let from = 0; from < this.size; from += ROWS_PER_CALL) {
      entry = tellPlaces(arena.view, entry, start, end, from, Math.min(from + ROWS_PER_CALL, this.size));
    }
    return textColumn(arena.bytes, start, end, null);
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
    copyBytes(arena.view, entry + HEADER_BYTES, bytes, from, length);
    arena.length += entryBytes(length);
    if (++this.size * 2 > this.#index.length || (placeOf(entry) & this.#tagMask) !== 0) this.#reindex();
    else this.#enter(entry);
    return this.size - 1;
  }

  #encode(text: string): number {
    if (this.#asked.length < 3 * text.length) {
      this.#asked = new Uint8Array(3 * text.length);
      this.#askedView = viewOf(this.#asked);
    }
    return encodeText(text, this.#asked);
  }

  /** Anew, with room for more texts or longer ones. */
  #reindex(): void {
    const { view, length } = this.#arena;
    if (this.size * 2 > this.#index.length) this.#index = new Int32Array(this.#index.length * 2);
    else this.#index.fill(0);
    this.#tagMask = tagMaskFor(length);
    for (let entry = 0; entry < length; entry += entryBytes(view.getInt32(entry + 4, true))) this.#enter(entry);
  }

  #enter(entry: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    const text = entry + HEADER_BYTES;
    const { view } = this.#arena;
    const hash = hashBytes(view, text, text + view.getInt32(entry + 4, true));
    let at = hash & mask;
    while (index[at] !== 0) at = at + 1 & mask;
    index[at] = hash & this.#tagMask | placeOf(entry);
  }
}

/** Where the texts [from, to) lie, the first in the entry `first`; gives the entry behind them. */
function tellPlaces(arena: DataView, first: number, start: Int32Array, end: Int32Array, from: number, to: number): number {
  let entry = first;
  for (let i = from; i < to; i++) {
    const length = arena.getInt32(entry + 4, true);
    start[i] = entry + HEADER_BYTES;
    end[i] = start[i] + length;
    entry += entryBytes(length);
  }
  return entry;
}

const entryBytes = (length: number): number => HEADER_BYTES + Math.ceil(length / 4) * 4;
/** Never 0: that is a free place. */
const placeOf = (entry: number): number => entry / 4 + 1;
/** The bits that places leave over in an arena four times as long; one at the least, as no arena has 2^31 places. */
const tagMaskFor = (length: number): number => -1 << Math.min(31, 34 - Math.clz32(placeOf(length)));
