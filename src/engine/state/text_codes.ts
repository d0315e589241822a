/**
 * Texts as small numbers, for columns in which the same texts come again and again, or are compared more often than read. Equal texts, and
 * only those, have one code; a code lives as long as somebody holds it, and at least until the next `sweep`. Lives in memory alone:
 * codes differ from process to process, and nothing outside may depend on which one a text has.
 */
import { assert } from "../../data/fault.ts";
import { equalBytes, hashBytes, isAscii } from "../../data/hash_bytes.ts";
import { copyBytes, viewOf } from "../../data/words.ts";
import { type BinaryReader, BinaryWriter } from "../binary.ts";
import type { TextDictionary } from "../contracts.ts";
import { textOf } from "./keys.ts";
import { packNumbers, unpackNumbers } from "./packed_numbers.ts";
import { packedBytes, type PackedLength, packText, unpackText } from "./packed_text.ts";

/** The code of null, and what `find` gives for a text that has none. */
export const NULL_CODE = -1, NO_CODE = -2;
/** Of `#references`: the code is free. */
const FREE = -1;
/** Less waste than this is not worth a copy. */
const WASTE_BYTES_MIN = 1 << 16;

/** Texts one behind the other. */
export interface WrittenTexts {
  readonly bytes: DataView;
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
}

export class TextCodes implements TextDictionary {
  #arena = new Uint8Array(256);
  #view = viewOf(this.#arena);
  #used = 0;
  #wasted = 0;
  /** By code. */
  #starts = new Uint32Array(16);
  #lengths = new Uint32Array(16);
  #references = new Int32Array(16);
  /** Codes that were ever given. */
  #size = 0;
  readonly #free: number[] = [];
  /** Codes that nobody held at some moment since the last sweep. */
  #unheld: number[] = [];
  /** Code + 1, 0 where free; a power of two, at least twice the codes in use. */
  #index = new Int32Array(32);
  readonly #asked = new BinaryWriter(256);
  /** By code, while some are written: the number of its text. Else 0. */
  #numbers = new Int32Array(0);

  /** Texts that have a code. */
  get live(): number {
    return this.#size - this.#free.length;
  }

  /** The memory it takes. */
  get bytes(): number {
    return this.#arena.length + 12 * this.#starts.length + 4 * this.#index.length;
  }

  find(text: string | null): number {
    return text === null ? NULL_CODE : this.#codeAt(this.#seek(this.#asked.view, 0, this.#ask(text)));
  }

  hold(text: string | null): number {
    if (text === null) return NULL_CODE;
    const length = this.#ask(text);
    return this.#holdBytes(this.#asked.view, 0, length);
  }

  holdBytes(bytes: DataView, from: number, to: number): number {
    // One byte per unit, as `packText` writes it: ASCII is the same in both.
    return isAscii(bytes, from, to) ? this.#holdBytes(bytes, from, to - from << 1) : this.hold(textOf(bytes, from, to));
  }

  /** Holds a text as `write` wrote it. */
  holdWritten({ bytes, starts, lengths }: WrittenTexts, index: number): number {
    return this.#holdBytes(bytes, starts[index], lengths[index]);
  }

