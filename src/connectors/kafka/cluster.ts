/**
 * A cluster as sources and sinks ask it: which partitions a topic has, who leads them, where they end. Control requests are rare, so
 * each opens a connection and closes it: nothing here has to be closed, and no connection goes stale between two of them.
 */
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import type { Broker, ConnectionSettings } from "./connection_settings.ts";
import {
  BrokerConnection,
  type CommittedOffset,
  type Metadata,
  type OffsetPlace,
  type PartitionMetadata,
  type ProducerIdentity,
} from "./broker_connection.ts";
import { Codecs } from "./codecs.ts";
import { type DataConnection, PlainConnection } from "./data_connection.ts";
import { refusedCode, UNKNOWN_TOPIC_OR_PARTITION, unreachable } from "./errors.ts";
import { LibraryConnector } from "./library_connection.ts";

/** A topic of which every partition is known: their numbers run from 0. */
export interface Topic {
  /** Changes when a topic of the same name is made anew. */
  readonly id: string;
  readonly partitions: number;
  /** By partition. */
  readonly leaders: readonly Broker[];
}
export interface Description {
  readonly brokers: number;
  readonly metadataVersion: number | null;
  /** null where there is no such topic. */
  readonly partitions: readonly PartitionMetadata[] | null;
  /** The topic's settings by name; empty where the user may not see them. */
  readonly settings: ReadonlyMap<string, string>;
}
const LEADER_NOT_AVAILABLE = 5;
/** Of a topic. In spite of its name it bounds batches. */
const BATCH_BYTES_SETTING = "max.message.bytes";

export class Cluster {
  #codecs: Promise<Codecs> | null = null;
  #secure: Promise<LibraryConnector> | null = null;
  /** Learned from the cluster; asked when the configured ones do not answer. */
  #learned: readonly Broker[] = [];
  constructor(readonly settings: ConnectionSettings, private readonly world: World) {}

  codecs(): Promise<Codecs> {
    return this.#codecs ??= Codecs.load();
  }

  /** A connection for control requests that the caller closes. */
  async connect(broker: Broker): Promise<BrokerConnection> {
    return new BrokerConnection(await this.connectData(broker), broker);
  }

