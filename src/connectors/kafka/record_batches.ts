/**
 * Record batches (magic 2) from bytes to record slices. Varints are zigzag, the other numbers big-endian.
 *
 *   batch  := INT64 base offset  INT32 length of what follows  INT32 leader epoch  INT8 magic = 2  UINT32 CRC-32C of what follows
 *             INT16 attributes (bits 0-2 codec, 4 transactional, 5 control)  INT32 last offset delta  INT64 base timestamp
 *             INT64 max timestamp  INT64 producer id  INT16 producer epoch  INT32 base sequence  INT32 count  records (compressed)
 *   record := varint length  INT8 attributes  varint timestamp delta  varint offset delta  varint key length (-1: null)  key
 *             varint value length (-1: null)  value  varint headers  (varint key length  key  varint value length  value)*
 *
 * Invariants: what fails its checksum is never taken apart; control records, records of aborted transactions and records before
 * the wished offset are left out; what is left keeps its own offset, so gaps (compaction, markers) do not matter.
 */
import { MillraceError } from "../../data/fault.ts";
import { RECORD_BYTES_MAX, ROWS_PER_CALL } from "../../data/limits.ts";
import { COPY_SLACK, copyWords, viewOf, withSpare } from "../../data/words.ts";
import { DECOMPRESSED_BYTES_MAX, SPARE_BYTES } from "./limits.ts";

/** What decoding and encoding batches takes from outside. */
export interface BatchTools {
  /** CRC-32C (Castagnoli), unsigned. */
  crc32c(bytes: Uint8Array): number;
  /** 1 gzip, 2 snappy, 3 lz4, 4 zstd. Throws for what is damaged, and TextTooLong. */
  decompress(codec: number, bytes: Uint8Array): Uint8Array;
}
/** A batch would become longer than DECOMPRESSED_BYTES_MAX. */
export class TextTooLong extends Error {}
/** Of a partition, as a fetch for committed records tells it. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}
/** Records of a partition: values in `bytes`, in order, with the offset of each; behind the last may be anything. A null value is an empty slice. */
export interface RecordSlices {
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly offset: Float64Array;
  /** The same array as `offset` where no record tells another origin. */
  readonly origin: Float64Array;
  readonly rows: number;
  /** Ascending rows over the length limit. */
  readonly tooLong: readonly number[];
  /** Keys of the records without a value, by row. */
  readonly keys: ReadonlyMap<number, Uint8Array>;
  /** Everything before it is covered: one behind the last offset of the last whole batch, or the wished offset. */
  readonly nextOffset: number;
}
export interface BatchRequest {
  /** What the broker sent; a last batch that is not whole is left alone. Overwritten: the caller gives it away. */
  readonly bytes: Uint8Array;
  /** Records before it are left out. */
  readonly from: number;
  readonly aborted: readonly AbortedTransaction[];
  /** For faults. */
  readonly place: string;
}

/** Header that carries a record's place in the producer's own source: decimal text, or eight bytes big-endian. */
export const ORIGIN_HEADER = "millrace-origin";
export const BATCH_HEADER_BYTES = 61;
/** Bytes before what `length` counts. */
export const BATCH_PREFIX_BYTES = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
/** A record of no key, value and headers. */
const RECORD_BYTES_MIN = 7;
const CODEC_BITS = 7;
export const TRANSACTIONAL_BIT = 16;
const CONTROL_BIT = 32;
/** What one store clears, and up to where stores are quicker than a call. */
const CLEARED_BYTES = 8;
const CLEARED_BY_WORDS_MAX = 128;
const ORIGIN_BYTES = new TextEncoder().encode(ORIGIN_HEADER);

/** A whole batch whose checksum is right. */
interface Batch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly codec: number;
  /** In the bytes of the request. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

/** Throws MillraceError "records_damaged" or "records_unsupported". */
export function readRecordBatches(request: BatchRequest, tools: BatchTools): RecordSlices {
  const { batches, nextOffset } = findBatches(request, tools);
  let count = 0;
  const bodies = batches.map((batch) => {
    const plain = request.bytes.subarray(batch.bodyStart, batch.bodyEnd);
    const body = batch.codec === 0 ? plain : decompressed(batch.codec, plain, request.place, tools);
    if (batch.count < 0 || batch.count * RECORD_BYTES_MIN > body.length) {
      throw damaged(request.place, batch.baseOffset, "it cannot hold as many records as it says");
    }
    count += batch.count;
    return body;
  });
  // Values stay where they came in; only what was compressed needs a buffer of its own.
  const into = batches.every(({ codec }) => codec === 0)
    ? withSpare(request.bytes, SPARE_BYTES)
    : new Uint8Array(bodies.reduce((sum, body) => sum + body.length, SPARE_BYTES));
  const records = new RecordCollector(into, count, request.from);
  batches.forEach((batch, i) => {
    const { baseOffset } = batch;
    withinBatch(request.place, baseOffset, () => records.add(bodies[i], batch));
  });
  return records.done(nextOffset);
}

