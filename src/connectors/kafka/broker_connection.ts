/**
 * The control requests of one connection to one broker, in versions that Kafka 2.4 to 4.x answer. Each throws where there is no
 * answer; what the broker refuses is an error of ours, or its code where that is everyday news to the caller. Layouts: the protocol
 * guide's, the older versions without tags wherever they say enough.
 */
import type { MillraceError } from "../../data/fault.ts";
import type { Broker } from "./connection_settings.ts";
import type { DataConnection } from "./data_connection.ts";
import { refusedCode, TOPIC_ALREADY_EXISTS, UNKNOWN_TOPIC_OR_PARTITION, unreachable } from "./errors.ts";
import { readTopics, WireReader, WireWriter } from "./wire.ts";

/** As the cluster describes itself. */
export interface Metadata {
  readonly brokers: ReadonlyMap<number, Broker>;
  readonly controller: number;
  /** null where there is no such topic. */
  readonly topic: { readonly id: string; readonly partitions: readonly PartitionMetadata[] } | null;
}
export interface PartitionMetadata {
  readonly partition: number;
  /** Node id, or -1 while there is none. */
  readonly leader: number;
  /** How many brokers hold it, and how many of them are up to date. */
  readonly replicas: number;
  readonly inSync: number;
}
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}
/** A consumer group's offset of a partition, with the text kept beside it. */
export interface CommittedOffset {
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}
/** Where in a partition; `sinceMs` is a time of records, milliseconds since 1970. */
export type OffsetPlace = "earliest" | "latest" | { readonly sinceMs: number };

/** A request's number and version, and which of request and response have headers with tags. */
export interface ControlApi {
  readonly api: number;
  readonly version: number;
  readonly tagged?: "request" | "both";
}
const LIST_OFFSETS: ControlApi = { api: 2, version: 5 };
const METADATA: ControlApi = { api: 3, version: 12, tagged: "both" };
export const OFFSET_COMMIT: ControlApi = { api: 8, version: 7 };
const OFFSET_FETCH: ControlApi = { api: 9, version: 7, tagged: "both" };
const FIND_COORDINATOR: ControlApi = { api: 10, version: 2 };
/** Its answer has an old header whatever is asked: who asks does not know yet what the broker speaks. */
const API_VERSIONS: ControlApi = { api: 18, version: 3, tagged: "request" };
const CREATE_TOPICS: ControlApi = { api: 19, version: 4 };
const DELETE_TOPICS: ControlApi = { api: 20, version: 3 };
const DELETE_RECORDS: ControlApi = { api: 21, version: 1 };
const INIT_PRODUCER_ID: ControlApi = { api: 22, version: 1 };
const DESCRIBE_CONFIGS: ControlApi = { api: 32, version: 1 };

const READ_COMMITTED = 1;
const HIGH_WATERMARK = -1;
const COORDINATOR_KEY = { group: 0, transaction: 1 } as const;
const TOPIC_RESOURCE = 2;
const NO_TAGS = new Uint8Array(1);
const NO_UUID = new Uint8Array(16);
/** What stands for a leader's epoch where we do not follow them. */
const ANY_LEADER_EPOCH = -1;
/** Timestamps that stand for the ends of a partition. */
const OF_END = { earliest: -2, latest: -1 } as const;
/** Tag of ApiVersions: features that the cluster has settled on. */
const FINALIZED_FEATURES = 2;

/** Wraps a connection of either kind. */
export class BrokerConnection {
  constructor(private readonly connection: DataConnection, readonly broker: Broker) {}

  get isOpen(): boolean {
    return this.connection.isOpen;
  }

  close(): void {
    this.connection.close();
  }

  /** Sends the fields of a request and takes the answer's apart; an answer that is not what its version says ends the connection. */
  async ask<T>({ api, version, tagged }: ControlApi, fields: WireWriter, read: (answer: WireReader) => T): Promise<T> {
    const body = fields.done();
    const answer = new WireReader(await this.connection.request(api, version, tagged ? [NO_TAGS, body] : [body]));
    try {
      if (tagged === "both") answer.tags();
      return read(answer);
    } catch (error) {
      throw error instanceof RangeError ? this.#lost(error) : error;
    }
  }

