/**
 * Text columns: slices of UTF-8 bytes that become JavaScript strings only where asked. Invariant: a slice holds whole, valid
 * UTF-8; the columns of one batch share one decoding of its bytes.
 */
import { Buffer } from "node:buffer";
import type { TextColumn } from "./batch.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** V8 copies substrings below this length and lets longer ones point into their parent. */
const COPIED_LENGTH_MAX = 12;

/** Small enough for V8 to use the memory of one block's text again for the next; of larger strings each takes fresh pages. */
const BLOCK_BITS = 16;

/** So many slices of a block are decoded one by one before the block is as a whole, which takes as long as three hundred of them. */
const SINGLE_MAX = 32;

/** The text of one block: one UTF-16 unit per byte, right wherever the bytes are ASCII. */
interface BlockText {
  readonly text: string;
  readonly isAscii: boolean;
}

/** Bytes [from, to) of a buffer with their text, decoded block by block, once and only where a string is wanted. */
export class SharedText {
  readonly bytes: Uint8Array;
  readonly #from: number;
  readonly #to: number;
  readonly #blocks: (BlockText | undefined)[] = [];
  /** By block: how many of its slices were asked for. */
  readonly #asked: number[] = [];

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.bytes = bytes;
    this.#from = from;
    this.#to = to;
  }

  /** The text of bytes [start, end), which lie within the span. */
  slice(start: number, end: number): string {
    if (start === end) return "";
    const block = start - this.#from >> BLOCK_BITS;
    if (end - 1 - this.#from >> BLOCK_BITS !== block) return decoder.decode(this.bytes.subarray(start, end));
    const decoded = this.#blocks[block] ?? this.#wanted(block);
    if (decoded === null) return decoder.decode(this.bytes.subarray(start, end));
    const { text, isAscii: known } = decoded;
    if (!known && !isAscii(this.bytes, start, end)) return decoder.decode(this.bytes.subarray(start, end));
    const blockStart = this.#from + (block << BLOCK_BITS);
    return text.substring(start - blockStart, end - blockStart);
  }

  /** The block's text, where so much of it is wanted that it pays. */
  #wanted(block: number): BlockText | null {
    while (this.#asked.length <= block) this.#asked.push(0);
    return ++this.#asked[block] > SINGLE_MAX ? this.#blocks[block] = this.#decode(block) : null;
  }

  #decode(block: number): BlockText {
    while (this.#blocks.length < block) this.#blocks.push(undefined);
    const start = this.#from + (block << BLOCK_BITS);
    const span = this.bytes.subarray(start, Math.min(this.#to, start + (1 << BLOCK_BITS)));
    const text = decoder.decode(span);
    // As many units as bytes: then every byte became one unit, and positions agree. But for a character that a block's border cuts,
    // and no slice inside the block has that.
    if (text.length === span.length) return { text, isAscii: true };
    return { text: Buffer.from(span.buffer, span.byteOffset, span.length).toString("latin1"), isAscii: false };
  }
}

class TextSlices implements TextColumn {
  readonly kind = "text";
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly valid: Uint8Array | null;
  readonly shared: SharedText;
  constructor(shared: SharedText, start: Int32Array, end: Int32Array, valid: Uint8Array | null) {
    this.bytes = shared.bytes;
    this.start = start;
    this.end = end;
    this.valid = valid;
    this.shared = shared;
  }
  at(row: number): string | null {
    if (this.valid !== null && this.valid[row] === 0) return null;
    return this.shared.slice(this.start[row], this.end[row]);
  }
}

/** A column of slices [start, end) of `bytes`. Columns of one batch should share one `shared`, so that it is decoded once. */
export function textColumn(
  bytes: Uint8Array,
  start: Int32Array,
  end: Int32Array,
  valid: Uint8Array | null,
  shared: SharedText = new SharedText(bytes, leastOf(start), greatestOf(end)),
): TextColumn {
  return new TextSlices(shared, start, end, valid);
}

/** A string that may outlive its batch: without this, a short piece can keep a whole batch's text in memory. */
export function detach(text: string): string {
  if (text.length <= COPIED_LENGTH_MAX) return text;
  // A concatenation is flattened into memory of its own before it is cut.
  return (" " + text).substring(1);
}

/** A row's string in memory of its own. Dearer to make than with `detach`, but read at one place in memory instead of two. */
export function ownText(column: TextColumn, row: number): string | null {
  const from = column.start[row];
  const to = column.end[row];
  const isShort = to - from <= COPIED_LENGTH_MAX || column.valid !== null && column.valid[row] === 0;
  return isShort ? column.at(row) : decoder.decode(column.bytes.subarray(from, to));
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] > 127) return false;
  return true;
}
/** 0 where there is none. */
function leastOf(starts: Int32Array): number {
  let least = starts.length === 0 ? 0 : starts[0];
  for (let i = 1; i < starts.length; i++) if (starts[i] < least) least = starts[i];
  return least;
}
/** The same. */
function greatestOf(ends: Int32Array): number {
  let greatest = 0;
  for (let i = 0; i < ends.length; i++) if (ends[i] > greatest) greatest = ends[i];
  return greatest;
}
