/**
 * Fetch, version 11, for one partition: the hot request of a source. The records come as the broker stores them.
 *
 *   request  := INT32 replica = -1  INT32 wait ms  INT32 bytes min  INT32 bytes max  INT8 isolation (1: committed)
 *               INT32 session = 0  INT32 session epoch = -1 (none)  ARRAY of topics  ARRAY of forgotten topics  STRING rack
 *   topic    := STRING name  ARRAY of (INT32 partition  INT32 leader epoch = -1  INT64 offset  INT64 log start = -1  INT32 bytes max)
 *   response := INT32 throttle ms  INT16 error  INT32 session  ARRAY of (STRING name  ARRAY of partitions)
 *   partition:= INT32 partition  INT16 error  INT64 high watermark  INT64 last stable offset  INT64 log start
 *               ARRAY of (INT64 producer id  INT64 first offset)  INT32 preferred replica  BYTES records
 */
import type { DataConnection } from "./data_connection.ts";
import { refusedCode } from "./errors.ts";
import type { AbortedTransaction } from "./record_batches.ts";
import { readTopics, WireReader, WireWriter } from "./wire.ts";

const FETCH = 1;
const FETCH_VERSION = 11;
const READ_COMMITTED = 1;

export interface FetchRequest {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax: number;
  readonly waitMs: number;
}
export interface Fetched {
  /** Of the partition, 0 for none. */
  readonly errorCode: number;
  /** Everything before it is decided, committed or aborted. */
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Whole batches, the last one perhaps cut; the first may begin before the offset. */
  readonly records: Uint8Array;
  /** Called when nobody reads the records any more; null where their memory is not kept. */
  readonly recycle: (() => void) | null;
}

/** Waits at the broker until there is something, at most `waitMs`. */
export async function fetchPartition(connection: DataConnection, request: FetchRequest): Promise<Fetched> {
  const response = await connection.request(FETCH, FETCH_VERSION, [formatFetch(request)]);
  return { ...parseFetch(response), recycle: connection.recycle ? () => connection.recycle!(response) : null };
}

function formatFetch({ topic, partition, offset, bytesMax, waitMs }: FetchRequest): Uint8Array {
  const writer = new WireWriter().int32(-1).int32(waitMs).int32(1).int32(bytesMax).int8(READ_COMMITTED).int32(0).int32(-1);
  writer.array([topic], (name) => {
    writer.string(name).array([partition], (each) => {
      writer.int32(each).int32(-1).int64(offset).int64(-1).int32(bytesMax);
    });
  });
  return writer.int32(0).string("").done();
}

function parseFetch(bytes: Uint8Array): Omit<Fetched, "recycle"> {
  const reader = new WireReader(bytes);
  reader.int32();
  const errorCode = reader.int16();
  if (errorCode !== 0) throw refusedCode(errorCode, "a fetch");
  reader.int32();
  return readTopics(reader, () => parsePartition(reader))[0];
}

function parsePartition(reader: WireReader): Omit<Fetched, "recycle"> {
  reader.int32();
  const errorCode = reader.int16();
  reader.int64();
  const lastStableOffset = reader.int64();
  reader.int64();
  const aborted = reader.array(() => ({ producerId: reader.bigInt64(), firstOffset: reader.int64() }));
  reader.int32();
  return { errorCode, lastStableOffset, aborted, records: reader.blob() };
}
