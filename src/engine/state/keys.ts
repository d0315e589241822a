/** The key side of a state table: from key to slot and back. */
import type { BinaryReader, BinaryWriter } from "../binary.ts";
import type { KeyPart } from "../contracts.ts";

export interface Keys {
  readonly size: number;
  find(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number;
  /** The key's slot; a new key gets the slot `size` had before. */
  insert(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number;
  keyOf(slot: number): readonly KeyPart[];
  /** Restoring: makes slots up to `size`, to be filled by `read`, in any order, and then indexed by `reindex`. */
  resize(size: number): void;
  reindex(): void;
  write(writer: BinaryWriter, slots: Int32Array): void;
  read(reader: BinaryReader, slots: Int32Array): void;
}