  at(code: number): string | null {
    return code < 0 ? null : unpackText(this.#arena, this.#starts[code], this.#lengths[code]);
  }

  /** One holder less. */
  release(code: number): void {
    if (code < 0) return;
    assert(this.#references[code] > 0, "what is released was held");
    if (--this.#references[code] === 0) this.#unheld.push(code);
  }

  /** Forgets the texts that nobody holds. */
  sweep(): void {
    const unheld = this.#unheld;
    if (unheld.length === 0) return;
    this.#unheld = [];
    for (const code of unheld) if (this.#references[code] === 0) this.#forget(code);
    if (this.#wasted > WASTE_BYTES_MIN && this.#wasted * 2 > this.#used) this.#compact();
  }

  /** Writes the texts of the codes, null left out, each text once; returns for each code the number of its text from 1, 0 for null. */
  write(writer: BinaryWriter, codes: Int32Array): Float64Array {
    if (this.#numbers.length < this.#size) this.#numbers = new Int32Array(this.#starts.length);
    const numbers = this.#numbers;
    const written = new Float64Array(codes.length);
    const different = new Int32Array(Math.min(codes.length, this.#size));
    let count = 0;
    for (let i = 0; i < codes.length; i++) {
      const code = codes[i];
      if (code < 0) continue;
      if (numbers[code] === 0) {
        different[count] = code;
        numbers[code] = ++count;
      }
      written[i] = numbers[code];
    }
    const lengths = new Float64Array(count);
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      numbers[different[i]] = 0;
      lengths[i] = this.#lengths[different[i]];
      bytes += packedBytes(lengths[i]);
    }
    writer.u32(count);
    packNumbers(writer, lengths);
    writer.reserve(bytes);
    for (let i = 0; i < count; i++) {
      const count = packedBytes(lengths[i]);
      copyBytes(writer.view, writer.length, this.#view, this.#starts[different[i]], count);
      writer.length += count;
    }
    return written;
  }

  /** Texts as `write` wrote them. */
  static read(reader: BinaryReader): WrittenTexts {
    const count = reader.u32();
    const lengths = unpackNumbers(reader, count);
    const starts = new Float64Array(count);
    let total = 0;
    for (let i = 0; i < count; i++) {
      starts[i] = total;
      total += packedBytes(lengths[i]);
    }
    return { bytes: viewOf(reader.take(total)), starts, lengths };
  }

  #ask(text: string): PackedLength {
    this.#asked.reset();
    return packText(this.#asked, text);
  }

  #codeAt(place: number): number {
    return this.#index[place] === 0 ? NO_CODE : this.#index[place] - 1;
  }

  /** The place in the index of the text, or the free one where it belongs. */
  #seek(bytes: DataView, from: number, length: PackedLength): number {
    const index = this.#index;
    const mask = index.length - 1;
    const count = packedBytes(length);
    for (let place = hashBytes(bytes, from, from + count) & mask;; place = place + 1 & mask) {
      const code = index[place] - 1;
      if (code < 0 || this.#lengths[code] === length && equalBytes(this.#view, this.#starts[code], bytes, from, count)) return place;
    }
  }

  #holdBytes(bytes: DataView, from: number, length: PackedLength): number {
    const place = this.#seek(bytes, from, length);
    const known = this.#codeAt(place);
    if (known >= 0) {
      this.#references[known]++;
      return known;
    }
    const code = this.#free.pop() ?? this.#size++;
    if (code >= this.#starts.length) this.#grow();
    const count = packedBytes(length);
    if (this.#used + count > this.#arena.length) this.#makeRoom(count);
    copyBytes(this.#view, this.#used, bytes, from, count);
    this.#starts[code] = this.#used;
    this.#lengths[code] = length;
    this.#references[code] = 1;
    this.#used += count;
    if (this.live * 2 > this.#index.length) this.#reindex(this.#index.length * 2);
    else this.#index[place] = code + 1;
    return code;
  }

  #forget(code: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let gap = this.#homeOf(code);
    while (index[gap] !== code + 1) gap = gap + 1 & mask;
    // Those behind move up, so that no search ends too early at the gap.
    for (let place = gap + 1 & mask; index[place] !== 0; place = place + 1 & mask) {
      if ((place - this.#homeOf(index[place] - 1) & mask) < (place - gap & mask)) continue;
      index[gap] = index[place];
      gap = place;
    }
    index[gap] = 0;
    this.#wasted += packedBytes(this.#lengths[code]);
    this.#lengths[code] = 0;
    this.#references[code] = FREE;
    this.#free.push(code);
  }

  #homeOf(code: number): number {
    const start = this.#starts[code];
    return hashBytes(this.#view, start, start + packedBytes(this.#lengths[code])) & this.#index.length - 1;
  }

  #reindex(capacity: number): void {
    this.#index = new Int32Array(capacity);
    const mask = capacity - 1;
    for (let code = 0; code < this.#size; code++) {
      if (this.#references[code] === FREE) continue;
      let place = this.#homeOf(code);
      while (this.#index[place] !== 0) place = place + 1 & mask;
      this.#index[place] = code + 1;
    }
  }

  #grow(): void {
    const capacity = this.#starts.length * 2;
    this.#starts = grown(this.#starts, new Uint32Array(capacity));
    this.#lengths = grown(this.#lengths, new Uint32Array(capacity));
    this.#references = grown(this.#references, new Int32Array(capacity));
  }

  #makeRoom(count: number): void {
    const bytes = Math.max(this.#arena.length * 1.5, this.#used + count);
    assert(bytes < 2 ** 32, "the texts of one column fit 4 GiB");
    this.#arena = grown(this.#arena, new Uint8Array(bytes));
    this.#view = viewOf(this.#arena);
  }

  #compact(): void {
    const arena = new Uint8Array(Math.max(256, Math.ceil((this.#used - this.#wasted) * 1.25)));
    const view = viewOf(arena);
    let to = 0;
    for (let code = 0; code < this.#size; code++) {
      if (this.#references[code] === FREE) continue;
      const from = this.#starts[code];
      const count = packedBytes(this.#lengths[code]);
      copyBytes(view, to, this.#view, from, count);
      this.#starts[code] = to;
      to += count;
    }
    this.#arena = arena;
    this.#view = view;
    this.#used = to;
    this.#wasted = 0;
  }
}

function grown<T extends Uint8Array | Uint32Array | Int32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
