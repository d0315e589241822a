/**
 * Produce, version 8: at most one record batch for each of several partitions of a topic, all of which one broker leads.
 *
 *   request  := NULLABLE_STRING transactional id  INT16 acks (-1: all in sync)  INT32 timeout ms
 *               ARRAY of (STRING topic  ARRAY of (INT32 partition  BYTES batch))
 *   response := ARRAY of (STRING topic  ARRAY of partitions)  INT32 throttle ms
 *   partition:= INT32 partition  INT16 error  INT64 base offset  INT64 append time  INT64 log start
 *               ARRAY of (INT32 record  NULLABLE_STRING message)  NULLABLE_STRING message
 */
import type { DataConnection } from "./data_connection.ts";
import { BATCH_ROOM_BYTES } from "./limits.ts";
import { readTopics, WireReader, WireWriter } from "./wire.ts";

const PRODUCE = 0;
const PRODUCE_VERSION = 8;
const ACKS_ALL = -1;

export interface ProduceRequest {
  /** null outside of transactions. */
  readonly transactionalId: string | null;
  readonly topic: string;
  readonly timeoutMs: number;
  /** In front of the bytes, in their buffer, BATCH_ROOM_BYTES may be overwritten. */
  readonly batches: readonly { readonly partition: number; readonly bytes: Uint8Array }[];
}

/** The error code of each partition, 0 for none. */
export async function produce(connection: DataConnection, request: ProduceRequest): Promise<ReadonlyMap<number, number>> {
  const reader = new WireReader(await connection.request(PRODUCE, PRODUCE_VERSION, formatProduce(request), BATCH_ROOM_BYTES));
  return new Map(readTopics(reader, () => parsePartition(reader)));
}

/** The batches stay where they are. */
function formatProduce({ transactionalId, topic, timeoutMs, batches }: ProduceRequest): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let writer = new WireWriter().string(transactionalId).int16(ACKS_ALL).int32(timeoutMs).int32(1).string(topic).int32(batches.length);
  for (const { partition, bytes } of batches) {
    pieces.push(writer.int32(partition).int32(bytes.length).done(), bytes);
    writer = new WireWriter();
  }
  return pieces;
}

function parsePartition(reader: WireReader): [partition: number, errorCode: number] {
  const partition = reader.int32();
  const errorCode = reader.int16();
  for (let i = 0; i < 3; i++) reader.bigInt64();
  reader.array(() => {
    reader.int32();
    reader.skipString();
  });
  reader.skipString();
  return [partition, errorCode];
}