  async metadata(topic: string): Promise<Metadata> {
    const fields = new WireWriter();
    fields.compactArray([topic], (name) => fields.bytes(NO_UUID).compactString(name).noTags()).boolean(false).boolean(false).noTags();
    const { found, ...cluster } = await this.ask(METADATA, fields, readMetadata);
    const missing = !found || found.errorCode === UNKNOWN_TOPIC_OR_PARTITION;
    if (found && !missing && found.errorCode !== 0) throw refusedCode(found.errorCode, `topic "${topic}"`);
    return { ...cluster, topic: missing ? null : { id: found.id, partitions: found.partitions } };
  }

  /** Effective settings of a topic as text, by name; empty where the user may not see them. */
  async topicSettings(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const fields = new WireWriter();
    fields.array([topic], (name) => fields.int8(TOPIC_RESOURCE).string(name).array(names, (each) => fields.string(each)));
    const configs = await this.ask(DESCRIBE_CONFIGS, fields.boolean(false), readConfigs);
    return new Map(configs.flatMap(({ name, value }) => value === null ? [] : [[name, value] as const]));
  }

  /** The level of the cluster's feature `metadata.version`, which stands for its release; null where it states none. */
  async metadataVersion(): Promise<number | null> {
    const features = await this.ask(API_VERSIONS, new WireWriter().compactString("millrace").compactString("1").noTags(), readFeatures);
    return features.get("metadata.version") ?? null;
  }

  /**
   * Of partitions that this broker leads: the first offset there is, the last stable one, or the first of a record that is not older
   * than a time, -1 where there is none.
   */
  async offsets(topic: string, partitions: readonly number[], which: OffsetPlace): Promise<ReadonlyMap<number, number>> {
    const timestamp = typeof which === "string" ? OF_END[which] : which.sinceMs;
    const fields = new WireWriter().int32(-1).int8(READ_COMMITTED);
    fields.array(
      [topic],
      (name) => fields.string(name).array(partitions, (partition) => fields.int32(partition).int32(ANY_LEADER_EPOCH).int64(timestamp)),
    );
    const answers = await this.ask(LIST_OFFSETS, fields, (answer) => {
      answer.int32();
      return readTopics(answer, () => {
        const [partition, errorCode] = [answer.int32(), answer.int16()];
        answer.int64();
        const offset = answer.int64();
        answer.int32();
        return { partition, errorCode, offset };
      });
    });
    return new Map(answers.map(({ partition, errorCode, offset }) => {
      if (errorCode !== 0) throw refusedCode(errorCode, `partition ${partition} of topic "${topic}"`);
      return [partition, offset] as const;
    }));
  }

  /** "exists" where somebody was faster. `replication` -1: as the broker is set up. */
  async createTopic(topic: string, partitions: number, replication: number, timeoutMs: number): Promise<"created" | "exists"> {
    const fields = new WireWriter();
    // Neither where its replicas lie nor settings of its own.
    fields.array([topic], (name) => fields.string(name).int32(partitions).int16(replication).int32(0).int32(0));
    const errorCode = await this.ask(CREATE_TOPICS, fields.int32(timeoutMs).boolean(false), (answer) => {
      answer.int32();
      const [code] = answer.array(() => {
        answer.skipString();
        const code = answer.int16();
        answer.skipString();
        return code;
      });
      return code;
    });
    if (errorCode === TOPIC_ALREADY_EXISTS) return "exists";
    if (errorCode !== 0) throw refusedCode(errorCode, `making topic "${topic}"`);
    return "created";
  }

