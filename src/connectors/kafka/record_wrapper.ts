/**
 * What stands around a record's value in a record batch (grammar: record_batches.ts): lengths, key and headers. Invariant: lengths take as
 * few bytes as they can, so that the same records always give the same bytes.
 */
import { putInteger } from "../../data/bytes.ts";
import type { RecordWrapper } from "../../data/codec.ts";
import { COPY_SLACK } from "../../data/words.ts";
import { BoundRows, keyLength, putKey } from "../row_keys.ts";
import { ORIGIN_HEADER } from "./record_collector.ts";

/** What a record carries beside key and value. */
export type RecordHeaders = "origin" | "none";

const ORIGIN_BYTES = new TextEncoder().encode(ORIGIN_HEADER);
/** A varint of 32 bits. */
export const VARINT_BYTES_MAX = 5;
/** What a length takes most often, and what is left free for it before it is known. */
const LENGTH_BYTES = 2;
/** All of a record but key and value; the header has a number of up to 16 digits. */
const ROOM = 7 * VARINT_BYTES_MAX + 2 + ORIGIN_BYTES.length + 32 + COPY_SLACK;

/** The records of one batch after the other. */
export class BatchRecordWrapper extends BoundRows implements RecordWrapper {
  /** Records of the open batch. */
  records = 0;
  /** Where the last one begins. */
  start = 0;
  /** Where the length of its value stands. */
  #lengthAt = 0;
  constructor(private readonly headers: RecordHeaders) {
    super();
  }

  room(row: number): number {
    return ROOM + keyLength(this.keys, row);
  }

  open(target: Uint8Array, view: DataView, at: number, row: number): number {
    this.start = at;
    at += LENGTH_BYTES;
    view.setInt16(at, 0); // no attributes, and the batch's time
    at = putVarint(target, at + 2, this.records++);
    const keys = this.keys;
    const length = keyLength(keys, row);
    at = putVarint(target, at, length);
    if (length > 0) at = putKey(view, at, keys, row, length);
    this.#lengthAt = at;
    return at + LENGTH_BYTES;
  }

  close(target: Uint8Array, view: DataView, at: number, row: number): number {
    const valueBytes = at - this.#lengthAt - LENGTH_BYTES;
    const recordBytes = at + 1 - this.start - LENGTH_BYTES;
    if (this.headers !== "none" || valueBytes < 64 || recordBytes >= 8192) return this.#closeOther(target, at, row);
    view.setUint16(this.#lengthAt, twoBytes(valueBytes));
    view.setUint16(this.start, twoBytes(recordBytes));
    target[at] = 0;
    return at + 1;
  }

  #closeOther(target: Uint8Array, at: number, row: number): number {
    at = putLength(target, this.#lengthAt, at);
    if (this.headers === "none") target[at++] = 0;
    else at = putOrigin(target, at, this.origin[row]);
    return putLength(target, this.start, at);
  }
}

/** The varint of a length that takes two bytes, the first one higher. */
const twoBytes = (length: number): number => length << 9 & 0x7f00 | 0x8000 | length >> 6;

/** Writes the length, at `at`, of what stands between the room left for it and `end`; gives the end. */
function putLength(bytes: Uint8Array, at: number, end: number): number {
  const length = end - at - LENGTH_BYTES;
  const spare = varintBytes(length) - LENGTH_BYTES;
  if (spare !== 0) bytes.copyWithin(at + LENGTH_BYTES + spare, at + LENGTH_BYTES, end);
  putVarint(bytes, at, length);
  return end + spare;
}

function putOrigin(bytes: Uint8Array, at: number, origin: number): number {
  bytes[at++] = 2; // one header, as a varint
  bytes[at++] = ORIGIN_BYTES.length << 1;
  for (let i = 0; i < ORIGIN_BYTES.length; i++) bytes[at + i] = ORIGIN_BYTES[i];
  at += ORIGIN_BYTES.length;
  const end = putInteger(bytes, at + 1, origin);
  bytes[at] = end - at - 1 << 1;
  return end;
}

/** Appends a record of another batch as the first of this one: its place in the batch becomes 0. */
export function moveRecord(record: Uint8Array, target: Uint8Array, into: number): number {
  const deltaAt = varintEnd(record, 0) + 2;
  const rest = varintEnd(record, deltaAt);
  const length = record.length - rest + 3;
  const at = putVarint(target, into, length);
  target.fill(0, at, at + 3);
  target.set(record.subarray(rest), at + 3);
  return at + length;
}

function varintEnd(bytes: Uint8Array, at: number): number {
  while (bytes[at++] > 127);
  return at;
}

/** Zigzag varint of a number of at most 31 bits, or -1. */
function putVarint(bytes: Uint8Array, at: number, value: number): number {
  if (value >>> 0 >= 8192) return putLongVarint(bytes, at, value);
  if (value < 64) {
    bytes[at] = value << 1;
    return at + 1;
  }
  bytes[at] = value << 1 & 127 | 128;
  bytes[at + 1] = value >> 6;
  return at + 2;
}
/** One of more than two bytes, or -1. Not in the way of the others, whose code is short. */
function putLongVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value << 1 ^ value >> 31;
  for (; rest >>> 0 > 127; rest >>>= 7) bytes[at++] = rest | 128;
  bytes[at] = rest;
  return at + 1;
}

const varintBytes = (value: number): number => value < 64 ? 1 : value < 8192 ? 2 : value < 1 << 20 ? 3 : value < 1 << 27 ? 4 : 5;
