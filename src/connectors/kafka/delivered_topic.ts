/**
 * The committed records of a topic, for whoever compares: partition, key, and the members of the value. Batches are taken apart here
 * once more, without what reads them in a run; which of them count is decided by the marks of commit and abort in the log itself.
 *
 *   batch  := INT64 base offset  INT32 length  INT32 leader epoch  INT8 magic  UINT32 crc  INT16 attributes  INT32 last offset delta
 *             INT64 first time  INT64 greatest time  INT64 producer id  INT16 producer epoch  INT32 sequence  INT32 count  records
 *   record := VARINT length  INT8  VARLONG time delta  VARINT offset delta  VARINT key length  key  VARINT value length  value  headers
 */
import type { Delivered } from "../../component/component.ts";
import type { World } from "../../ports/mod.ts";
import { jsonTable } from "../json_table.ts";
import { Cluster, type Topic } from "./cluster.ts";
import type { Codecs } from "./codecs.ts";
import type { ConnectionSettings } from "./connection_settings.ts";
import { refusedCode } from "./errors.ts";
import { fetchPartition } from "./fetch_request.ts";
import { FETCH_BYTES_MAX } from "./limits.ts";

const LENGTH_AT = 8;
const ATTRIBUTES_AT = 21;
const LAST_DELTA_AT = 23;
const PRODUCER_AT = 43;
const RECORDS_AT = 61;
const CODEC_BITS = 7;
const TRANSACTIONAL = 16;
const CONTROL = 32;
const COMMIT = 1;

interface Seen {
  readonly offset: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
}

/** Records of one key keep their order. A topic that is not there has none. */
export async function readTopicRecords(settings: ConnectionSettings, name: string, world: World): Promise<Delivered> {
  const cluster = new Cluster(settings, world);
  const topic = await cluster.findTopic(name);
  if (!topic) return { columns: [], rows: [], order: "none" };
  const decoder = new TextDecoder();
  const textOf = (bytes: Uint8Array | null) => bytes === null ? "" : decoder.decode(bytes);
  const placed: (readonly [partition: string, key: string])[] = [];
  const values: string[] = [];
  const ends = await cluster.offsets(name, topic, "latest");
  for (let partition = 0; partition < topic.partitions; partition++) {
    for (const { key, value } of await readPartition(cluster, { name, topic, partition, end: ends[partition] })) {
      placed.push([String(partition), textOf(key)]);
      values.push(value === null ? "null" : decoder.decode(value));
    }
  }
  const { columns, rows } = jsonTable(values);
  return { columns: ["(partition)", "(key)", ...columns], rows: rows.map((row, index) => [...placed[index], ...row]), order: { by: 1 } };
}

interface PartitionPlace {
  readonly name: string;
  readonly topic: Topic;
  readonly partition: number;
  /** Everything before it is decided. */
  readonly end: number;
}

async function readPartition(cluster: Cluster, { name, topic, partition, end }: PartitionPlace): Promise<readonly Seen[]> {
  const log = new TransactionLog(await cluster.codecs());
  const [from] = (await cluster.offsets(name, topic, "earliest")).slice(partition);
  const connection = await cluster.connectData(topic.leaders[partition]);
  try {
    for (let offset = from; offset < end;) {
      const request = { topic: name, partition, offset, bytesMax: FETCH_BYTES_MAX, waitMs: 100 };
      const { errorCode, records } = await fetchPartition(connection, request);
      if (errorCode !== 0) throw refusedCode(errorCode, `reading topic "${name}"`);
      offset = log.add(records, offset);
    }
  } finally {
    connection.close();
  }
  return log.committed();
}

/** Takes a partition's batches in order. */
class TransactionLog {
  readonly #open = new Map<bigint, Seen[]>();
  readonly #decided: Seen[] = [];
  constructor(private readonly codecs: Codecs) {}

  /** Gives the offset behind the last whole batch; those before `from` were taken already. */
  add(bytes: Uint8Array, from: number): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let next = from;
    for (let at = 0; at + RECORDS_AT <= bytes.length;) {
      const end = at + LENGTH_AT + 4 + view.getInt32(at + LENGTH_AT);
      if (end > bytes.length) break;
      const base = Number(view.getBigInt64(at));
      const last = base + view.getInt32(at + LAST_DELTA_AT);
      if (last >= from) this.#take(bytes.subarray(at, end), base);
      next = Math.max(next, last + 1);
      at = end;
    }
    return next;
  }

  committed(): readonly Seen[] {
    return this.#decided.sort((a, b) => a.offset - b.offset);
  }

  #take(batch: Uint8Array, base: number): void {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    const attributes = view.getInt16(ATTRIBUTES_AT);
    const producer = view.getBigInt64(PRODUCER_AT);
    const plain = batch.subarray(RECORDS_AT);
    const records = recordsOf((attributes & CODEC_BITS) === 0 ? plain : this.codecs.decompress(attributes & CODEC_BITS, plain), base);
    if ((attributes & CONTROL) !== 0) {
      // The key says INT16 version, INT16 what was decided.
      const { key } = records[0];
      if (key !== null && (key[2] << 8 | key[3]) === COMMIT) this.#decided.push(...this.#open.get(producer) ?? []);
      this.#open.delete(producer);
    } else if ((attributes & TRANSACTIONAL) === 0) this.#decided.push(...records);
    else this.#open.set(producer, [...this.#open.get(producer) ?? [], ...records]);
  }
}

function recordsOf(body: Uint8Array, base: number): Seen[] {
  const records: Seen[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = body[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  };
  const blob = (): Uint8Array | null => {
    const length = varint();
    if (length < 0) return null;
    at += length;
    return body.slice(at - length, at);
  };
  while (at < body.length) {
    const length = varint();
    const end = at + length;
    at++;
    varint();
    const offset = base + varint();
    records.push({ offset, key: blob(), value: blob() });
    at = end;
  }
  return records;
}