/** What reads beyond a batch's bytes or offsets is damage, whatever its checksum says. */
function withinBatch<Result>(place: string, baseOffset: number, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (error instanceof RangeError) throw damaged(place, baseOffset, "a record does not lie within its batch");
    throw error;
  }
}

function findBatches({ bytes, from, aborted, place }: BatchRequest, tools: BatchTools): { batches: Batch[]; nextOffset: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const visible = new CommittedRecords(aborted);
  const batches: Batch[] = [];
  let nextOffset = from;
  let lastBefore = -1;
  for (let at = 0; at + BATCH_PREFIX_BYTES <= bytes.length;) {
    const end = at + BATCH_PREFIX_BYTES + view.getInt32(at + 8);
    if (end > bytes.length) break;
    const baseOffset = Number(view.getBigInt64(at));
    if (end < at + MAGIC_AT + 1) throw damaged(place, baseOffset, "its length is wrong");
    if (bytes[at + MAGIC_AT] !== 2) throw unsupported(place, baseOffset, bytes[at + MAGIC_AT]);
    if (end < at + BATCH_HEADER_BYTES) throw damaged(place, baseOffset, "its length is wrong");
    if (tools.crc32c(bytes.subarray(at + ATTRIBUTES_AT, end)) !== view.getUint32(at + CRC_AT)) {
      throw damaged(place, baseOffset, "its checksum is wrong");
    }
    const attributes = view.getInt16(at + ATTRIBUTES_AT);
    const lastOffset = baseOffset + view.getInt32(at + ATTRIBUTES_AT + 2);
    // A batch's offset lies outside of its checksum.
    if (baseOffset <= lastBefore || lastOffset < baseOffset || !Number.isSafeInteger(lastOffset + 1)) {
      throw damaged(place, baseOffset, "its offset is wrong");
    }
    const producerId = view.getBigInt64(at + ATTRIBUTES_AT + 22);
    const bodyStart = at + BATCH_HEADER_BYTES;
    const isControl = (attributes & CONTROL_BIT) !== 0;
    // The type of a control record is the second number of its key: 0 aborts, 1 commits.
    const controlKey = isControl ? withinBatch(place, baseOffset, () => controlType(bytes.subarray(bodyStart, end))) : -1;
    const isShown = visible.pass({ lastOffset, producerId, controlKey, isTransactional: (attributes & TRANSACTIONAL_BIT) !== 0 });
    if (isShown && lastOffset >= from) {
      const count = view.getInt32(at + BATCH_HEADER_BYTES - 4);
      batches.push({ baseOffset, lastOffset, count, codec: attributes & CODEC_BITS, bodyStart, bodyEnd: end });
    }
    lastBefore = lastOffset;
    nextOffset = Math.max(nextOffset, lastOffset + 1);
    at = end;
  }
  return { batches, nextOffset };
}

/** Which batches belong to aborted transactions: as the broker lists them, from their first offset to their producer's marker. */
class CommittedRecords {
  readonly #waiting: AbortedTransaction[];
  readonly #open = new Set<bigint>();
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }
  /** Whether readers see the batch; to be asked for all batches in order. */
  pass(batch: { lastOffset: number; producerId: bigint; controlKey: number; isTransactional: boolean }): boolean {
    while (this.#waiting.length > 0 && this.#waiting.at(-1)!.firstOffset <= batch.lastOffset) {
      this.#open.add(this.#waiting.pop()!.producerId);
    }
    if (batch.controlKey >= 0) {
      if (batch.controlKey === 0) this.#open.delete(batch.producerId);
      return false;
    }
    return !(batch.isTransactional && this.#open.has(batch.producerId));
  }
}

