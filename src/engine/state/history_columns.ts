/**
 * What a history keeps of its records, one column for each member. A column lies in pages that all columns of a history share in shape: the
 * same record has the same place everywhere. Beside it stands the journal: the records that came since the last checkpoint, in their order.
 *
 *   number  := full:u8 [valid:u8*] numbers          full: 1 where nothing is null
 *   text    := distinct:u32 lengths bytes* numbers      of each: which of the distinct texts, from 1; 0 for null
 *   value   := (length:u32 bytes)*                  as JSON; ABSENT for null
 */
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { HistoryColumnKind, NumberHistory, TextHistory, ValueHistory } from "../contracts.ts";
import { packNumbers, unpackNumbers } from "./packed_numbers.ts";
import { packedBytes, packText, unpackText } from "./packed_text.ts";
import { NULL_CODE, TextCodes } from "./text_codes.ts";

/** Which records are written: the place of each, and its page. */
export interface Places {
  readonly pages: Int32Array;
  readonly places: Int32Array;
}

export interface HistoryColumn {
  readonly kind: HistoryColumnKind;
  /** An estimate of the memory it takes; what lists and structs hold is not counted. */
  readonly bytes: number;
  setPage(page: number, entries: number): void;
  /** Moves `count` entries, which may overlap; what they hold goes along, and what stays behind counts for nothing. */
  move(page: number, from: number, toPage: number, to: number, count: number): void;
  /** The entries [from, to) are no more. */
  drop(page: number, from: number, to: number): void;
  /** Puts the entry at the end of the journal. */
  note(page: number, at: number): void;
  /** Writes the journal and empties it. */
  writeNoted(writer: BinaryWriter): void;
  /** Empties the journal. */
  forgetNoted(): void;
  write(writer: BinaryWriter, places: Places): void;
  /** Reads `count` written entries; the result puts one of them at a place. */
  read(reader: BinaryReader, count: number): (entry: number, page: number, at: number) => void;
}

export class NumberHistoryColumn implements HistoryColumn, NumberHistory {
  readonly kind: "number" | "number?";
  readonly pages: Float64Array[] = [];
  readonly valid: Uint8Array[] = [];
  #noted = new Float64Array(16);
  #notedValid = new Uint8Array(16);
  #notedCount = 0;

  constructor(kind: "number" | "number?") {
    this.kind = kind;
  }

  get bytes(): number {
    return lengthOf(this.pages) * 8 + lengthOf(this.valid);
  }

  setPage(page: number, entries: number): void {
    this.pages[page] = new Float64Array(entries);
    if (this.kind === "number?") this.valid[page] = new Uint8Array(entries);
  }

  move(page: number, from: number, toPage: number, to: number, count: number): void {
    moveWithin(this.pages, page, from, toPage, to, count);
    if (this.kind === "number?") moveWithin(this.valid, page, from, toPage, to, count);
  }

  drop(): void {}

  note(page: number, at: number): void {
    if (this.#notedCount === this.#noted.length) {
      this.#noted = grown(this.#noted, new Float64Array(this.#notedCount * 2));
      this.#notedValid = grown(this.#notedValid, new Uint8Array(this.#notedCount * 2));
    }
    this.#noted[this.#notedCount] = this.pages[page][at];
    this.#notedValid[this.#notedCount++] = this.kind === "number" ? 1 : this.valid[page][at];
  }

  writeNoted(writer: BinaryWriter): void {
    writeNumbers(writer, this.#noted.slice(0, this.#notedCount), this.#notedValid.subarray(0, this.#notedCount));
    this.forgetNoted();
  }

  forgetNoted(): void {
    this.#notedCount = 0;
  }

  write(writer: BinaryWriter, { pages, places }: Places): void {
    const values = new Float64Array(places.length);
    const valid = new Uint8Array(places.length).fill(1);
    for (let i = 0; i < places.length; i++) {
      values[i] = this.pages[pages[i]][places[i]];
      if (this.kind === "number?") valid[i] = this.valid[pages[i]][places[i]];
    }
    writeNumbers(writer, values, valid);
  }

  read(reader: BinaryReader, count: number): (entry: number, page: number, at: number) => void {
    const valid = reader.u8() === 1 ? null : reader.take(count);
    const values = unpackNumbers(reader, count);
    return (entry, page, at) => {
      this.pages[page][at] = values[entry];
      if (this.kind === "number?") this.valid[page][at] = valid === null ? 1 : valid[entry];
    };
  }
}

export class TextHistoryColumn implements HistoryColumn, TextHistory {
  readonly kind = "text";
  readonly pages: Int32Array[] = [];
  readonly texts = new TextCodes();
  #noted = new Int32Array(16);
  #notedCount = 0;

  get bytes(): number {
    return lengthOf(this.pages) * 4 + this.texts.bytes;
  }

  setPage(page: number, entries: number): void {
    this.pages[page] = new Int32Array(entries);
  }

  move(page: number, from: number, toPage: number, to: number, count: number): void {
    moveWithin(this.pages, page, from, toPage, to, count);
  }