  /** A connection that the caller closes: our own where the broker asks for neither TLS nor a login, else the library's. */
  async connectData(broker: Broker): Promise<DataConnection> {
    const { tls, sasl, clientId, connectTimeoutMs, requestTimeoutMs } = this.settings;
    const { net, clock } = this.world;
    if (!net || tls !== "off" || sasl !== null) return await (await this.#secured()).connect(broker);
    const connection = await net.connect(broker, connectTimeoutMs).catch((error) => {
      throw unreachable(error, broker);
    });
    return new PlainConnection({ connection, broker, clock, clientId, timeoutMs: requestTimeoutMs });
  }

  /** The library, the password and the certificate, read once. */
  #secured(): Promise<LibraryConnector> {
    return this.#secure ??= LibraryConnector.load(this.settings, this.world).catch((error) => {
      this.#secure = null;
      throw error;
    });
  }

  /** null where there is no such topic. Throws "server_busy" while partitions have no leader. */
  async findTopic(name: string): Promise<Topic | null> {
    const { brokers, topic } = await this.#metadata(name);
    if (!topic || topic.partitions.length === 0) return null;
    const leaders: Broker[] = [];
    for (const { partition, leader } of topic.partitions) {
      const broker = brokers.get(leader);
      if (!broker) throw refusedCode(LEADER_NOT_AVAILABLE, `partition ${partition} of topic "${name}"`);
      leaders[partition] = broker;
    }
    return { id: topic.id, partitions: topic.partitions.length, leaders };
  }

  /** What an administrator wants to know of a topic. */
  async describe(name: string): Promise<Description> {
    const { brokers, topic } = await this.#metadata(name);
    const { settings, metadataVersion } = await this.#ask(async (connection) => ({
      settings: topic
        ? await connection.topicSettings(name, ["min.insync.replicas", "retention.ms", "cleanup.policy"])
        : new Map<string, string>(),
      metadataVersion: await connection.metadataVersion(),
    }));
    return { brokers: brokers.size, metadataVersion, partitions: topic?.partitions ?? null, settings };
  }

  /** Bytes of the longest record batch that the topic takes, header included; Infinity where the user may not see it. */
  async batchBytesMax(name: string): Promise<number> {
    const settings = await this.#ask((connection) => connection.topicSettings(name, [BATCH_BYTES_SETTING]));
    const bytes = Number(settings.get(BATCH_BYTES_SETTING));
    return bytes > 0 ? bytes : Infinity;
  }

  /** Throws "topic_missing" where there is none. */
  async requireTopic(name: string): Promise<Topic> {
    const topic = await this.findTopic(name);
    if (topic) return topic;
    throw refusedCode(UNKNOWN_TOPIC_OR_PARTITION, `topic "${name}"`);
  }

  /** Waits until the new topic has a leader for each of its partitions: throws "server_busy" before. */
  async createTopic(name: string, wished: { readonly partitions: number; readonly replication: number }): Promise<Topic> {
    const { brokers, controller } = await this.#metadata(name);
    const { requestTimeoutMs } = this.settings;
    const create = (connection: BrokerConnection) =>
      connection.createTopic(name, wished.partitions, wished.replication, Math.min(requestTimeoutMs, 10_000));
    const broker = brokers.get(controller);
    await (broker ? this.#on(broker, create) : this.#ask(create));
    return await this.requireTopic(name);
  }

  /** With all that stands in it, and the groups' offsets of it; one that is not there is fine. */
  async deleteTopic(name: string): Promise<void> {
    const { brokers, controller } = await this.#metadata(name);
    const timeoutMs = Math.min(this.settings.requestTimeoutMs, 10_000);
    const remove = (connection: BrokerConnection) => connection.deleteTopic(name, timeoutMs);
    const broker = brokers.get(controller);
    await (broker ? this.#on(broker, remove) : this.#ask(remove));
  }

  /** Per partition: the first offset there is, or one behind the last record that is decided. */
  async offsets(name: string, topic: Topic, which: OffsetPlace): Promise<readonly number[]> {
    const byLeader = Map.groupBy(topic.leaders.keys(), (partition) => topic.leaders[partition]);
    const found: number[] = [];
    await Promise.all([...byLeader].map(async ([leader, partitions]) => {
      const offsets = await this.#on(leader, (connection) => connection.offsets(name, partitions, which));
      for (const [partition, offset] of offsets) found[partition] = offset;
    }));
    if (!found.includes(-1)) return found;
    // Nothing there is as young as that: so what comes next.
    const ends = await this.offsets(name, topic, "latest");
    return found.map((offset, partition) => offset === -1 ? ends[partition] : offset);
  }

  /** Empties the topic, of undecided records too. */
  async deleteRecords(name: string, topic: Topic): Promise<void> {
    const byLeader = Map.groupBy(topic.leaders.keys(), (partition) => topic.leaders[partition]);
    const timeoutMs = Math.min(this.settings.requestTimeoutMs, 10_000);
    await Promise.all([...byLeader].map(async ([leader, partitions]) => {
      await this.#on(leader, (connection) => connection.deleteRecords(name, partitions, timeoutMs));
    }));
  }

  /** The broker that keeps a group's offsets, or the state of a transactional id. */
  coordinator(of: "group" | "transaction", key: string): Promise<Broker> {
    return this.#ask((connection) => connection.coordinator(of, key));
  }

  producerIdentity(): Promise<ProducerIdentity> {
    return this.#ask((connection) => connection.producerIdentity());
  }

  async commitOffsets(group: string, topic: string, offsets: readonly CommittedOffset[]): Promise<void> {
    const coordinator = await this.coordinator("group", group);
    await this.#on(coordinator, (connection) => connection.commitOffsets(group, topic, offsets));
  }

  async committedOffsets(group: string, topic: string, partitions: readonly number[]): Promise<readonly CommittedOffset[]> {
    const coordinator = await this.coordinator("group", group);
    return await this.#on(coordinator, (connection) => connection.committedOffsets(group, topic, partitions));
  }

  async #metadata(topic: string): Promise<Metadata> {
    const metadata = await this.#ask((connection) => connection.metadata(topic));
    this.#learned = [...metadata.brokers.values()];
    return metadata;
  }

  /** Any broker that answers; the first fault where none does. */
  async #ask<T>(action: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    let fault: unknown = null;
    for (const broker of [...this.settings.brokers, ...this.#learned]) {
      try {
        return await this.#on(broker, action);
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== "server_unreachable") throw error;
        fault ??= error;
      }
    }
    throw fault;
  }

  async #on<T>(broker: Broker, action: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    const connection = await this.connect(broker);
    try {
      return await action(connection);
    } finally {
      connection.close();
    }
  }
}
