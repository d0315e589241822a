/**
 * The records of one open epoch for one partition, already in the form of record batches (grammar: record_batches.ts). Invariant:
 * a batch's records are final when they are written; who sends it, when and in what order stands in its header, which is written
 * when it is sent. So one epoch's bytes can be sent again under another producer's name.
 */
import { createWriter, putInteger } from "../../data/bytes.ts";
import type { Batch } from "../../data/batch.ts";
import type { ByteWriter, Encoder } from "../../data/codec.ts";
import type { Compressor } from "./compression.ts";
import { COPY_SLACK, copyWords, viewOf } from "../../data/words.ts";
import type { ProducerIdentity } from "./broker_connection.ts";
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

/** One batch whose header is still empty. Its memory is nobody else's until it is given back. */
export interface PreparedBatch {
  readonly bytes: Uint8Array;
  readonly records: number;
  /** How the records are compressed, as attributes name it; 0: not at all. */
  readonly codec: number;
  /** The bytes may be used again from now on. */
  release(): void;
}
export interface BatchStamp {
  /** Whether the batch is part of the producer's open transaction. */
  readonly transactional: boolean;
  readonly producer: ProducerIdentity;
  /** Of the first record, as the producer counts this partition's records. */
  readonly sequence: number;
  readonly timestampMs: number;
}
/** What a record carries beside key and value. */
export type RecordHeaders = "origin" | "none";

const ORIGIN_BYTES = new TextEncoder().encode(ORIGIN_HEADER);
/** A varint of 32 bits. */
const VARINT_BYTES_MAX = 5;
/** What a length takes most often, and what is left free for it before it is known. */
const LENGTH_BYTES = 2;
/** All of a record in front of its key and of its value. */
const RECORD_PREFIX_MAX = 4 * VARINT_BYTES_MAX + 2;
/** All of a record behind its value: the header with a number of up to 16 digits. */
const RECORD_SUFFIX_MAX = 3 * VARINT_BYTES_MAX + ORIGIN_BYTES.length + 32;
/** A whole batch and the record that made it whole, unless that one is long; reached by doubling the first three times. */
const WRITER_BYTES_MAX = BATCH_BYTES_MAX + (64 << 10);
const WRITER_BYTES_MIN = WRITER_BYTES_MAX / 8;
/** Writers that wait for their next batch: what an epoch of a hundred milliseconds has under way. */
const FREE_WRITERS_MAX = 32;

/** The memory of batches, used again and again: one for all partitions and lanes of a sink, because few of them are busy at a time. */
export class BatchMemory {
  readonly #free: ByteWriter[] = [];

  take(): ByteWriter {
    const writer = this.#free.pop() ?? createWriter(WRITER_BYTES_MIN);
    writer.length = 0;
    return writer;
  }

  /** Memory that one long record took is not kept. */
  give(writer: ByteWriter): void {
    if (writer.bytes.length > WRITER_BYTES_MAX) return;
    if (this.#free.length < FREE_WRITERS_MAX) this.#free.push(writer);
  }
}

const NO_BYTES = new Uint8Array(0);
const NO_WRITER = createWriter(0);

export class PartitionBatches {
  /** Batches that are whole. */
  #full: PreparedBatch[] = [];
  #fullBytes = 0;
  /** The open batch, which there is while it has records. */
  #into: ByteWriter = NO_WRITER;
  #records = 0;
  /** Where the last key lay, with a view of it: one serves thousands of records. */
  #keys: Uint8Array = NO_BYTES;
  #keysView = viewOf(NO_BYTES);

  /** `compressor` null: records are sent as they are. */
  constructor(
    private readonly encode: Encoder,
    private readonly headers: RecordHeaders,
    private readonly compressor: Compressor | null = null,
    private readonly memory: BatchMemory = new BatchMemory(),
  ) {}

  /** Bytes that nobody has taken yet. */
  get bytesHeld(): number {
    return this.#fullBytes + this.#into.length;
  }

  /** The key is `keys[from, to)`; `from` is -1 for a record without one. */
  append(batch: Batch, row: number, keys: Uint8Array, from: number, to: number): void {
    if (this.#records === 0) {
      this.#into = this.memory.take();
      this.#into.length = BATCH_HEADER_BYTES;
    }
    const into = this.#into;
    const keyBytes = from < 0 ? -1 : to - from;
    into.reserve(RECORD_PREFIX_MAX + keyBytes + 1 + LENGTH_BYTES + COPY_SLACK);
    const start = into.length;
    // The lengths of the record and of its value are known behind the value; most take two bytes.
    const at = this.#putKey(into, start + LENGTH_BYTES, keys, from, keyBytes);
    into.length = at + LENGTH_BYTES;
    this.encode(batch, row, into);
    into.length--; // Encoders end a line; here the length does.
    const valueBytes = into.length - at - LENGTH_BYTES;
    into.reserve(RECORD_SUFFIX_MAX + 2 * VARINT_BYTES_MAX);
    putLength(into, at, valueBytes);
    if (this.headers === "none") into.bytes[into.length++] = 0;
    else putOrigin(into, batch.meta.origin[row]);
    putLength(into, start, into.length - start - LENGTH_BYTES);
    this.#records++;
    if (into.length > BATCH_BYTES_MAX) this.#cut(start);
  }

