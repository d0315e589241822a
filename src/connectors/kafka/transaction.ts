/**
 * How a lane's epochs get into a topic. The sink speaks to `EpochProducer` alone, whose promise decides the sink's guarantee.
 *
 * `ResendingProducer` sends an epoch's batches under an idempotent producer's identity: what is tried again within one life is there
 * once, in order. It keeps no marker, so an epoch that was sent and not recorded in the head is sent once more by the next owner,
 * and an older owner's last request may still arrive: at-least-once.
 */
import { assert, type MillraceError } from "../../data/fault.ts";
import type { EpochStamp, Guarantee, Marker } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { type PreparedBatch, stampBatch } from "./batch_writer.ts";
import type { Cluster, Topic } from "./cluster.ts";
import type { Broker } from "./connection_settings.ts";
import type { BrokerConnection, ProducerIdentity } from "./driver.ts";
import { DUPLICATE_SEQUENCE_NUMBER, IDENTITY_LOST, refusedCode } from "./errors.ts";
import { Patience } from "./patience.ts";
import { produce } from "./produce_request.ts";

/** By partition, in the order in which they are to stand. */
export type EpochBatches = readonly (readonly PreparedBatch[])[];

export interface EpochProducer {
  readonly guarantee: Guarantee;
  /** Makes this owner the one that writes; tells the marker where there are markers. */
  fence(owner: number): Promise<Marker | null>;
  /** Returns when every batch is acknowledged by all replicas in sync. The batches are written to. */
  commit(stamp: EpochStamp, batches: EpochBatches): Promise<void>;
  close(): void;
}
export interface ProducerOptions {
  readonly world: World;
  readonly cluster: Cluster;
  /** The sink's name. */
  readonly node: string;
  readonly name: string;
  readonly topic: Topic;
}

/** Sequence numbers wrap at 2^31. */
const SEQUENCES = 0x8000_0000;

export class ResendingProducer implements EpochProducer {
  readonly guarantee = "at-least-once";
  #identity: ProducerIdentity | null = null;
  /** Of the next record, by partition. */
  readonly #sequences: number[];
  #topic: Topic;
  readonly #connections = new Map<string, BrokerConnection>();

  constructor(private readonly options: ProducerOptions) {
    this.#topic = options.topic;
    this.#sequences = options.topic.leaders.map(() => 0);
  }

  async fence(): Promise<Marker | null> {
    await this.#patience().until(() => this.#begin());
    return null;
  }

  async commit(_stamp: EpochStamp, batches: EpochBatches): Promise<void> {
    assert(this.#identity, "a lane is fenced before it delivers");
    const byLeader = Map.groupBy(batches.keys(), (partition) => this.#leaderKey(partition));
    // All of them come to rest before a fault is told: the caller uses the batches' memory again.
    const sent = await Promise.allSettled([...byLeader.values()].map((partitions) => this.#send(partitions, batches)));
    const failed = sent.find((one) => one.status === "rejected");
    if (!failed) return;
    // The broker may hold sequence numbers that were not acknowledged: the next attempt needs a new identity.
    this.#identity = null;
    throw failed.reason;
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  async #begin(): Promise<void> {
    this.#identity = await this.options.cluster.producerIdentity();
    this.#sequences.fill(0);
  }

  /** The partitions of one leader: one batch each a request, one request at a time, so that the order is kept whatever fails. */
  async #send(partitions: readonly number[], batches: EpochBatches): Promise<void> {
    const { world, cluster } = this.options;
    const tools = await cluster.driver();
    const timestampMs = Math.floor(world.clock.nowMicros() / 1000);
    const rounds = Math.max(...partitions.map((partition) => batches[partition].length));
    for (let round = 0; round < rounds; round++) {
      const waiting = new Map<number, Uint8Array>();
      for (const partition of partitions) {
        const batch = batches[partition][round];
        if (!batch) continue;
        stampBatch(batch, { producer: this.#identity!, sequence: this.#sequences[partition], timestampMs }, tools);
        this.#sequences[partition] = (this.#sequences[partition] + batch.records) % SEQUENCES;
        waiting.set(partition, batch.bytes);
      }
      const lost = await this.#patience().until(() => this.#sendRound(waiting));
      if (lost) throw lost;
    }
  }

  /**
   * Sends what is waiting and takes off what is acknowledged; throws while something is left that may pass. What sending again
   * under this identity cannot mend is returned.
   */
  async #sendRound(waiting: Map<number, Uint8Array>): Promise<MillraceError | null> {
    const { cluster, name } = this.options;
    let fault: unknown = null;
    for (const partitions of Map.groupBy(waiting.keys(), (partition) => this.#leaderKey(partition)).values()) {
      try {
        const connection = await this.#connection(this.#topic.leaders[partitions[0]]);
        const timeoutMs = cluster.settings.requestTimeoutMs;
        const sent = partitions.map((partition) => ({ partition, bytes: waiting.get(partition)! }));
        for (const [partition, errorCode] of await produce(connection, { topic: name, timeoutMs, batches: sent })) {
          if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE_NUMBER) waiting.delete(partition);
          else fault = refusedCode(errorCode, `records for partition ${partition} of topic "${name}"`);
          if (IDENTITY_LOST.has(errorCode)) return fault as MillraceError;
        }
      } catch (error) {
        fault = error;
      }
    }
    if (fault === null) return null;
    await this.#refreshLeaders();
    throw fault;
  }

  /** A fault here is told by the next attempt. */
  async #refreshLeaders(): Promise<void> {
    const { cluster, name } = this.options;
    const found = await cluster.findTopic(name).catch(() => null);
    if (found && found.partitions >= this.#topic.partitions) this.#topic = found;
  }

  async #connection(broker: Broker): Promise<BrokerConnection> {
    const key = `${broker.host}:${broker.port}`;
    const open = this.#connections.get(key);
    if (open?.isOpen) return open;
    const connection = await this.options.cluster.connect(broker);
    this.#connections.set(key, connection);
    return connection;
  }

  #leaderKey(partition: number): string {
    const { host, port } = this.#topic.leaders[partition];
    return `${host}:${port}`;
  }

  #patience(): Patience {
    const { world, node } = this.options;
    return new Patience({ world, node });
  }
}