  drop(page: number, from: number, to: number): void {
    const codes = this.pages[page];
    for (let at = from; at < to; at++) this.texts.release(codes[at]);
  }

  /** Its text outlives the record until it is written: codes that nobody holds are swept behind that. */
  note(page: number, at: number): void {
    if (this.#notedCount === this.#noted.length) this.#noted = grown(this.#noted, new Int32Array(this.#notedCount * 2));
    this.#noted[this.#notedCount++] = this.pages[page][at];
  }

  writeNoted(writer: BinaryWriter): void {
    this.#writeCodes(writer, this.#noted.subarray(0, this.#notedCount));
    this.forgetNoted();
  }

  forgetNoted(): void {
    this.#notedCount = 0;
    this.texts.sweep();
  }

  write(writer: BinaryWriter, { pages, places }: Places): void {
    const codes = new Int32Array(places.length);
    for (let i = 0; i < places.length; i++) codes[i] = this.pages[pages[i]][places[i]];
    this.#writeCodes(writer, codes);
  }

  #writeCodes(writer: BinaryWriter, codes: Int32Array): void {
    const written = this.texts.write(writer, codes);
    packNumbers(writer, written);
  }

  read(reader: BinaryReader, count: number): (entry: number, page: number, at: number) => void {
    const texts = TextCodes.read(reader);
    const numbers = unpackNumbers(reader, count);
    return (entry, page, at) => {
      const number = numbers[entry];
      this.pages[page][at] = number === 0 ? NULL_CODE : this.texts.holdWritten(texts, number - 1);
    };
  }
}

/** Values as JSON; what JSON cannot hold does not belong here. */
export class ValueHistoryColumn implements HistoryColumn, ValueHistory {
  readonly kind = "value";
  readonly pages: unknown[][] = [];
  #noted: unknown[] = [];

  get bytes(): number {
    return lengthOf(this.pages) * 8;
  }

  setPage(page: number, entries: number): void {
    this.pages[page] = new Array<unknown>(entries).fill(null);
  }

  move(page: number, from: number, toPage: number, to: number, count: number): void {
    const target = this.pages[toPage];
    if (page === toPage) target.copyWithin(to, from, from + count);
    else for (let i = 0; i < count; i++) target[to + i] = this.pages[page][from + i];
  }

  drop(page: number, from: number, to: number): void {
    this.pages[page].fill(null, from, to);
  }

  note(page: number, at: number): void {
    this.#noted.push(this.pages[page][at]);
  }

  writeNoted(writer: BinaryWriter): void {
    for (const value of this.#noted) writeText(writer, jsonOf(value));
    this.forgetNoted();
  }

  forgetNoted(): void {
    this.#noted = [];
  }

  write(writer: BinaryWriter, { pages, places }: Places): void {
    for (let i = 0; i < places.length; i++) writeText(writer, jsonOf(this.pages[pages[i]][places[i]]));
  }

  read(reader: BinaryReader, count: number): (entry: number, page: number, at: number) => void {
    const texts = Array.from({ length: count }, () => readText(reader));
    return (entry, page, at) => {
      const text = texts[entry];
      this.pages[page][at] = text === null ? null : JSON.parse(text) as unknown;
    };
  }
}

/** A column of a kind. */
export function createHistoryColumn(kind: HistoryColumnKind): HistoryColumn {
  switch (kind) {
    case "number":
    case "number?":
      return new NumberHistoryColumn(kind);
    case "text":
      return new TextHistoryColumn();
    case "value":
      return new ValueHistoryColumn();
  }
}

const ABSENT = 0xffff_ffff;

const jsonOf = (value: unknown): string | null => value === null || value === undefined ? null : JSON.stringify(value);

function writeText(writer: BinaryWriter, text: string | null): void {
  const lengthAt = writer.length;
  writer.u32(ABSENT);
  if (text === null) return;
  const length = packText(writer, text);
  writer.view.setUint32(lengthAt, length, true);
}

function readText(reader: BinaryReader): string | null {
  const length = reader.u32();
  return length === ABSENT ? null : unpackText(reader.take(packedBytes(length)), 0, length);
}

function writeNumbers(writer: BinaryWriter, values: Float64Array, valid: Uint8Array): void {
  const full = !valid.includes(0);
  writer.u8(full ? 1 : 0);
  if (!full) writer.raw(valid);
  packNumbers(writer, values);
}

function lengthOf(pages: readonly { readonly length: number }[]): number {
  return pages.reduce((sum, page) => sum + page.length, 0);
}

function moveWithin<T extends Float64Array | Int32Array | Uint8Array>(
  pages: readonly T[],
  page: number,
  from: number,
  toPage: number,
  to: number,
  count: number,
): void {
  if (page === toPage) pages[page].copyWithin(to, from, from + count);
  else pages[toPage].set(pages[page].subarray(from, from + count), to);
}

function grown<T extends Float64Array | Int32Array | Uint8Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
