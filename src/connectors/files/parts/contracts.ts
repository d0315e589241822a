/**
 * What `publish = "parts"` is put together from: a format makes blocks of an epoch's rows and files of blocks, a place keeps the
 * files people see. Invariant: the bytes of a file follow from its blocks alone, and a block from its rows and their order.
 */
import type { Batch } from "../../../data/batch.ts";

/** Rows of one open epoch and one partition, encoded as they come. */
export interface BlockBuilder {
  readonly rows: number;
  /** Of the block, at least about. */
  readonly bytes: number;
  /** Adds the rows `rows[0, count)` of the batch; must not keep it. */
  append(batch: Batch, rows: Int32Array, count: number): void;
  /** The rows so far as one block, valid until the next call of `append` or `clear`. */
  block(): Uint8Array;
  clear(): void;
}

/** A file on its way. */
export interface FileBuilder {
  /** Adds the rows of these blocks, in their order. */
  append(blocks: readonly Uint8Array[]): Promise<void>;
  /** Writes what a file ends with. */
  finish(): Promise<void>;
}

export interface RowFormat {
  /** Of file names, without the dot. */
  readonly extension: string;
  /** So many bytes of blocks are handed to a file at once; memory holds about this much of one file at a time. */
  readonly groupBytes: number;
  blocks(): BlockBuilder;
  file(write: (bytes: Uint8Array) => Promise<void>): FileBuilder;
}

/** Where the files of a sink are shown. Names are relative paths with slashes. Every call may be repeated by anybody at any time. */
export interface PartPlace {
  /** A local folder for files on their way. */
  readonly drafts: string;
  open(): Promise<void>;
  /** Shows a whole, synced draft of `bytes` bytes under its final name; the draft is gone afterwards. Durable when it returns. */
  show(draft: string, name: string, bytes: number): Promise<void>;
  /** Adds a manifest entry. Where one of that name is there already it stays, and is given back. `owner` names what is temporary. */
  record(name: string, content: Uint8Array, owner: number): Promise<Uint8Array | null>;
  /** Every name there is, for clearing away earlier runs. */
  names(): Promise<string[]>;
  remove(name: string): Promise<void>;
}
