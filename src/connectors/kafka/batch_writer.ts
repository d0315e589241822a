/**
 * The records of one open epoch for one partition, already in the form of record batches (grammar: record_batches.ts). Invariant:
 * a batch's records are final when they are written; who sends it, when and in what order stands in its header, which is written
 * when it is sent. So one epoch's bytes can be sent again under another producer's name.
 */
import { createWriter } from "../../data/bytes.ts";
import type { Batch } from "../../data/batch.ts";
import type { ByteWriter, RecordsEncoder } from "../../data/codec.ts";
import type { Compressor } from "./compression.ts";
import type { RowKeys } from "../row_keys.ts";
import type { ProducerIdentity } from "./broker_connection.ts";
import { BATCH_BYTES_MAX, BATCH_ROOM_BYTES } from "./limits.ts";
import {
  ATTRIBUTES_AT,
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  type BatchTools,
  CRC_AT,
  MAGIC_AT,
  TRANSACTIONAL_BIT,
} from "./record_batches.ts";
import { BatchRecordWrapper, moveRecord, type RecordHeaders, VARINT_BYTES_MAX } from "./record_wrapper.ts";
import { putInt16, putInt32, putInt64 } from "./wire.ts";

/** One batch whose header is still empty. Its memory is nobody else's until it is given back. */
export interface PreparedBatch {
  /** In front of them, in their buffer, there is room for what a request says before them (BATCH_ROOM_BYTES). */
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
export interface BatchOptions {
  /** null, the default: records are sent as they are. */
  readonly compressor?: Compressor | null;
  readonly memory?: BatchMemory;
  /** What the topic takes, header included, where that is less than BATCH_BYTES_MAX. One record that is longer stands alone. */
  readonly bytesMax?: number;
}
/** Where a batch begins. */
const BATCH_AT = BATCH_ROOM_BYTES;
/** A whole batch and the record that made it whole, unless that one is long. */
const WRITER_BYTES_MAX = BATCH_AT + BATCH_BYTES_MAX + (64 << 10);
/** What a batch of a quiet partition needs. One that needs more gets all at once: growing by steps touches and copies as much again. */
const WRITER_BYTES_MIN = WRITER_BYTES_MAX / 8;
/** Writers that wait for their next batch: what an epoch of a hundred milliseconds has under way. */
const FREE_WRITERS_MAX = 32;

/** The memory of batches, used again and again: one for all partitions and lanes of a sink, because few of them are busy at a time. */
export class BatchMemory {
  readonly #free: ByteWriter[] = [];

  take(): ByteWriter {
    const writer = this.#free.pop() ?? createWriter(WRITER_BYTES_MIN, WRITER_BYTES_MAX);
    writer.length = 0;
    return writer;
  }

  /** Memory that one long record took is not kept. */
  give(writer: ByteWriter): void {
    if (writer.bytes.length > WRITER_BYTES_MAX) return;
    if (this.#free.length < FREE_WRITERS_MAX) this.#free.push(writer);
  }
}

const NO_WRITER = createWriter(0);

/** Those of one partition: rows come in, batches go out. */
export class PartitionBatches {
  /** Batches that are whole. */
  #full: PreparedBatch[] = [];
  #fullBytes = 0;
  /** The open batch, which there is while it has records. */
  #into: ByteWriter = NO_WRITER;
  readonly #wrapper: BatchRecordWrapper;
  /** Where a batch is whole. */
  readonly #fullAt: number;
  readonly #compressor: Compressor | null;
  readonly #memory: BatchMemory;

  constructor(private readonly encode: RecordsEncoder, headers: RecordHeaders, options: BatchOptions = {}) {
    const { compressor = null, memory = new BatchMemory(), bytesMax = BATCH_BYTES_MAX } = options;
    this.#wrapper = new BatchRecordWrapper(headers);
    this.#compressor = compressor;
    this.#memory = memory;
    this.#fullAt = BATCH_AT + Math.min(bytesMax, BATCH_BYTES_MAX);
  }

  /** Bytes that nobody has taken yet. */
  get bytesHeld(): number {
    return this.#fullBytes + (this.#wrapper.records === 0 ? 0 : this.#into.length - BATCH_AT);
  }

  append(batch: Batch, rows: Int32Array, from: number, to: number, keys: RowKeys): void {
    const wrapper = this.#wrapper;
    wrapper.bind(batch, keys);
    for (let i = from; i < to;) {
      if (wrapper.records === 0) {
        this.#into = this.#memory.take();
        this.#into.length = BATCH_AT + BATCH_HEADER_BYTES;
      }
      i = this.encode(batch, rows, i, to, this.#into, wrapper, this.#fullAt);
      if (this.#into.length > this.#fullAt) this.#cut(wrapper.start);
    }
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
    if (this.#wrapper.records > 0) this.#close();
    return this.takeFull();
  }

  clear(): void {
    for (const batch of this.takeFull()) batch.release();
    if (this.#wrapper.records > 0) this.#memory.give(this.#into);
    this.#into = NO_WRITER;
    this.#wrapper.records = 0;
  }

  /** Closes the batch in front of the record at `start`, which made it too long, unless that one stands alone. */
  #cut(start: number): void {
    if (this.#wrapper.records === 1) return this.#close();
    const next = this.#memory.take();
    const { bytes, length } = this.#into;
    next.length = BATCH_AT + BATCH_HEADER_BYTES;
    next.reserve(length - start + VARINT_BYTES_MAX);
    next.length = moveRecord(bytes.subarray(start, length), next.bytes, next.length);
    this.#into.length = start;
    this.#wrapper.records--;
    this.#close();
    this.#into = next;
    this.#wrapper.records = 1;
  }

  #close(): void {
    const closed = this.#into;
    const release = (): void => this.#memory.give(closed);
    const plain = closed.bytes.subarray(BATCH_AT, closed.length);
    const bytes = this.#compressor === null ? plain : compressed(plain, this.#compressor);
    this.#full.push({ bytes, records: this.#wrapper.records, codec: bytes === plain ? 0 : this.#compressor!.codec, release });
    this.#fullBytes += bytes.length;
    this.#into = NO_WRITER;
    this.#wrapper.records = 0;
  }
}

/** The batch with its records compressed, or as it is where that is no shorter. */
function compressed(plain: Uint8Array, { compress }: Compressor): Uint8Array {
  const body = compress(plain.subarray(BATCH_HEADER_BYTES));
  const length = BATCH_HEADER_BYTES + body.length;
  if (length >= plain.length) return plain;
  const bytes = new Uint8Array(BATCH_AT + length).subarray(BATCH_AT);
  bytes.set(body, BATCH_HEADER_BYTES);
  return bytes;
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
