/**
 * The value side of a state table: typed columns that grow, and write the rows they are asked for. Invariant: a column's arrays
 * reach at least as far as the table's slots; new slots hold null, sums 0.
 */
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { NumberState, StateColumnKind, TextState, ValueState, WideState } from "../contracts.ts";
import { packNumbersAt, unpackNumbers } from "./packed_numbers.ts";
import { packedBytes, packText, unpackText } from "./packed_text.ts";
import { ROWS_PER_CALL } from "../../data/limits.ts";

export interface StateColumn {
  readonly kind: StateColumnKind;
  /** Makes room for slots below `capacity`. */
  grow(capacity: number): void;
  /** The slot is empty from here on. */
  clear(slot: number): void;
  write(writer: BinaryWriter, slots: Int32Array): void;
  read(reader: BinaryReader, slots: Int32Array): void;
}

export class NumberStateColumn implements StateColumn, NumberState {
  readonly kind = "number";
  values = new Float64Array(0);
  valid = new Uint8Array(0);

  grow(capacity: number): void {
    this.values = copyInto(new Float64Array(capacity), this.values);
    const valid = new Uint8Array(capacity);
    valid.set(this.valid);
    this.valid = valid;
  }

  clear(slot: number): void {
    this.values[slot] = this.valid[slot] = 0;
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    const valid = new Uint8Array(slots.length);
    for (let from = 0; from < slots.length; from += ROWS_PER_CALL) {
      takeValid(this.valid, slots, from, Math.min(from + ROWS_PER_CALL, slots.length), valid);
    }
    // Mostly every value is there, which one byte then says.
    const full = !valid.includes(0);
    writer.u8(full ? 1 : 0);
    if (!full) writer.raw(valid);
    packNumbersAt(writer, this.values, slots);
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    const valid = reader.u8() === 1 ? null : reader.take(slots.length);
    const values = unpackNumbers(reader, slots.length);
    for (let i = 0; i < slots.length; i++) {
      this.valid[slots[i]] = valid === null ? 1 : valid[i];
      this.values[slots[i]] = values[i];
    }
  }
}

/** What slots[from, to) have. A loop of its own for bytes: for two kinds of array it would be compiled for the one and again for both. */
function takeValid(valid: Uint8Array, slots: Int32Array, from: number, to: number, taken: Uint8Array): void {
  for (let i = from; i < to; i++) taken[i] = valid[slots[i]];
}

export class WideStateColumn implements StateColumn, WideState {
  readonly kind = "wide";
  hi = new Float64Array(0);
  lo = new Float64Array(0);

  grow(capacity: number): void {
    this.hi = copyInto(new Float64Array(capacity), this.hi);
    this.lo = copyInto(new Float64Array(capacity), this.lo);
  }

  clear(slot: number): void {
    this.hi[slot] = this.lo[slot] = 0;
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    packNumbersAt(writer, this.hi, slots);
    packNumbersAt(writer, this.lo, slots);
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    for (const half of [this.hi, this.lo]) {
      const values = unpackNumbers(reader, slots.length);
      for (let i = 0; i < slots.length; i++) half[slots[i]] = values[i];
    }
  }
}

/** Shorter substrings are copies already; longer ones point into the string they were cut from. */
const SLICE_LENGTH_MIN = 13;
const ABSENT = -1;

export class TextStateColumn implements StateColumn, TextState {
  readonly kind = "text";
  values: (string | null)[] = [];

  grow(capacity: number): void {
    while (this.values.length < capacity) this.values.push(null);
  }

  clear(slot: number): void {
    this.values[slot] = null;
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    writeTexts(writer, slots.length, (i) => this.values[slots[i]], (i, at, length) => {
      // What was cut out of a batch's text would keep the whole batch in memory.
      if (length >= SLICE_LENGTH_MIN * 2) this.values[slots[i]] = unpackText(writer.bytes, at, length);
    });
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    readTexts(reader, slots.length, (i, text) => this.values[slots[i]] = text);
  }
}

/** Values as JSON; what JSON cannot hold does not belong here. */
export class ValueStateColumn implements StateColumn, ValueState {
  readonly kind = "value";
  values: unknown[] = [];

  grow(capacity: number): void {
    while (this.values.length < capacity) this.values.push(null);
  }

  clear(slot: number): void {
    this.values[slot] = null;
  }

  write(writer: BinaryWriter, slots: Int32Array): void {
    writeTexts(writer, slots.length, (i) => {
      const value = this.values[slots[i]];
      return value === null || value === undefined ? null : JSON.stringify(value);
    }, () => {});
  }

  read(reader: BinaryReader, slots: Int32Array): void {
    readTexts(reader, slots.length, (i, text) => this.values[slots[i]] = text === null ? null : JSON.parse(text) as unknown);
  }
}

/** A column of a kind. */
export function createColumn(kind: StateColumnKind): StateColumn {
  switch (kind) {
    case "number":
      return new NumberStateColumn();
    case "text":
      return new TextStateColumn();
    case "wide":
      return new WideStateColumn();
    case "value":
      return new ValueStateColumn();
  }
}

function writeTexts(
  writer: BinaryWriter,
  count: number,
  text: (i: number) => string | null,
  written: (i: number, at: number, length: number) => void,
): void {
  const lengths = new Int32Array(count);
  const lengthsAt = writer.length;
  writer.raw(lengths);
  for (let i = 0; i < count; i++) {
    const value = text(i);
    const at = writer.length;
    lengths[i] = value === null ? ABSENT : packText(writer, value);
    if (value !== null) written(i, at, lengths[i]);
  }
  writer.bytes.set(new Uint8Array(lengths.buffer), lengthsAt);
}

function readTexts(reader: BinaryReader, count: number, put: (i: number, text: string | null) => void): void {
  const lengths = reader.int32s(count);
  for (let i = 0; i < count; i++) {
    put(i, lengths[i] === ABSENT ? null : unpackText(reader.take(packedBytes(lengths[i])), 0, lengths[i]));
  }
}

function copyInto(into: Float64Array<ArrayBuffer>, from: Float64Array): Float64Array<ArrayBuffer> {
  into.set(from);
  return into;
}
