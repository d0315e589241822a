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
import { viewOf, withSpare } from "../../data/words.ts";
import { DECOMPRESSED_BYTES_MAX, SPARE_BYTES } from "./limits.ts";
import { type RecordBatch, RecordCollector, type RecordSlices, Varints } from "./record_collector.ts";

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
export interface BatchRequest {
  /** What the broker sent; a last batch that is not whole is left alone. Overwritten: the caller gives it away. */
  readonly bytes: Uint8Array;
  /** Records before it are left out. */
  readonly from: number;
  readonly aborted: readonly AbortedTransaction[];
  /** For faults. */
  readonly place: string;
}

export const BATCH_HEADER_BYTES = 61;
/** Bytes before what `length` counts. */
export const BATCH_PREFIX_BYTES = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
const COUNT_AT = BATCH_HEADER_BYTES - 4;
/** A record of no key, value and headers. */
const RECORD_BYTES_MIN = 7;
const CODEC_BITS = 7;
export const TRANSACTIONAL_BIT = 16;
const CONTROL_BIT = 32;

/** Throws MillraceError "records_damaged" or "records_unsupported". */
export function readRecordBatches(request: BatchRequest, tools: BatchTools): RecordSlices {
  const { bytes, from, place } = request;
  const { count, isPlain } = foretold(bytes);
  const batches = new CommittedBatches(request, tools);
  if (!isPlain) return readCompressed(batches, request, tools);
  // Values stay where they came in. A batch is taken apart right behind its checksum: the processor still has its bytes at hand.
  const records = new RecordCollector(withSpare(bytes, SPARE_BYTES), count, from);
  for (let batch = batches.next(); batch; batch = batches.next()) {
    take(records, bodyOf(batch, request, tools), batch, place);
  }
  return records.done(batches.nextOffset);
}

/** What was compressed needs a buffer of its own, as long as all bodies are together. */
function readCompressed(batches: CommittedBatches, request: BatchRequest, tools: BatchTools): RecordSlices {
  const found: { readonly batch: RecordBatch; readonly body: Uint8Array }[] = [];
  let count = 0;
  let length = SPARE_BYTES;
  for (let batch = batches.next(); batch; batch = batches.next()) {
    const body = bodyOf(batch, request, tools);
    found.push({ batch, body });
    count += batch.count;
    length += body.length;
  }
  const records = new RecordCollector(new Uint8Array(length), count, request.from);
  for (const { batch, body } of found) take(records, body, batch, request.place);
  return records.done(batches.nextOffset);
}

/** How many records batches say that they have, but no more than fit, and whether none is compressed. Nothing of it is checked yet. */
function foretold(bytes: Uint8Array): { readonly count: number; readonly isPlain: boolean } {
  const view = viewOf(bytes);
  let count = 0;
  let isPlain = true;
  for (let at = 0; at + BATCH_HEADER_BYTES <= bytes.length;) {
    const end = at + BATCH_PREFIX_BYTES + view.getInt32(at + 8);
    if (end < at + BATCH_HEADER_BYTES || end > bytes.length) break;
    const most = Math.floor((end - at - BATCH_HEADER_BYTES) / RECORD_BYTES_MIN);
    count += Math.max(0, Math.min(most, view.getInt32(at + COUNT_AT)));
    if ((view.getInt16(at + ATTRIBUTES_AT) & CODEC_BITS) !== 0) isPlain = false;
    at = end;
  }
  return { count, isPlain };
}

function bodyOf(batch: RecordBatch, { bytes, place }: BatchRequest, tools: BatchTools): Uint8Array {
  const plain = bytes.subarray(batch.bodyStart, batch.bodyEnd);
  const body = batch.codec === 0 ? plain : decompressed(batch.codec, plain, place, tools);
  if (batch.count >= 0 && batch.count * RECORD_BYTES_MIN <= body.length) return body;
  throw damaged(place, batch.baseOffset, "it cannot hold as many records as it says");
}

function take(records: RecordCollector, body: Uint8Array, batch: RecordBatch, place: string): void {
  withinBatch(place, batch.baseOffset, () => records.add(body, batch));
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

/** The batches that readers see, one after the other, each with its checksum found right. */
class CommittedBatches {
  /** Everything before it is covered by the batches so far. */
  nextOffset: number;
  #at = 0;
  #lastBefore = -1;
  readonly #view: DataView;
  readonly #visible: CommittedRecords;

  constructor(private readonly request: BatchRequest, private readonly tools: BatchTools) {
    this.nextOffset = request.from;
    this.#view = viewOf(request.bytes);
    this.#visible = new CommittedRecords(request.aborted);
  }

  /** null behind the last whole one. */
  next(): RecordBatch | null {
    const { bytes, from, place } = this.request;
    const view = this.#view;
    while (this.#at + BATCH_PREFIX_BYTES <= bytes.length) {
      const at = this.#at;
      const end = at + BATCH_PREFIX_BYTES + view.getInt32(at + 8);
      if (end > bytes.length) break;
      const baseOffset = Number(view.getBigInt64(at));
      if (end < at + MAGIC_AT + 1) throw damaged(place, baseOffset, "its length is wrong");
      if (bytes[at + MAGIC_AT] !== 2) throw unsupported(place, baseOffset, bytes[at + MAGIC_AT]);
      if (end < at + BATCH_HEADER_BYTES) throw damaged(place, baseOffset, "its length is wrong");
      if (this.tools.crc32c(bytes.subarray(at + ATTRIBUTES_AT, end)) !== view.getUint32(at + CRC_AT)) {
        throw damaged(place, baseOffset, "its checksum is wrong");
      }
      const attributes = view.getInt16(at + ATTRIBUTES_AT);
      const lastOffset = baseOffset + view.getInt32(at + ATTRIBUTES_AT + 2);
      // A batch's offset lies outside of its checksum.
      if (baseOffset <= this.#lastBefore || lastOffset < baseOffset || !Number.isSafeInteger(lastOffset + 1)) {
        throw damaged(place, baseOffset, "its offset is wrong");
      }
      const producerId = view.getBigInt64(at + ATTRIBUTES_AT + 22);
      const bodyStart = at + BATCH_HEADER_BYTES;
      const isControl = (attributes & CONTROL_BIT) !== 0;
      // The type of a control record is the second number of its key: 0 aborts, 1 commits.
      const controlKey = isControl ? withinBatch(place, baseOffset, () => controlType(bytes.subarray(bodyStart, end))) : -1;
      const isTransactional = (attributes & TRANSACTIONAL_BIT) !== 0;
      const isShown = this.#visible.pass({ lastOffset, producerId, controlKey, isTransactional });
      this.#lastBefore = lastOffset;
      this.nextOffset = Math.max(this.nextOffset, lastOffset + 1);
      this.#at = end;
      if (isShown && lastOffset >= from) {
        return { baseOffset, lastOffset, count: view.getInt32(at + COUNT_AT), codec: attributes & CODEC_BITS, bodyStart, bodyEnd: end };
      }
    }
    return null;
  }
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
