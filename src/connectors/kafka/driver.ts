/**
 * The library @platformatic/kafka, wrapped: sockets, TLS, SASL, request framing, the control requests, checksums and compression.
 * Loaded when the first connection is wanted. Invariant: a connection on which a request failed without an answer is closed and
 * used no more, because the library does not resynchronise a stream after a timeout.
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import type { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { readWhole } from "../../ports/durable.ts";
import type { Compression, CompressionName, Compressor } from "./compression.ts";
import type { Broker, ConnectionSettings } from "./connection_settings.ts";
import type { DataConnection } from "./data_connection.ts";
import { missingFile, refusedCode, TOPIC_ALREADY_EXISTS, UNKNOWN_TOPIC_OR_PARTITION, unreachable } from "./errors.ts";
import type { BatchTools } from "./record_batches.ts";

type Library = typeof import("@platformatic/kafka");
type LibraryConnection = InstanceType<Library["Connection"]>;

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

const READ_COMMITTED = 1;
const COORDINATOR_KEY = { group: 0, transaction: 1 } as const;
const TOPIC_RESOURCE = 2 as const;
/** Timestamps that stand for the ends of a partition. */
/** Where in a partition; `sinceMs` is a time of records, milliseconds since 1970. */
export type OffsetPlace = "earliest" | "latest" | { readonly sinceMs: number };
const OF_END = { earliest: -2n, latest: -1n } as const;

/** Loads the library once and knows how to log in. */
export class Driver implements BatchTools {
  private constructor(
    private readonly library: Library,
    private readonly settings: ConnectionSettings,
    private readonly secrets: Secrets,
    private readonly checksum: (bytes: Uint8Array) => number,
    private readonly compression: Compression,
  ) {}

  /** Reads the password's and the certificate's files. */
  static async load(settings: ConnectionSettings, world: World): Promise<Driver> {
    const library = await import("@platformatic/kafka");
    const { Compression } = await import("./compression.ts");
    const checksum = await nativeChecksum() ?? library.crc32c;
    return new Driver(library, settings, await readSecrets(settings, world), checksum, new Compression(library.compressionsAlgorithms));
  }

  async connect(broker: Broker): Promise<BrokerConnection> {
    const { clientId, connectTimeoutMs, requestTimeoutMs, tls, sasl } = this.settings;
    const { password, ca } = this.secrets;
    const connection = new this.library.Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: requestTimeoutMs,
      ...(tls === "off" ? {} : { tls: { rejectUnauthorized: tls === "verify", ...(ca === null ? {} : { ca }) } }),
      ...(tls === "off" || isIP(broker.host) ? {} : { tlsServerName: true }),
      ...(sasl === null ? {} : { sasl: { mechanism: sasl.mechanism, username: sasl.username, password: password! } }),
    });
    connection.on("error", () => {}); // Told by the request that it fails.
    try {
      await connection.connect(broker.host, broker.port);
    } catch (error) {
      connection.close(() => {});
      throw unreachable(error, broker);
    }
    return new BrokerConnection(this.library, connection, broker);
  }

  crc32c(bytes: Uint8Array): number {
    return this.checksum(bytes) >>> 0;
  }

  decompress(codec: number, bytes: Uint8Array): Uint8Array {
    return this.compression.decompress(codec, bytes);
  }

  compressor(name: CompressionName): Compressor {
    return this.compression.compressor(name);
  }
}

/** One connection to one broker, which answers one request after the other. */
export class BrokerConnection implements DataConnection {
  constructor(private readonly library: Library, private readonly connection: LibraryConnection, readonly broker: Broker) {}

  get isOpen(): boolean {
    return this.connection.isConnected();
  }

  close(): void {
    this.connection.close(() => {});
  }

