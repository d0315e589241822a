/** The key side of a state table: from key to slot and back. Which slots are there is the table's affair (slots.ts). */
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { KeyPart } from "../contracts.ts";

export interface Keys {
  find(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number;
  /** The key's slot; a new key gets the next one that the table's slots hand out. */
  insert(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number;
  /** Of a table whose key is one text, as UTF-8 bytes[from, to). */
  findText(bytes: DataView, from: number, to: number): number;
  insertText(bytes: DataView, from: number, to: number): number;
  /** See StateTable; absent where it would not pay. */
  warm?(keys: readonly Float64Array[], from: number, to: number): void;
  keyOf(slot: number): readonly KeyPart[];
  /** Forgets the key of a live slot. The caller releases the slot. */
  remove(slot: number): void;
  /** Restoring: makes room for the slots that there are now, to be filled by `read` and emptied by `clear`, and then indexed by `reindex`. */
  resize(): void;
  clear(slot: number): void;
  reindex(): void;
  write(writer: BinaryWriter, slots: Int32Array): void;
  read(reader: BinaryReader, slots: Int32Array): void;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** The string of UTF-8 bytes [from, to). */
export const textOf = (bytes: DataView, from: number, to: number): string =>
  decoder.decode(new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset + from, to - from));