  /** A topic that is not there is fine. */
  async deleteTopic(topic: string, timeoutMs: number): Promise<void> {
    const fields = new WireWriter();
    fields.array([topic], (name) => fields.string(name));
    const code = await this.ask(DELETE_TOPICS, fields.int32(timeoutMs), (answer) => {
      answer.int32();
      const [code] = answer.array(() => {
        answer.skipString();
        return answer.int16();
      });
      return code;
    });
    if (code !== 0 && code !== UNKNOWN_TOPIC_OR_PARTITION) throw refusedCode(code, `removing topic "${topic}"`);
  }

  /** Removes everything there is in partitions that this broker leads, undecided records too. */
  async deleteRecords(topic: string, partitions: readonly number[], timeoutMs: number): Promise<void> {
    const fields = new WireWriter();
    fields.array([topic], (name) => fields.string(name).array(partitions, (partition) => fields.int32(partition).int64(HIGH_WATERMARK)));
    const answers = await this.ask(DELETE_RECORDS, fields.int32(timeoutMs), (answer) => {
      answer.int32();
      return readTopics(answer, () => {
        const partition = answer.int32();
        answer.int64();
        return { partition, errorCode: answer.int16() };
      });
    });
    for (const { partition, errorCode } of answers) {
      if (errorCode !== 0) throw refusedCode(errorCode, `emptying partition ${partition} of topic "${topic}"`);
    }
  }

  /** An identity under which the broker drops what it has already. */
  async producerIdentity(): Promise<ProducerIdentity> {
    const { errorCode, identity } = await this.initProducer(null, 0);
    if (errorCode !== 0) throw refusedCode(errorCode, "a producer id");
    return identity;
  }

  /** A new identity: of a transactional id, it also ends what older ones have open. */
  initProducer(
    transactionalId: string | null,
    timeoutMs: number,
  ): Promise<{ readonly errorCode: number; readonly identity: ProducerIdentity }> {
    return this.ask(INIT_PRODUCER_ID, new WireWriter().string(transactionalId).int32(timeoutMs), (answer) => {
      answer.int32();
      const errorCode = answer.int16();
      return { errorCode, identity: { id: answer.bigInt64(), epoch: answer.int16() } };
    });
  }

  /** The broker that keeps a group's offsets, or the state of a transactional id. */
  async coordinator(of: "group" | "transaction", key: string): Promise<Broker> {
    const fields = new WireWriter().string(key).int8(COORDINATOR_KEY[of]);
    const { errorCode, ...broker } = await this.ask(FIND_COORDINATOR, fields, (answer) => {
      answer.int32();
      const errorCode = answer.int16();
      answer.skipString();
      answer.int32();
      return { errorCode, host: answer.string(), port: answer.int32() };
    });
    if (errorCode !== 0) throw refusedCode(errorCode, `the coordinator of ${of} "${key}"`);
    return broker;
  }

  /** Of a group without members. */
  async commitOffsets(group: string, topic: string, offsets: readonly CommittedOffset[]): Promise<void> {
    const fields = new WireWriter().string(group).int32(-1).string("").string(null);
    writeOffsets(fields, topic, offsets);
    for (const errorCode of await this.ask(OFFSET_COMMIT, fields, readPartitionErrors)) {
      if (errorCode !== 0) throw refusedCode(errorCode, `group "${group}"`);
    }
  }

  /** Those partitions that the group has an offset of. Offsets of an open transaction are refused until it has ended. */
  async committedOffsets(group: string, topic: string, partitions: readonly number[]): Promise<CommittedOffset[]> {
    const fields = new WireWriter().compactString(group);
    fields.compactArray([topic], (name) => {
      fields.compactString(name).compactArray(partitions, (partition) => fields.int32(partition)).noTags();
    });
    const { errorCode, offsets } = await this.ask(OFFSET_FETCH, fields.boolean(true).noTags(), readOffsets);
    for (const code of [errorCode, ...offsets.map((each) => each.errorCode)]) {
      if (code !== 0) throw refusedCode(code, `group "${group}"`);
    }
    return offsets.filter(({ offset }) => offset >= 0).map(({ partition, offset, metadata }) => ({ partition, offset, metadata }));
  }

