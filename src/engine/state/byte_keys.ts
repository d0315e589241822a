/**
 * The index of a table whose key is text or has several parts, two numbers excepted: keys lie encoded, one behind the other, in one arena; open
 * addressing compares hashes and then bytes, so that no string is kept per key. Invariant: the encoding is injective. Bytes of removed
 * keys stay in the arena until they are half of it.
 *
 *   key = part*    part = 0 (null) | 1 f64 | 2 packedLength:u32 bytes
 */
import { assert } from "../../data/fault.ts";
import { equalBytes, hashBytes, isAscii } from "../../data/hash_bytes.ts";
import { copyBytes, viewOf } from "../../data/words.ts";
import { type BinaryReader, BinaryWriter } from "../binary.ts";
import type { KeyPart } from "../contracts.ts";
import type { Keys } from "./keys.ts";
import type { Slots } from "./slots.ts";
import { packNumbers, unpackNumbers } from "./packed_numbers.ts";
import { textOf } from "./keys.ts";
import { packedBytes, packText, unpackText } from "./packed_text.ts";
import { ROWS_PER_CALL } from "../../data/limits.ts";

const NULL = 0, NUMBER = 1, TEXT = 2;
/** In front of a text's bytes: tag and length. */
const TEXT_HEADER_BYTES = 5;
/** Keys that are compared one by one before any is encoded. */
const FEW_MAX = 8;
const ARENA_BYTES_MAX = 2 ** 32 - 1;
/** Less waste than this is not worth a copy. */
const WASTE_BYTES_MIN = 1 << 16;
const REMOVED: readonly KeyPart[] = [];

export class ByteKeys implements Keys {
  readonly #parts: number;
  readonly #slots: Slots;
  #arena = new Uint8Array(1024);
  #arenaView = viewOf(this.#arena);
  #arenaLength = 0;
  /** Bytes of the arena that no slot points to. */
  #wasted = 0;
  #starts = new Uint32Array(16);
  #lengths = new Uint32Array(16);
  #hashes = new Int32Array(16);
  /** Pairs of slot + 1 (0 where free) and hash: most misses end in one cache line. A power of two, at least four times `size`. */
  #index = new Int32Array(128);
  /** The keys by slot while there are few: groups of a report, say, are then found without being encoded. Empty when more. */
  #few: (readonly KeyPart[])[] = [];
  /** The key asked for, encoded. */
  readonly #asked = new BinaryWriter(256);

  constructor(parts: number, slots: Slots) {
    this.#parts = parts;
    this.#slots = slots;
  }