  /** All of a record between its length and its value's; gives the position behind. */
  #putKey({ bytes, view }: ByteWriter, at: number, keys: Uint8Array, from: number, keyBytes: number): number {
    bytes[at++] = 0; // attributes
    bytes[at++] = 0; // all records have the batch's time
    at = putVarint(bytes, at, this.#records);
    at = putVarint(bytes, at, keyBytes);
    if (keyBytes <= 0) return at;
    if (from + keyBytes + COPY_SLACK > keys.length) bytes.set(keys.subarray(from, from + keyBytes), at);
    else {
      if (keys !== this.#keys) {
        this.#keys = keys;
        this.#keysView = viewOf(keys);
      }
      copyWords(view, at, this.#keysView, from, from + keyBytes);
    }
    return at + keyBytes;
  }

  /** The batches that are whole, in order. Theirs to keep, and to give back. */
  takeFull(): PreparedBatch[] {
    const full = this.#full;
    this.#full = [];
    this.#fullBytes = 0;
    return full;
  }

  /** All batches, the last one as it is. */
  takeAll(): PreparedBatch[] {
    if (this.#records > 0) this.#close();
    return this.takeFull();
  }

  clear(): void {
    for (const batch of this.takeFull()) batch.release();
    if (this.#records > 0) this.memory.give(this.#into);
    this.#into = NO_WRITER;
    this.#records = 0;
  }

  /** Closes the batch in front of the record at `start`, which made it too long, unless that one stands alone. */
  #cut(start: number): void {
    if (this.#records === 1) return this.#close();
    const next = this.memory.take();
    const { bytes, length } = this.#into;
    next.length = BATCH_HEADER_BYTES;
    next.reserve(length - start + VARINT_BYTES_MAX);
    moveRecord(bytes.subarray(start, length), next);
    this.#into.length = start;
    this.#records--;
    this.#close();
    this.#into = next;
    this.#records = 1;
  }

  #close(): void {
    const closed = this.#into;
    const release = (): void => this.memory.give(closed);
    const plain = closed.bytes.subarray(0, closed.length);
    const bytes = this.compressor === null ? plain : compressed(plain, this.compressor);
    this.#full.push({ bytes, records: this.#records, codec: bytes === plain ? 0 : this.compressor!.codec, release });
    this.#fullBytes += bytes.length;
    this.#into = NO_WRITER;
    this.#records = 0;
  }
}

/** The batch with its records compressed, or as it is where that is no shorter. */
function compressed(plain: Uint8Array, { compress }: Compressor): Uint8Array {
  const body = compress(plain.subarray(BATCH_HEADER_BYTES));
  const length = BATCH_HEADER_BYTES + body.length;
  if (length >= plain.length) return plain;
  const bytes = new Uint8Array(length);
  bytes.set(body, BATCH_HEADER_BYTES);
  return bytes;
}

/** Writes the length at `at`, of all that stands behind the room left for it. */
function putLength(into: ByteWriter, at: number, length: number): void {
  const { bytes } = into;
  const spare = varintBytes(length) - LENGTH_BYTES;
  if (spare !== 0) {
    bytes.copyWithin(at + LENGTH_BYTES + spare, at + LENGTH_BYTES, into.length);
    into.length += spare;
  }
  putVarint(bytes, at, length);
}

function putOrigin(into: ByteWriter, origin: number): void {
  const { bytes } = into;
  let at = into.length;
  bytes[at++] = 2; // one header, as a varint
  bytes[at++] = ORIGIN_BYTES.length << 1;
  for (let i = 0; i < ORIGIN_BYTES.length; i++) bytes[at + i] = ORIGIN_BYTES[i];
  at += ORIGIN_BYTES.length;
  const end = putInteger(bytes, at + 1, origin);
  bytes[at] = end - at - 1 << 1;
  into.length = end;
}

/** Appends a record of another batch as the first of this one: its place in the batch becomes 0. */
function moveRecord(record: Uint8Array, into: ByteWriter): void {
  const deltaAt = varintEnd(record, 0) + 2;
  const rest = varintEnd(record, deltaAt);
  const length = record.length - rest + 3;
  const at = putVarint(into.bytes, into.length, length);
  into.bytes.fill(0, at, at + 3);
  into.bytes.set(record.subarray(rest), at + 3);
  into.length = at + length;
}

function varintEnd(bytes: Uint8Array, at: number): number {
  while (bytes[at++] > 127);
  return at;
}

/** Writes the header, checksum included. */
export function stampBatch(
  { bytes, records, codec }: Pick<PreparedBatch, "bytes" | "records" | "codec">,
  { transactional, producer, sequence, timestampMs }: BatchStamp,
  tools: BatchTools,
): void {
  putInt64(bytes, 0, 0); // The broker gives the offset.
  putInt32(bytes, 8, bytes.length - BATCH_PREFIX_BYTES);
  putInt32(bytes, 12, -1); // The broker fills in its leader epoch.
  bytes[MAGIC_AT] = 2;
  putInt16(bytes, ATTRIBUTES_AT, codec | (transactional ? TRANSACTIONAL_BIT : 0));
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
