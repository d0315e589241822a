/**
 * One partition of a simulated topic. Invariants: offsets only grow; a producer's batches stand in the order of their sequence numbers, each
 * once; what a producer epoch that was fenced here sends is refused; readers of what is committed see nothing behind an open transaction.
 */
import { FieldReader } from "./fields.ts";

export const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
export const DUPLICATE_SEQUENCE_NUMBER = 46;
export const INVALID_PRODUCER_EPOCH = 47;
export const INVALID_TXN_STATE = 48;

/** Who sent a batch, and where it stands in what they sent. */
interface BatchHeader {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly transactional: boolean;
  readonly values: readonly string[];
}
interface LoggedBatch extends BatchHeader {
  readonly baseOffset: number;
  fate: "open" | "committed" | "aborted";
}
interface Producer {
  epoch: number;
  nextSequence: number;
}

export class PartitionLog {
  readonly #batches: LoggedBatch[] = [];
  readonly #producers = new Map<bigint, Producer>();
  #nextOffset = 0;

  /** The error code, 0 for none. `isOpen`: whether the coordinator knows the partition as part of that producer's transaction. */
  append(bytes: Uint8Array, isOpen: (producerId: bigint, epoch: number) => boolean): number {
    const header = parseBatch(bytes);
    const { producerId, producerEpoch, sequence, transactional, values } = header;
    const known = this.#producers.get(producerId);
    if (known !== undefined && producerEpoch < known.epoch) return INVALID_PRODUCER_EPOCH;
    const next = known?.epoch === producerEpoch ? known.nextSequence : 0;
    if (sequence < next) return DUPLICATE_SEQUENCE_NUMBER;
    if (sequence > next) return OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (transactional && !isOpen(producerId, producerEpoch)) return INVALID_TXN_STATE;
    this.#producers.set(producerId, { epoch: producerEpoch, nextSequence: sequence + values.length });
    this.#batches.push({ ...header, baseOffset: this.#nextOffset, fate: transactional ? "open" : "committed" });
    this.#nextOffset += values.length;
    return 0;
  }

  /** The coordinator's marker behind a transaction. Whoever has an older epoch is refused from now on. */
  endTransaction(producerId: bigint, epoch: number, fate: "committed" | "aborted"): void {
    for (const batch of this.#batches) if (batch.producerId === producerId && batch.fate === "open") batch.fate = fate;
    const known = this.#producers.get(producerId);
    this.#producers.set(producerId, { epoch, nextSequence: known?.epoch === epoch ? known.nextSequence : 0 });
    this.#nextOffset++; // The marker takes a place of its own.
  }

  /** One behind the last record that is decided. */
  get stableEnd(): number {
    return this.#batches.find(({ fate }) => fate === "open")?.baseOffset ?? this.#nextOffset;
  }

  /** What readers of committed records see. */
  committed(): string[] {
    const end = this.stableEnd;
    return this.#batches.filter(({ fate, baseOffset }) => fate === "committed" && baseOffset < end).flatMap(({ values }) => values);
  }
}

/** Takes a batch apart as the protocol guide has it. */
function parseBatch(bytes: Uint8Array): BatchHeader {
  const reader = new FieldReader(bytes);
  reader.take(16); // base offset, length, leader epoch
  if (reader.int8() !== 2) throw new Error("a record batch is not of magic 2");
  reader.take(4); // checksum
  const attributes = reader.int16();
  if ((attributes & 7) !== 0) throw new Error("the broker does not take compressed batches apart");
  reader.take(20); // last offset delta, times
  const [producerId, producerEpoch, sequence] = [reader.int64(), reader.int16(), reader.int32()];
  const values = reader.list(() => parseRecord(reader));
  return { producerId, producerEpoch, sequence, transactional: (attributes & 16) !== 0, values };
}

/** The record's value as text. */
function parseRecord(reader: FieldReader): string {
  const record = new FieldReader(reader.take(reader.signed()));
  record.int8(); // attributes
  record.signed(); // time
  record.signed(); // offset
  record.take(Math.max(0, record.signed())); // key
  return new TextDecoder().decode(record.take(record.signed()));
}
