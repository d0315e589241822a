/**
 * Reads a chain of parts row by row in bounded memory: blocks of the index, and the rows they speak of.
 * Invariant: between `fill` calls everything the cursor points at stays in place, so stepping needs no promise.
 */
import type { FileHandle, Files } from "../../ports/mod.ts";
import { MERGE_INDEX_BYTES_MAX, MERGE_ROWS_BYTES_MAX } from "../limits.ts";
import { readAt } from "../../ports/durable.ts";
import type { Part } from "./part.ts";
import { compareBytes } from "./sort_key.ts";

/** Parts whose keys do not overlap, in ascending order of key, lane and epoch: to be read one after another. */
export type Chain = readonly Part[];

export class PartCursor {
  /** The block's bytes; `rows` lie one behind the other, keys stand inside `index`. */
  rows: Uint8Array = new Uint8Array(0);
  index: Uint8Array = new Uint8Array(0);
  /** Of the row the cursor stands on. */
  rowStart = 0;
  rowEnd = 0;
  keyStart = 0;
  keyEnd = 0;

  #part = -1;
  #rowsFile: FileHandle | null = null;
  #indexFile: FileHandle | null = null;
  #rowsAt = 0;
  #indexAt = 0;
  #entry = 0;
  #indexEnd = 0;
  #width: number | null = null;

  constructor(private readonly files: Files, private readonly chain: Chain) {}

  /** Steps to the next row of the block; false when `fill` must be called. */
  step(): boolean {
    if (this.#entry >= this.#indexEnd) return false;
    const { index } = this;
    this.rowStart = this.rowEnd;
    this.rowEnd += uint32(index, this.#entry);
    this.keyStart = this.#entry + (this.#width === null ? 8 : 4);
    this.keyEnd = this.keyStart + (this.#width ?? uint32(index, this.#entry + 4));
    this.#entry = this.keyEnd;
    return true;
  }

  /** Loads the next block and stands on its first row; false at the end of the chain. */
  async fill(): Promise<boolean> {
    while (!this.#rowsFile || this.#indexAt >= this.chain[this.#part].indexBytes) {
      if (!(await this.#openNext())) return false;
    }
    const part = this.chain[this.#part];
    const read = (length: number) =>
      readAt(this.#indexFile!, part.index.at + this.#indexAt, Math.min(length, part.indexBytes - this.#indexAt));
    let index = await read(MERGE_INDEX_BYTES_MAX);
    if (entryEnd(index, 0, this.#width) > index.length) index = await read(entryEnd(index, 0, this.#width));
    const { end, rowsBytes } = wholeEntries(index, this.#width);
    this.index = index;
    this.rows = await readAt(this.#rowsFile!, this.#rowsAt, rowsBytes);
    this.#rowsAt += rowsBytes;
    this.#indexAt += end;
    this.#entry = 0;
    this.#indexEnd = end;
    this.rowEnd = 0;
    return this.step();
  }

  /** Byte order of the keys of two cursors. */
  compare(other: PartCursor): number {
    return compareBytes(this.index, this.keyStart, this.keyEnd, other.index, other.keyStart, other.keyEnd);
  }

  close(): void {
    this.#rowsFile?.close();
    if (this.#indexFile !== this.#rowsFile) this.#indexFile?.close();
    this.#rowsFile = this.#indexFile = null;
  }

  async #openNext(): Promise<boolean> {
    this.close();
    if (++this.#part >= this.chain.length) return false;
    const part = this.chain[this.#part];
    this.#rowsFile = await this.files.open(part.path, "read");
    this.#indexFile = part.index.path === part.path ? this.#rowsFile : await this.files.open(part.index.path, "read");
    this.#rowsAt = 0;
    this.#indexAt = 0;
    this.#width = part.keyWidth;
    return true;
  }
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24) >>> 0;

/** Where the entry at `at` ends; beyond the buffer when it is cut off. */
function entryEnd(index: Uint8Array, at: number, width: number | null): number {
  if (width !== null) return at + 4 + width;
  return at + 8 > index.length ? at + 8 : at + 8 + uint32(index, at + 4);
}

/** The entries that are wholly in the buffer and whose rows fit the block; at least one. */
function wholeEntries(index: Uint8Array, width: number | null): { end: number; rowsBytes: number } {
  let end = 0;
  let rowsBytes = 0;
  for (;;) {
    const next = entryEnd(index, end, width);
    if (end + 8 > index.length && width === null || next > index.length) break;
    const length = uint32(index, end);
    if (end > 0 && rowsBytes + length > MERGE_ROWS_BYTES_MAX) break;
    rowsBytes += length;
    end = next;
  }
  return { end, rowsBytes };
}
