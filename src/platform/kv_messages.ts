/**
 * The messages of KV Connect's data path (denokv's datapath.proto), as far as the checkpoint store needs them. Fields that it does
 * not know are passed over, so a newer server may say more.
 *
 *   SnapshotRead       1 ReadRange*             ReadRange    1 start, 2 end (exclusive), 3 limit
 *   SnapshotReadOutput 1 ReadRangeOutput*, 2 disabled, 4 strongly consistent, 8 status
 *   ReadRangeOutput    1 KvEntry*               KvEntry      1 key, 2 value, 3 encoding, 4 versionstamp
 *   AtomicWrite        1 Check*, 2 Mutation*    Check        1 key, 2 versionstamp (empty: there must be none)
 *   Mutation           1 key, 2 KvValue, 3 type KvValue      1 data, 2 encoding
 *   AtomicWriteOutput  1 status, 2 versionstamp
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { KvCommit } from "../ports/kv.ts";
import { encodeKey } from "./kv_keys.ts";

const SET = 1;
const DELETE = 2;
/** A value of plain bytes; the others are V8's serialisation and 64-bit numbers. */
const BYTES = 3;
const READ_DONE = 1;
/** What an atomic write came to. */
export const WRITE = { done: 1, checkFailed: 2, disabled: 5 } as const;

export interface ReadRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly limit: number;
}
export interface RawEntry {
  readonly key: Uint8Array;
  /** null where it is none of plain bytes. */
  readonly value: Uint8Array | null;
  readonly versionstamp: string;
}
export interface ReadOutput {
  readonly entries: readonly RawEntry[];
  /** Whether this server may be believed: it read, and what it read is the newest. */
  readonly isNewest: boolean;
}
export interface WriteOutput {
  readonly status: number;
  readonly versionstamp: string;
}

/** One range at a time is all that is asked. */
export function encodeRead({ start, end, limit }: ReadRange): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).bytes(start);
  writer.tag(2, WireType.LengthDelimited).bytes(end);
  writer.tag(3, WireType.Varint).int32(limit);
  writer.join();
  return writer.finish();
}

export function decodeRead(bytes: Uint8Array): ReadOutput {
  const entries: RawEntry[] = [];
  let isDisabled = false;
  let isStrong = false;
  let status = 0;
  eachField(new BinaryReader(bytes), {
    1: (range) => eachField(nested(range), { 1: (entry) => void entries.push(decodeEntry(nested(entry))) }),
    2: (reader) => void (isDisabled = reader.bool()),
    4: (reader) => void (isStrong = reader.bool()),
    8: (reader) => void (status = reader.int32()),
  });
  return { entries, isNewest: isStrong && !isDisabled && status === READ_DONE };
}

export function encodeWrite({ checks, sets, deletes }: KvCommit): Uint8Array {
  const writer = new BinaryWriter();
  for (const { key, versionstamp } of checks) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).bytes(encodeKey(key));
    if (versionstamp !== null) writer.tag(2, WireType.LengthDelimited).bytes(Uint8Array.fromHex(versionstamp));
    writer.join();
  }
  for (const { key, value } of sets) {
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).bytes(encodeKey(key));
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).bytes(value);
    writer.tag(2, WireType.Varint).int32(BYTES);
    writer.join();
    writer.tag(3, WireType.Varint).int32(SET);
    writer.join();
  }
  for (const key of deletes) {
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).bytes(encodeKey(key));
    writer.tag(3, WireType.Varint).int32(DELETE);
    writer.join();
  }
  return writer.finish();
}

export function decodeWrite(bytes: Uint8Array): WriteOutput {
  let status = 0;
  let versionstamp = "";
  eachField(new BinaryReader(bytes), {
    1: (reader) => void (status = reader.int32()),
    2: (reader) => void (versionstamp = reader.bytes().toHex()),
  });
  return { status, versionstamp };
}

function decodeEntry(entry: BinaryReader): RawEntry {
  let key: Uint8Array = new Uint8Array();
  let value: Uint8Array = new Uint8Array();
  let encoding = 0;
  let versionstamp = "";
  eachField(entry, {
    1: (reader) => void (key = reader.bytes()),
    2: (reader) => void (value = reader.bytes()),
    3: (reader) => void (encoding = reader.int32()),
    4: (reader) => void (versionstamp = reader.bytes().toHex()),
  });
  return { key, value: encoding === BYTES ? value : null, versionstamp };
}

const nested = (reader: BinaryReader): BinaryReader => new BinaryReader(reader.bytes());

function eachField(reader: BinaryReader, fields: Readonly<Record<number, (reader: BinaryReader) => void>>): void {
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const read = fields[field];
    if (read) read(reader);
    else reader.skip(wireType, field);
  }
}