/** Control batches are never compressed and hold one record, whose key is INT16 version, INT16 type. */
function controlType(body: Uint8Array): number {
  const cursor = new Varints(body, 0);
  cursor.next();
  cursor.at++;
  cursor.next();
  cursor.next();
  return cursor.next() >= 4 ? body[cursor.at + 2] << 8 | body[cursor.at + 3] : 0x7fff;
}

class RecordCollector {
  #start: Int32Array;
  #end: Int32Array;
  #offset: Float64Array;
  /** The offsets themselves as long as no record tells another place. */
  #origin: Float64Array;
  readonly #tooLong: number[] = [];
  readonly #keys = new Map<number, Uint8Array>();
  #rows = 0;
  /** Where the last value ends; -1 before the first. */
  #at = -1;
  readonly #view: DataView;
  constructor(private readonly into: Uint8Array, count: number, private readonly from: number) {
    this.#view = viewOf(into);
    this.#start = new Int32Array(count);
    this.#end = new Int32Array(count);
    this.#offset = new Float64Array(count);
    this.#origin = this.#offset;
  }

  /** Takes a body apart; it may lie in the memory that the values are told in, behind those that were told. */
  add(body: Uint8Array, batch: Batch): void {
    const cursor = new Varints(body, 0);
    let before = batch.baseOffset - 1;
    for (let i = 0; i < batch.count; i += ROWS_PER_CALL) {
      before = this.#some(cursor, Math.min(ROWS_PER_CALL, batch.count - i), before, batch);
    }
  }

  /** Takes so many records; gives the offset of the last one. */
  #some(cursor: Varints, count: number, last: number, { baseOffset, lastOffset }: Batch): number {
    const body = cursor.bytes;
    const view = viewOf(body);
    const shift = body.buffer === this.into.buffer ? body.byteOffset - this.into.byteOffset : -1;
    let before = last;
    for (let i = 0; i < count; i++) {
      const length = cursor.next();
      const end = cursor.at + length;
      if (length < 0 || end > body.length) throw new RangeError("record length");
      cursor.at++;
      cursor.skip();
      const offset = baseOffset + cursor.next();
      // Positions count on it: a record out of order would be passed over, or read twice, by who goes on from one.
      if (offset <= before || offset > lastOffset) throw new RangeError("record offset");
      before = offset;
      const keyBytes = cursor.next();
      const key = cursor.at;
      cursor.at += Math.max(0, keyBytes);
      const valueBytes = Math.max(0, cursor.next());
      const value = cursor.at;
      if (value + valueBytes > end) throw new RangeError("value length");
      if (offset >= this.from) {
        const row = this.#rows++;
        cursor.at = value + valueBytes;
        const origin = cursor.at < end && body[cursor.at] === 0 ? offset : readOrigin(body, cursor, end) ?? offset;
        if (valueBytes === 0 && keyBytes >= 0) this.#keys.set(row, body.slice(key, key + keyBytes));
        if (valueBytes > RECORD_BYTES_MAX) this.#tooLong.push(row);
        if (shift >= 0) this.#clear(shift + value);
        const start = shift >= 0 ? shift + value : this.#copy(view, value, valueBytes);
        this.#start[row] = start;
        this.#end[row] = this.#at = start + valueBytes;
        this.#offset[row] = offset;
        if (origin !== offset || this.#origin !== this.#offset) this.#putOrigin(row, origin);
      }
      cursor.at = end;
    }
    return before;
  }

  #putOrigin(row: number, origin: number): void {
    if (this.#origin === this.#offset) this.#origin = this.#offset.slice();
    this.#origin[row] = origin;
  }

  done(nextOffset: number): RecordSlices {
    const rows = this.#rows;
    const offset = this.#offset.subarray(0, rows);
    return {
      bytes: this.into,
      start: this.#start.subarray(0, rows),
      end: this.#end.subarray(0, rows),
      offset,
      origin: this.#origin === this.#offset ? offset : this.#origin.subarray(0, rows),
      rows,
      tooLong: this.#tooLong,
      keys: this.#keys,
      nextOffset,
    };
  }

