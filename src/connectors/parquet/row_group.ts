/** Blocks put together to the columns of one row group. Invariant: rows stand in the order of the blocks, nulls among them. */
import { assert } from "../../data/fault.ts";
import { padded } from "./block.ts";
import type { ParquetColumn } from "./column_type.ts";

/** All rows of a column; entries of null rows are 0. */
export interface NumberGroup {
  readonly kind: "number";
  readonly rows: number;
  readonly valid: Uint8Array | null;
  readonly nulls: number;
  readonly values: Float64Array<ArrayBuffer>;
}
/** Row i is bytes[ends[i-1], ends[i]). */
export interface TextGroup {
  readonly kind: "text";
  readonly rows: number;
  readonly valid: Uint8Array | null;
  readonly nulls: number;
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}
export type ColumnGroup = NumberGroup | TextGroup;

interface Piece {
  readonly rows: number;
  readonly valid: Uint8Array | null;
  readonly values: Float64Array | null;
  readonly ends: Uint32Array | null;
  readonly text: Uint8Array;
}

export function rowsOf(blocks: readonly Uint8Array[]): number {
  return blocks.reduce((sum, block) => sum + rowsOfBlock(block), 0);
}

/** The columns one after the other, so that memory holds one of them beside the blocks. */
export function* columnGroups(blocks: readonly Uint8Array[], columns: readonly ParquetColumn[]): Generator<ColumnGroup> {
  const rows = rowsOf(blocks);
  const places = blocks.map((block) => {
    assert(block.byteOffset % 8 === 0, "a block is aligned");
    return { block, at: 8 };
  });
  for (const { form } of columns) {
    const pieces: Piece[] = [];
    for (const place of places) {
      const { piece, end } = form === "text" ? textPiece(place.block, place.at) : numberPiece(place.block, place.at);
      pieces.push(piece);
      place.at = end;
    }
    const { valid, nulls } = validityOf(pieces, rows);
    yield form === "text"
      ? { kind: "text", rows, valid, nulls, ...joinText(pieces, rows) }
      : { kind: "number", rows, valid, nulls, values: joinNumbers(pieces, rows) };
  }
}

const words = (block: Uint8Array, at: number, count: number): Uint32Array => new Uint32Array(block.buffer, block.byteOffset + at, count);
const rowsOfBlock = (block: Uint8Array): number => words(block, 0, 1)[0];
const NO_TEXT = new Uint8Array(0);

function numberPiece(block: Uint8Array, at: number): { piece: Piece; end: number } {
  const rows = rowsOfBlock(block);
  const { valid, start } = validPiece(block, at, rows);
  const values = new Float64Array(block.buffer, block.byteOffset + start, rows);
  return { piece: { rows, valid, values, ends: null, text: NO_TEXT }, end: start + 8 * rows };
}

function textPiece(block: Uint8Array, at: number): { piece: Piece; end: number } {
  const rows = rowsOfBlock(block);
  const textBytes = words(block, at, 2)[1];
  const { valid, start } = validPiece(block, at, rows);
  const textAt = start + padded(4 * rows);
  const piece = { rows, valid, values: null, ends: words(block, start, rows), text: block.subarray(textAt, textAt + textBytes) };
  return { piece, end: textAt + padded(textBytes) };
}

function validPiece(block: Uint8Array, at: number, rows: number): { valid: Uint8Array | null; start: number } {
  const start = at + 8;
  if (words(block, at, 1)[0] === 0) return { valid: null, start };
  return { valid: block.subarray(start, start + rows), start: start + padded(rows) };
}

function validityOf(pieces: readonly Piece[], rows: number): { valid: Uint8Array | null; nulls: number } {
  if (pieces.every(({ valid }) => valid === null)) return { valid: null, nulls: 0 };
  const joined = new Uint8Array(rows).fill(1);
  let at = 0;
  for (const { valid, rows } of pieces) {
    if (valid) joined.set(valid, at);
    at += rows;
  }
  let there = 0;
  for (let row = 0; row < rows; row++) there += joined[row];
  return { valid: joined, nulls: rows - there };
}

function joinNumbers(pieces: readonly Piece[], rows: number): Float64Array<ArrayBuffer> {
  const joined = new Float64Array(rows);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece.values!, at);
    at += piece.rows;
  }
  return joined;
}

function joinText(pieces: readonly Piece[], rows: number): { readonly bytes: Uint8Array; readonly ends: Uint32Array } {
  const bytes = new Uint8Array(pieces.reduce((sum, { text }) => sum + text.length, 0));
  const ends = new Uint32Array(rows);
  let at = 0;
  let base = 0;
  for (const { ends: own, text } of pieces) {
    bytes.set(text, base);
    for (let i = 0; i < own!.length; i++) ends[at++] = base + own![i];
    base += text.length;
  }
  return { bytes, ends };
}
