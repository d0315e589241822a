/**
 * Sends an epoch's batches to the leaders of their partitions under one producer's identity. Invariant: of each leader's partitions one
 * batch each is under way, and the next only behind its acknowledgement, so that the order is kept whatever fails; what is sent again
 * carries the sequence numbers of the first time, so that the broker drops what it has already.
 */
import { assert, type MillraceError } from "../../data/fault.ts";
import { stampBatch } from "./batch_writer.ts";
import { brokerKey, BrokerLinks } from "./broker_links.ts";
import type { Topic } from "./cluster.ts";
import type { ProducerIdentity } from "./driver.ts";
import type { EpochBatches, ProducerOptions } from "./epoch_producer.ts";
import { DUPLICATE_SEQUENCE_NUMBER, IDENTITY_LOST, refusedCode } from "./errors.ts";
import { Patience } from "./patience.ts";
import { produce } from "./produce_request.ts";

/** Sequence numbers wrap at 2^31. */
const SEQUENCES = 0x8000_0000;

export class BatchSender {
  #identity: ProducerIdentity | null = null;
  /** Of the next record, by partition. */
  readonly #sequences: number[];
  #topic: Topic;
  readonly #links: BrokerLinks;

  /** `transactionalId` is null outside of transactions. */
  constructor(private readonly options: ProducerOptions, private readonly transactionalId: string | null) {
    this.#topic = options.topic;
    this.#sequences = options.topic.leaders.map(() => 0);
    this.#links = new BrokerLinks(options.cluster);
  }

  /** Counts from 0 under a new identity. */
  begin(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#sequences.fill(0);
  }

  /** Returns when all is acknowledged. After a throw the broker may hold any part of it: go on under a new identity only. */
  async send(batches: EpochBatches): Promise<void> {
    const byLeader = Map.groupBy(batches.keys(), (partition) => this.#leaderKey(partition));
    // All of them come to rest before a fault is told: the caller uses the batches' memory again.
    const sent = await Promise.allSettled([...byLeader.values()].map((partitions) => this.#send(partitions, batches)));
    const failed = sent.find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
  }

  close(): void {
    this.#links.close();
  }

  async #send(partitions: readonly number[], batches: EpochBatches): Promise<void> {
    const { world, cluster, node } = this.options;
    assert(this.#identity, "a producer has an identity before it sends");
    const tools = await cluster.driver();
    const stamp = {
      transactional: this.transactionalId !== null,
      producer: this.#identity,
      timestampMs: Math.floor(world.clock.nowMicros() / 1000),
    };
    const rounds = Math.max(...partitions.map((partition) => batches[partition].length));
    for (let round = 0; round < rounds; round++) {
      const waiting = new Map<number, Uint8Array>();
      for (const partition of partitions) {
        const batch = batches[partition][round];
        if (!batch) continue;
        stampBatch(batch, { ...stamp, sequence: this.#sequences[partition] }, tools);
        this.#sequences[partition] = (this.#sequences[partition] + batch.records) % SEQUENCES;
        waiting.set(partition, batch.bytes);
      }
      const lost = await new Patience({ world, node }).until(() => this.#sendRound(waiting));
      if (lost) throw lost;
    }
  }

  /**
   * Sends what is waiting and takes off what is acknowledged; throws while something is left that may pass. What sending again
   * under this identity cannot mend is returned.
   */
  async #sendRound(waiting: Map<number, Uint8Array>): Promise<MillraceError | null> {
    const { cluster, name } = this.options;
    const { transactionalId } = this;
    let fault: unknown = null;
    for (const partitions of Map.groupBy(waiting.keys(), (partition) => this.#leaderKey(partition)).values()) {
      try {
        const connection = await this.#links.to(this.#topic.leaders[partitions[0]]);
        const timeoutMs = cluster.settings.requestTimeoutMs;
        const sent = partitions.map((partition) => ({ partition, bytes: waiting.get(partition)! }));
        const answers = await produce(connection, { transactionalId, topic: name, timeoutMs, batches: sent });
        for (const [partition, errorCode] of answers) {
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

  #leaderKey(partition: number): string {
    return brokerKey(this.#topic.leaders[partition]);
  }
}
