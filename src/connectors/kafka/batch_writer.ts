/**
 * The records of one open epoch for one partition, already in the form of record batches (grammar: record_batches.ts). Invariant:
 * a batch's records are final when they are written; who sends it, when and in what order stands in its header, which is written
 * when it is sent. So one epoch's bytes can be sent again under another producer's name.
 */
import { createWriter, putInteger } from "../../data/bytes.ts";
import type { Batch } from "../../data/batch.ts";
import type { ByteWriter, Encoder } from "../../data/codec.ts";
import type { ProducerIdentity } from "./driver.ts";
import { BATCH_BYTES_MAX } from "./limits.ts";
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  type BatchTools,
  CRC_AT,
  MAGIC_AT,
  ORIGIN_HEADER,
  TRANSACTIONAL_BIT,
} from "./record_batches.ts";
import { putInt16, putInt32, putInt64 } from "./wire.ts";

/** One batch whose header is still empty. */
export interface PreparedBatch {
  readonly bytes: Uint8Array;
  readonly records: number;
}
export interface BatchStamp {
  /** Whether the batch is part of the producer's open transaction. */
  readonly transactional: boolean;
  readonly producer: ProducerIdentity;
  /** Of the first record, as the producer counts this partition's records. */
  readonly sequence: number;
  readonly timestampMs: number;
}

const ORIGIN_BYTES = new TextEncoder().encode(ORIGIN_HEADER);
/** A varint of 32 bits. */
const VARINT_BYTES_MAX = 5;
/** All of a record but its key and value: six varints, the attributes, and the header with a number of up to 16 digits. */
const RECORD_OVERHEAD_MAX = 8 * VARINT_BYTES_MAX + 2 + ORIGIN_BYTES.length + 32;

export class PartitionBatches {
  readonly #bytes: ByteWriter = createWriter(4 << 10);
  /** Ends of complete batches and how many records they hold. */
  readonly #cuts: { end: number; records: number }[] = [];
  #records = 0;
  #batchStart = 0;
  readonly #origin = new Uint8Array(32);

  /** `value` is shared by all partitions of a lane: the encoded record waits there until its length is known. */
  constructor(private readonly encode: Encoder, private readonly value: ByteWriter) {}

  get bytesHeld(): number {
    return this.#bytes.length;
  }

  /** `key` is null for a record without one. */
  append(batch: Batch, row: number, key: Uint8Array | null): void {
    const { value } = this;
    value.length = 0;
    this.encode(batch, row, value);
    value.length--; // Encoders end a line; here the length does.
    if (this.#records > 0 && this.#bytes.length - this.#batchStart + value.length + (key?.length ?? 0) > BATCH_BYTES_MAX) this.#cut();
    const into = this.#bytes;
    if (this.#records === 0) {
      into.reserve(BATCH_HEADER_BYTES);
      into.length += BATCH_HEADER_BYTES;
    }
    into.reserve(RECORD_OVERHEAD_MAX + value.length + (key?.length ?? 0));
    into.length = this.#putRecord(into.bytes, into.length, key, batch.meta.origin[row]);
    this.#records++;
  }

  /** Views of this object's memory, valid until the next `append` or `clear`. */
  prepared(): PreparedBatch[] {
    this.#cut();
    let start = 0;
    return this.#cuts.map(({ end, records }) => {
      const bytes = this.#bytes.bytes.subarray(start, end);
      start = end;
      return { bytes, records };
    });
  }

  clear(): void {
    this.#bytes.length = 0;
    this.#cuts.length = 0;
    this.#records = 0;
    this.#batchStart = 0;
  }

  #putRecord(bytes: Uint8Array, at: number, key: Uint8Array | null, origin: number): number {
    const { value } = this;
    const originBytes = putInteger(this.#origin, 0, origin);
    const delta = this.#records;
    const keyBytes = key?.length ?? 0;
    const length = 1 + 1 + varintBytes(delta) + (key === null ? 1 : varintBytes(keyBytes)) + keyBytes + varintBytes(value.length) +
      value.length + 1 + 1 + ORIGIN_BYTES.length + 1 + originBytes;
    at = putVarint(bytes, at, length);
    bytes[at++] = 0; // attributes
    bytes[at++] = 0; // all records have the batch's time
    at = putVarint(bytes, at, delta);
    at = putVarint(bytes, at, key === null ? -1 : keyBytes);
    if (key !== null) {
      bytes.set(key, at);
      at += keyBytes;
    }
    at = putVarint(bytes, at, value.length);
    bytes.set(value.bytes.subarray(0, value.length), at);
    at += value.length;
    at = putVarint(bytes, at, 1);
    at = putVarint(bytes, at, ORIGIN_BYTES.length);
    bytes.set(ORIGIN_BYTES, at);
    at = putVarint(bytes, at + ORIGIN_BYTES.length, originBytes);
    bytes.set(this.#origin.subarray(0, originBytes), at);
    return at + originBytes;
  }

  #cut(): void {
    if (this.#records === 0) return;
    this.#cuts.push({ end: this.#bytes.length, records: this.#records });
    this.#records = 0;
    this.#batchStart = this.#bytes.length;
  }
}

/** Writes the header, checksum included. */
export function stampBatch(
  { bytes, records }: PreparedBatch,
  { transactional, producer, sequence, timestampMs }: BatchStamp,
  tools: BatchTools,
): void {
  putInt64(bytes, 0, 0); // The broker gives the offset.
  putInt32(bytes, 8, bytes.length - BATCH_PREFIX_BYTES);
  putInt32(bytes, 12, -1); // The broker fills in its leader epoch.
  bytes[MAGIC_AT] = 2;
  putInt16(bytes, ATTRIBUTES_AT, transactional ? TRANSACTIONAL_BIT : 0);
  putInt32(bytes, ATTRIBUTES_AT + 2, records - 1);
  putInt64(bytes, ATTRIBUTES_AT + 6, timestampMs);
  putInt64(bytes, ATTRIBUTES_AT + 14, timestampMs);
  putInt64(bytes, ATTRIBUTES_AT + 22, Number(producer.id));
  putInt16(bytes, ATTRIBUTES_AT + 30, producer.epoch);
  putInt32(bytes, ATTRIBUTES_AT + 32, sequence);
  putInt32(bytes, ATTRIBUTES_AT + 36, records);
  putInt32(bytes, CRC_AT, tools.crc32c(bytes.subarray(ATTRIBUTES_AT)));
}

/** Zigzag varint of a number of at most 31 bits, or -1. */
function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = (value << 1 ^ value >> 31) >>> 0;
  while (rest > 127) {
    bytes[at++] = rest & 127 | 128;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

const varintBytes = (value: number): number => value < 64 ? 1 : value < 8192 ? 2 : value < 1 << 20 ? 3 : value < 1 << 27 ? 4 : 5;