  /**
   * Overwrites what stands between two values, which is read by now: texts of many records are decoded at once where all is ASCII, and
   * lengths hardly ever are.
   */
  #clear(to: number): void {
    const from = this.#at;
    if (from < 0) return;
    const last = to - CLEARED_BYTES;
    if (last < from || last > from + CLEARED_BY_WORDS_MAX) this.into.fill(0, from, to);
    else {
      for (let at = from; at < last; at += CLEARED_BYTES) this.#view.setFloat64(at, 0);
      this.#view.setFloat64(last, 0);
    }
  }

  /** Behind the value before; gives where. */
  #copy(body: DataView, value: number, valueBytes: number): number {
    const start = Math.max(0, this.#at);
    const hasSlack = start + valueBytes + COPY_SLACK <= this.into.length && value + valueBytes + COPY_SLACK <= body.byteLength;
    if (hasSlack) copyWords(this.#view, start, body, value, value + valueBytes);
    else this.into.set(new Uint8Array(body.buffer, body.byteOffset + value, valueBytes), start);
    return start;
  }
}

/** The origin header's number; null where there is none that makes sense. */
function readOrigin(body: Uint8Array, cursor: Varints, end: number): number | null {
  const headers = cursor.next();
  for (let i = 0; i < headers; i++) {
    const keyBytes = cursor.next();
    const key = cursor.at;
    cursor.at += Math.max(0, keyBytes);
    const valueBytes = Math.max(0, cursor.next());
    const value = cursor.at;
    cursor.at += valueBytes;
    if (cursor.at > end) throw new RangeError("header length");
    if (keyBytes === ORIGIN_BYTES.length && isOriginKey(body, key)) return parseOrigin(body, value, value + valueBytes);
  }
  return null;
}

function isOriginKey(body: Uint8Array, at: number): boolean {
  for (let i = 0; i < ORIGIN_BYTES.length; i++) if (body[at + i] !== ORIGIN_BYTES[i]) return false;
  return true;
}

function parseOrigin(bytes: Uint8Array, from: number, to: number): number | null {
  let value = 0;
  let isText = to > from && to - from <= 16;
  for (let i = from; i < to && isText; i++) {
    const digit = bytes[i] - 48;
    if (digit < 0 || digit > 9) isText = false;
    value = value * 10 + digit;
  }
  if (!isText) {
    if (to - from !== 8) return null;
    value = Number(new DataView(bytes.buffer, bytes.byteOffset + from, 8).getBigInt64(0));
  }
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Reads zigzag varints of up to 32 bits; past the end of the bytes it throws a RangeError. */
class Varints {
  constructor(readonly bytes: Uint8Array, public at: number) {}
  next(): number {
    const { bytes } = this;
    let value = bytes[this.at++];
    if (value > 127) {
      const second = bytes[this.at++];
      value = second > 127 ? this.#long() : value & 127 | second << 7;
    }
    if (this.at > bytes.length) throw new RangeError("varint");
    return value >>> 1 ^ -(value & 1);
  }
  /** One of more than two bytes, which were passed. Not in the way of the others, whose code is short. */
  #long(): number {
    let value = 0;
    this.at -= 2;
    for (let shift = 0;; shift += 7) {
      if (shift > 28) throw new RangeError("varint");
      const byte = this.bytes[this.at++];
      value |= (byte & 127) << shift;
      if (!(byte > 127)) return value;
    }
  }
  /** A varint of up to 64 bits that nobody wants to know. */
  skip(): void {
    while (this.bytes[this.at++] > 127);
  }
}

function decompressed(codec: number, body: Uint8Array, place: string, tools: BatchTools): Uint8Array {
  try {
    return tools.decompress(codec, body);
  } catch (error) {
    const what = error instanceof TextTooLong ? `becomes more than ${DECOMPRESSED_BYTES_MAX} bytes when` : "cannot be";
    throw new MillraceError("records_damaged", `a record batch of ${place} ${what} decompressed (codec ${codec})`, {
      hint: "its producer wrote it so; skip it by starting behind it, or have it deleted from the topic",
    });
  }
}

/** A batch that cannot be trusted. It may have happened on the way: fetched once more it may be whole. */
export function damaged(place: string, offset: number, what: string): MillraceError {
  return new MillraceError("records_damaged", `the record batch at offset ${offset} of ${place} is damaged: ${what}`, {
    hint: "the broker's disk or the network changed its bytes; let the topic's replicas be checked",
    retry: "backoff",
  });
}

function unsupported(place: string, offset: number, magic: number): MillraceError {
  return new MillraceError(
    "records_unsupported",
    `the records at offset ${offset} of ${place} have the format of Kafka 0.10 (magic ${magic})`,
    {
      hint: "copy them into a new topic by a newer client",
    },
  );
}
