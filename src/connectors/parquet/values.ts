/** Values of a column as pages hold them ("plain" in apache/parquet-format, Encodings.md), and the least and greatest of them. */
import { compareBytes } from "../files/sort_key.ts";
import type { ColumnForm } from "./column_type.ts";
import type { ColumnGroup, NumberGroup, TextGroup } from "./row_group.ts";

export interface Extremes {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
}

/** Longer text is no bound worth its room. */
const EXTREME_BYTES_MAX = 64;
const TWO_POW_32 = 2 ** 32;

/** The rows that are not null, in order. */
export function presentRows({ rows, valid, nulls }: ColumnGroup): Int32Array {
  const present = new Int32Array(rows - nulls);
  let at = 0;
  for (let row = 0; row < rows; row++) if (valid === null || valid[row] !== 0) present[at++] = row;
  return present;
}

export function plainValues(group: ColumnGroup, rows: Int32Array, form: ColumnForm): Uint8Array {
  return group.kind === "text" ? plainText(group, rows) : plainNumbers(group, rows, form);
}

function plainNumbers({ values }: NumberGroup, rows: Int32Array, form: ColumnForm): Uint8Array {
  switch (form) {
    case "double": {
      const doubles = new Float64Array(rows.length);
      for (let i = 0; i < rows.length; i++) doubles[i] = values[rows[i]];
      return new Uint8Array(doubles.buffer);
    }
    case "int32": {
      const small = new Int32Array(rows.length);
      for (let i = 0; i < rows.length; i++) small[i] = values[rows[i]];
      return new Uint8Array(small.buffer);
    }
    case "bool": {
      const bits = new Uint8Array(rows.length + 7 >> 3);
      for (let i = 0; i < rows.length; i++) if (values[rows[i]] !== 0) bits[i >> 3] |= 1 << (i & 7);
      return bits;
    }
    default: {
      // Exact integers of 64 bits as two words: BigInt would make an object of each.
      const words = new Int32Array(2 * rows.length);
      for (let i = 0; i < rows.length; i++) {
        const value = values[rows[i]];
        words[2 * i] = value;
        words[2 * i + 1] = Math.floor(value / TWO_POW_32);
      }
      return new Uint8Array(words.buffer);
    }
  }
}

function plainText({ bytes, ends }: TextGroup, rows: Int32Array): Uint8Array {
  let length = 4 * rows.length;
  for (let i = 0; i < rows.length; i++) length += ends[rows[i]] - startOf(ends, rows[i]);
  const plain = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const start = startOf(ends, rows[i]);
    const size = ends[rows[i]] - start;
    plain[at] = size;
    plain[at + 1] = size >>> 8;
    plain[at + 2] = size >>> 16;
    plain[at + 3] = size >>> 24;
    at += 4;
    if (size > 24) plain.set(bytes.subarray(start, start + size), at);
    else for (let k = 0; k < size; k++) plain[at + k] = bytes[start + k];
    at += size;
  }
  return plain;
}

/** Of these rows; null where there are none, or where readers are better off without. */
export function extremesOf(group: ColumnGroup, rows: Int32Array, form: ColumnForm): Extremes | null {
  if (rows.length === 0) return null;
  return group.kind === "text" ? textExtremes(group, rows) : numberExtremes(group, rows, form);
}

function numberExtremes(group: NumberGroup, rows: Int32Array, form: ColumnForm): Extremes | null {
  const { values } = group;
  let least = rows[0];
  let most = rows[0];
  for (let i = 0; i < rows.length; i++) {
    const value = values[rows[i]];
    if (value !== value) return null; // NaN has no order.
    if (value < values[least]) least = rows[i];
    if (value > values[most]) most = rows[i];
  }
  const one = (row: number, zero: number): Uint8Array => {
    // Zeros of both signs are one value to readers: the bounds must hold for either.
    const exact = form === "double" && values[row] === 0 ? zero : values[row];
    return plainNumbers({ ...group, values: Float64Array.of(exact) }, Int32Array.of(0), form);
  };
  return { min: one(least, -0), max: one(most, 0) };
}

function textExtremes({ bytes, ends }: TextGroup, rows: Int32Array): Extremes | null {
  let least = rows[0];
  let most = rows[0];
  const order = (a: number, b: number): number => compareBytes(bytes, startOf(ends, a), ends[a], bytes, startOf(ends, b), ends[b]);
  for (let i = 1; i < rows.length; i++) {
    if (order(rows[i], least) < 0) least = rows[i];
    if (order(rows[i], most) > 0) most = rows[i];
  }
  const [min, max] = [least, most].map((row) => bytes.slice(startOf(ends, row), ends[row]));
  return min.length > EXTREME_BYTES_MAX || max.length > EXTREME_BYTES_MAX ? null : { min, max };
}

const startOf = (ends: Uint32Array, row: number): number => row === 0 ? 0 : ends[row - 1];