  find(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number {
    const known = this.#findAmongFew(a, b, c, d);
    if (known >= 0) return known;
    this.#encode(a, b, c, d);
    return this.#lookUp(this.#hash(this.#asked.view, this.#asked.length));
  }

  findText(bytes: DataView, from: number, to: number): number {
    assert(this.#parts === 1, "only a key of one part is found by its text alone");
    if (!isAscii(bytes, from, to)) return this.find(textOf(bytes, from, to));
    const hash = hashBytes(bytes, from, to);
    const index = this.#index;
    const mask = index.length - 1;
    for (let at = hash << 1 & mask;; at = at + 2 & mask) {
      const slot = index[at] - 1;
      if (slot < 0 || index[at + 1] === hash && this.#holdsAscii(slot, bytes, from, to)) return slot;
    }
  }

  insert(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number {
    const known = this.#findAmongFew(a, b, c, d);
    if (known >= 0) return known;
    this.#encode(a, b, c, d);
    const hash = this.#hash(this.#asked.view, this.#asked.length);
    const found = this.#lookUp(hash);
    if (found >= 0) return found;
    return this.#add(hash);
  }

  /** A new text goes from the bytes it lies in to the arena, and never becomes a string. */
  insertText(bytes: DataView, from: number, to: number): number {
    const found = this.findText(bytes, from, to);
    if (found >= 0) return found;
    if (!isAscii(bytes, from, to)) return this.insert(textOf(bytes, from, to));
    const asked = this.#asked;
    asked.reset();
    asked.u8(TEXT);
    asked.u32(to - from << 1); // One byte per unit is an even packed length.
    asked.reserve(to - from);
    copyBytes(asked.view, asked.length, bytes, from, to - from);
    asked.length += to - from;
    return this.#add(hashBytes(bytes, from, to));
  }

  /** Takes in the key asked for. */
  #add(hash: number): number {
    const slot = this.#slots.take();
    this.resize();
    this.#put(slot, this.#asked.view, this.#asked.length, hash);
    if (this.#slots.size * 4 > this.#index.length) this.reindex();
    else this.#enter(slot);
    if (this.#slots.size <= FEW_MAX) this.#few[slot] = this.keyOf(slot);
    else if (this.#few.length > 0) this.#few = [];
    return slot;
  }

  remove(slot: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let free = this.#hashes[slot] << 1 & mask;
    while (index[free] !== slot + 1) free = free + 2 & mask;
    // Those behind move up, so that no search ends too early at the gap.
    for (let at = free + 2 & mask; index[at] !== 0; at = at + 2 & mask) {
      const home = index[at + 1] << 1 & mask;
      if ((at - home & mask) < (at - free & mask)) continue;
      index[free] = index[at];
      index[free + 1] = index[at + 1];
      free = at;
    }
    index[free] = 0;
    if (slot < this.#few.length) this.#few[slot] = REMOVED;
    this.clear(slot);
    if (this.#wasted > WASTE_BYTES_MIN && this.#wasted * 2 > this.#arenaLength) this.#compact();
  }

  clear(slot: number): void {
    this.#wasted += this.#lengths[slot];
    this.#lengths[slot] = 0;
  }

  keyOf(slot: number): readonly KeyPart[] {
    const view = this.#arenaView;
    const key: KeyPart[] = [];
    for (let at = this.#starts[slot]; key.length < this.#parts;) {
      const tag = view.getUint8(at++);
      if (tag === NULL) key.push(null);
      else if (tag === NUMBER) {
        key.push(view.getFloat64(at, true));
        at += 8;
      } else {
        const length = view.getUint32(at, true);
        key.push(unpackText(this.#arena, at + 4, length));
        at += 4 + packedBytes(length);
      }
    }
    return key;
  }

  resize(): void {
    const { size } = this.#slots;
    if (size <= this.#starts.length) return;
    const capacity = Math.max(this.#starts.length * 2, size);
    this.#starts = grown(this.#starts, new Uint32Array(capacity));
    this.#lengths = grown(this.#lengths, new Uint32Array(capacity));
    this.#hashes = grown(this.#hashes, new Int32Array(capacity));
  }

  reindex(): void {
    const { size } = this.#slots;
    let capacity = this.#index.length;
    while (capacity < size * 8) capacity *= 2;
    this.#index = new Int32Array(capacity);
    for (let slot = 0; slot < size; slot++) if (this.#slots.isLive(slot)) this.#enter(slot);
    this.#few = [];
    for (let slot = 0; slot < size && size <= FEW_MAX; slot++) this.#few.push(this.#slots.isLive(slot) ? this.keyOf(slot) : REMOVED);
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    const lengths = new Float64Array(slots.length);
    for (let from = 0; from < slots.length; from += ROWS_PER_CALL) {
      takeLengths(this.#lengths, slots, from, Math.min(from + ROWS_PER_CALL, slots.length), lengths);
    }
    packNumbers(writer, lengths);
    // Keys that lie one behind the other, as those of new slots do, are copied in one piece.
    for (let first = 0; first < slots.length;) {
      const behind = endOfRun(this.#starts, this.#lengths, slots, first, Math.min(first + ROWS_PER_CALL, slots.length));
      const last = slots[behind - 1];
      writer.raw(this.#arena.subarray(this.#starts[slots[first]], this.#starts[last] + this.#lengths[last]));
      first = behind;
    }
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    const lengths = unpackNumbers(reader, slots.length);
    for (let i = 0; i < slots.length; i++) {
      const key = reader.take(lengths[i]);
      // Both a base chunk and a delta may carry a slot's key; the later one is that of the row which is there last.
      const view = viewOf(key);
      if (this.#holds(slots[i], view, key.length)) continue;
      this.clear(slots[i]);
      this.#put(slots[i], view, key.length, this.#hash(view, key.length));
    }
  }

  #findAmongFew(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number {
    const few = this.#few;
    for (let slot = 0; slot < few.length; slot++) {
      const key = few[slot];
      if (key[0] === a && (key.length < 2 || key[1] === b) && (key.length < 3 || key[2] === c) && (key.length < 4 || key[3] === d)) {
        return slot;
      }
    }
    return -1;
  }

  #encode(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): void {
    this.#asked.reset();
    this.#encodePart(a);
    if (this.#parts > 1) this.#encodePart(b);
    if (this.#parts > 2) this.#encodePart(c);
    if (this.#parts > 3) this.#encodePart(d);
  }

  #encodePart(part: KeyPart | undefined): void {
    const asked = this.#asked;
    asked.reserve(5);
    if (typeof part === "string") {
      asked.bytes[asked.length] = TEXT;
      const lengthAt = asked.length + 1;
      asked.length += 5;
      const length = packText(asked, part);
      asked.bytes[lengthAt] = length;
      asked.bytes[lengthAt + 1] = length >>> 8;
      asked.bytes[lengthAt + 2] = length >>> 16;
      asked.bytes[lengthAt + 3] = length >>> 24;
    } else if (typeof part === "number") {
      assert(part === part, "NaN is no key");
      asked.bytes[asked.length++] = NUMBER;
      asked.f64(part + 0); // -0 + 0 is 0: they are one key
    } else {
      assert(part === null, "a key has as many parts as its table says");
      asked.bytes[asked.length++] = NULL;
    }
  }

  #lookUp(hash: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    for (let at = hash << 1 & mask;; at = at + 2 & mask) {
      const slot = index[at] - 1;
      if (slot < 0 || index[at + 1] === hash && this.#holds(slot, this.#asked.view, this.#asked.length)) return slot;
    }
  }

  /** Of a whole encoded key. That of one text is the text's own, so that a text is found without being encoded. */
  #hash(key: DataView, length: number): number {
    return hashBytes(key, this.#parts === 1 && key.getUint8(0) === TEXT ? TEXT_HEADER_BYTES : 0, length);
  }

  #holdsAscii(slot: number, bytes: DataView, from: number, to: number): boolean {
    const length = to - from;
    if (this.#lengths[slot] !== TEXT_HEADER_BYTES + length) return false;
    const start = this.#starts[slot];
    const arena = this.#arena;
    // One byte per unit is an even packed length.
    if (arena[start] !== TEXT || (arena[start + 1] & 1) !== 0) return false;
    return equalBytes(this.#arenaView, start + TEXT_HEADER_BYTES, bytes, from, length);
  }

  #holds(slot: number, bytes: DataView, length: number): boolean {
    return this.#lengths[slot] === length && equalBytes(this.#arenaView, this.#starts[slot], bytes, 0, length);
  }

  /** The key is the first `length` bytes. */
  #put(slot: number, key: DataView, length: number, hash: number): void {
    const end = this.#arenaLength + length;
    assert(end <= ARENA_BYTES_MAX, "the keys of one state table fit 4 GiB");
    if (end > this.#arena.length) {
      this.#arena = grown(this.#arena, new Uint8Array(Math.min(Math.max(this.#arena.length * 2, end), ARENA_BYTES_MAX)));
      this.#arenaView = viewOf(this.#arena);
    }
    copyBytes(this.#arenaView, this.#arenaLength, key, 0, length);
    this.#starts[slot] = this.#arenaLength;
    this.#lengths[slot] = length;
    this.#hashes[slot] = hash;
    this.#arenaLength = end;
  }

  #compact(): void {
    const arena = new Uint8Array(Math.max(1024, (this.#arenaLength - this.#wasted) * 2));
    const view = viewOf(arena);
    let to = 0;
    for (let slot = 0; slot < this.#slots.size; slot++) {
      const from = this.#starts[slot];
      const length = this.#lengths[slot];
      copyBytes(view, to, this.#arenaView, from, length);
      this.#starts[slot] = to;
      to += length;
    }
    this.#arena = arena;
    this.#arenaView = view;
    this.#arenaLength = to;
    this.#wasted = 0;
  }

  #enter(slot: number): void {
    const index = this.#index;
    const hash = this.#hashes[slot];
    const mask = index.length - 1;
    let at = hash << 1 & mask;
    while (index[at] !== 0) at = at + 2 & mask;
    index[at] = slot + 1;
    index[at + 1] = hash;
  }
}

/** The lengths of slots[from, to). */
function takeLengths(lengths: Uint32Array, slots: Int32Array, from: number, to: number, taken: Float64Array): void {
  for (let i = from; i < to; i++) taken[i] = lengths[slots[i]];
}

/** How far the keys of slots[first, to) lie one behind the other: the index behind the last one that does. */
function endOfRun(starts: Uint32Array, lengths: Uint32Array, slots: Int32Array, first: number, to: number): number {
  let i = first;
  for (let end = starts[slots[first]]; i < to && starts[slots[i]] === end; i++) end += lengths[slots[i]];
  return i;
}

function grown<T extends Uint8Array | Uint32Array | Int32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