  request(api: number, version: number, pieces: readonly Uint8Array[]): Promise<Uint8Array> {
    const { Writer } = this.library;
    const payload = () => Writer.create().append(pieces.length === 1 ? asBuffer(pieces[0]) : Buffer.concat(pieces));
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, response?: Uint8Array) => error ? reject(this.#lost(error)) : resolve(response!);
      this.connection.send(api, version, payload, (...[, , , reader]) => reader.buffer.slice(reader.position), false, false, done);
    });
  }

  async metadata(topic: string): Promise<Metadata> {
    const response = await this.#call(this.library.metadataV12.api, [topic], false, false);
    const found = response.topics[0];
    const missing = !found || found.errorCode === UNKNOWN_TOPIC_OR_PARTITION;
    if (found && !missing && found.errorCode !== 0) throw refusedCode(found.errorCode, `topic "${topic}"`);
    return {
      brokers: new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
      controller: response.controllerId,
      topic: missing ? null : {
        id: found.topicId,
        partitions: found.partitions.map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
          partition: partitionIndex,
          leader: leaderId,
          replicas: replicaNodes.length,
          inSync: isrNodes.length,
        })),
      },
    };
  }

  /** Effective settings of a topic as text, by name; empty where the user may not see them. */
  async topicSettings(topic: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const asked = [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configurationKeys: [...names] }];
    const { results } = await this.#call(this.library.describeConfigsV4.api, asked, false, false);
    return new Map(results.flatMap(({ configs }) => configs.flatMap(({ name, value }) => value == null ? [] : [[name, value] as const])));
  }

  /** The level of the cluster's feature `metadata.version`, which stands for its release; null where it states none. */
  async metadataVersion(): Promise<number | null> {
    const { finalizedFeatures } = await this.#call(this.library.apiVersionsV3.api, "millrace", "1");
    return finalizedFeatures?.find(({ name }) => name === "metadata.version")?.maxVersionLevel ?? null;
  }

  /**
   * Of partitions that this broker leads: the first offset there is, the last stable one, or the first of a record that is not older
   * than a time, -1 where there is none.
   */
  async offsets(topic: string, partitions: readonly number[], which: OffsetPlace): Promise<ReadonlyMap<number, number>> {
    const timestamp = typeof which === "string" ? OF_END[which] : BigInt(which.sinceMs);
    const asked = partitions.map((partitionIndex) => ({ partitionIndex, currentLeaderEpoch: -1, timestamp }));
    const { topics } = await this.#call(this.library.listOffsetsV5.api, -1, READ_COMMITTED, [{ name: topic, partitions: asked }]);
    return new Map(topics.flatMap(({ partitions }) =>
      partitions.map(({ partitionIndex, errorCode, offset }) => {
        if (errorCode !== 0) throw refusedCode(errorCode, `partition ${partitionIndex} of topic "${topic}"`);
        return [partitionIndex, Number(offset)] as const;
      })
    ));
  }

  /** "exists" where somebody was faster. `replication` -1: as the broker is set up. */
  async createTopic(topic: string, partitions: number, replication: number, timeoutMs: number): Promise<"created" | "exists"> {
    const wished = { name: topic, numPartitions: partitions, replicationFactor: replication, assignments: [], configs: [] };
    const { topics } = await this.#call(this.library.createTopicsV5.api, [wished], timeoutMs, false);
    const { errorCode } = topics[0];
    if (errorCode === TOPIC_ALREADY_EXISTS) return "exists";
    if (errorCode !== 0) throw refusedCode(errorCode, `making topic "${topic}"`);
    return "created";
  }

  /** An identity under which the broker drops what it has already. */
  async producerIdentity(): Promise<ProducerIdentity> {
    const response = await this.#call(this.library.initProducerIdV3.api, null, 0, -1n, -1);
    if (response.errorCode !== 0) throw refusedCode(response.errorCode, "a producer id");
    return { id: response.producerId, epoch: response.producerEpoch };
  }

  /** The broker that keeps a group's offsets, or the state of a transactional id. */
  async coordinator(of: "group" | "transaction", key: string): Promise<Broker> {
    const { coordinators } = await this.#call(this.library.findCoordinatorV4.api, COORDINATOR_KEY[of], [key]);
    const { errorCode, host, port } = coordinators[0];
    if (errorCode !== 0) throw refusedCode(errorCode, `the coordinator of ${of} "${key}"`);
    return { host, port };
  }

  /** Of a group without members. */
  async commitOffsets(group: string, topic: string, offsets: readonly CommittedOffset[]): Promise<void> {
    const partitions = offsets.map(({ partition, offset, metadata }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: metadata,
    }));
    const { topics } = await this.#call(this.library.offsetCommitV8.api, group, -1, "", null, [{ name: topic, partitions }]);
    for (const { errorCode } of topics.flatMap(({ partitions }) => partitions)) {
      if (errorCode !== 0) throw refusedCode(errorCode, `group "${group}"`);
    }
  }

  /** Those partitions that the group has an offset of. */
  async committedOffsets(group: string, topic: string, partitions: readonly number[]): Promise<CommittedOffset[]> {
    const asked = [{ groupId: group, topics: [{ name: topic, partitionIndexes: [...partitions] }] }];
    const response = await this.#call(this.library.offsetFetchV7.api, asked, true);
    if (response.errorCode !== 0) throw refusedCode(response.errorCode, `group "${group}"`);
    return response.topics.flatMap(({ partitions }) =>
      partitions.flatMap(({ partitionIndex, committedOffset, metadata, errorCode }) => {
        if (errorCode !== 0) throw refusedCode(errorCode, `group "${group}"`);
        return committedOffset < 0n ? [] : [{ partition: partitionIndex, offset: Number(committedOffset), metadata: metadata ?? "" }];
      })
    );
  }

  /** A control request of another file; the response may hold errors. */
  control<A extends unknown[], R>(pick: (library: Library) => ControlRequest<A, R>, ...args: A): Promise<R> {
    return this.#call(pick(this.library), ...args);
  }

  /** A control request. The library throws where any part of the response holds an error; here each caller looks for itself. */
  async #call<A extends unknown[], R>(api: ControlRequest<A, R>, ...args: A): Promise<R> {
    try {
      return await api.async(this.connection, ...args);
    } catch (error) {
      if (error instanceof this.library.ResponseError) return (error as unknown as { readonly response: R }).response;
      throw this.#lost(error);
    }
  }

  #lost(error: unknown): MillraceError {
    this.close();
    return unreachable(error, this.broker);
  }
}

export interface ControlRequest<A extends unknown[], R> {
  readonly async: (connection: LibraryConnection, ...args: A) => Promise<R>;
}

/**
 * The processor's own CRC-32C where the package has an addon for it and the runtime loads it: 0.04 ns a byte, where the library's
 * takes 0.15 with the same addon, because it copies, and 0.6 without. null where it does not load, as in a compiled binary.
 */
async function nativeChecksum(): Promise<((bytes: Uint8Array) => number) | null> {
  try {
    return (await import("@node-rs/crc32")).crc32c;
  } catch {
    return null;
  }
}

interface Secrets {
  readonly password: string | null;
  readonly ca: string | null;
}

async function readSecrets({ sasl, caFile }: ConnectionSettings, world: World): Promise<Secrets> {
  const password = sasl === null
    ? null
    : sasl.password ?? (await readText(sasl.passwordFile!, "password_file", world)).replace(/\r?\n$/, "");
  return { password, ca: caFile === null ? null : await readText(caFile, "ca_file", world) };
}

async function readText(path: string, setting: string, { files }: World): Promise<string> {
  const bytes = await readWhole(files, path);
  if (!bytes) throw missingFile(path, setting);
  return new TextDecoder().decode(bytes);
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