  #lost(error: unknown): MillraceError {
    this.close();
    return unreachable(error, this.broker);
  }
}

/** The fields of an OffsetCommit or TxnOffsetCommit behind who commits. */
export function writeOffsets(fields: WireWriter, topic: string, offsets: readonly CommittedOffset[]): void {
  fields.array([topic], (name) => {
    fields.string(name).array(offsets, ({ partition, offset, metadata }) => {
      fields.int32(partition).int64(offset).int32(ANY_LEADER_EPOCH).string(metadata);
    });
  });
}

/** An answer of nothing but each partition's error code. */
export function readPartitionErrors(answer: WireReader): number[] {
  answer.int32();
  return readTopics(answer, () => {
    answer.int32();
    return answer.int16();
  });
}

interface FoundTopic {
  readonly errorCode: number;
  readonly id: string;
  readonly partitions: readonly PartitionMetadata[];
}

function readMetadata(answer: WireReader): Omit<Metadata, "topic"> & { readonly found: FoundTopic | undefined } {
  answer.int32();
  const brokers = answer.compactArray(() => {
    const node = answer.int32();
    const broker = { host: answer.compactString(), port: answer.int32() };
    answer.compactNullableString();
    answer.tags();
    return [node, broker] as const;
  });
  answer.compactNullableString();
  const controller = answer.int32();
  const [found] = answer.compactArray((): FoundTopic => {
    const errorCode = answer.int16();
    answer.compactNullableString();
    const id = answer.uuid();
    answer.skip(1);
    const partitions = answer.compactArray(() => readPartition(answer));
    answer.int32();
    answer.tags();
    return { errorCode, id, partitions };
  });
  return { brokers: new Map(brokers), controller, found };
}

function readPartition(answer: WireReader): PartitionMetadata {
  answer.int16();
  const [partition, leader] = [answer.int32(), answer.int32()];
  answer.int32();
  const [replicas, inSync] = [0, 1, 2].map(() => answer.compactArray(() => answer.int32()).length);
  answer.tags();
  return { partition, leader, replicas, inSync };
}

function readConfigs(answer: WireReader): { readonly name: string; readonly value: string | null }[] {
  answer.int32();
  return answer.array(() => {
    answer.int16();
    answer.skipString();
    answer.skip(1);
    answer.skipString();
    return answer.array(() => {
      const config = { name: answer.string(), value: answer.nullableString() };
      answer.skip(3); // Whether it is only read, where it comes from, whether it is secret.
      answer.array(() => {
        answer.skipString();
        answer.skipString();
        answer.skip(1);
      });
      return config;
    });
  }).flat();
}

function readFeatures(answer: WireReader): ReadonlyMap<string, number> {
  const features = new Map<string, number>();
  answer.int16();
  answer.compactArray(() => {
    answer.skip(6);
    answer.tags();
  });
  answer.int32();
  answer.tags((tag, bytes) => {
    if (tag !== FINALIZED_FEATURES) return;
    const inner = new WireReader(bytes);
    inner.compactArray(() => {
      features.set(inner.compactString(), inner.int16());
      inner.int16();
      inner.tags();
    });
  });
  return features;
}

function readOffsets(
  answer: WireReader,
): { readonly errorCode: number; readonly offsets: readonly (CommittedOffset & { readonly errorCode: number })[] } {
  answer.int32();
  const offsets = answer.compactArray(() => {
    answer.compactString();
    const partitions = answer.compactArray(() => {
      const [partition, offset] = [answer.int32(), answer.int64()];
      answer.int32();
      const metadata = answer.compactString();
      const errorCode = answer.int16();
      answer.tags();
      return { partition, offset, metadata, errorCode };
    });
    answer.tags();
    return partitions;
  }).flat();
  return { offsets, errorCode: answer.int16() };
}
