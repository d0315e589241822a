/**
 * Sends batches to the leaders of their partitions under one producer's identity, in the background. Invariant: of each leader's
 * partitions one batch each is under way, and the next only behind its acknowledgement, so that the order is kept whatever fails; what
 * is sent again carries the sequence numbers of the first time, so that the broker drops what it has already.
 */
import { assert, type MillraceError } from "../../data/fault.ts";
import { type PreparedBatch, stampBatch } from "./batch_writer.ts";
import { brokerKey, BrokerLinks } from "./broker_links.ts";
import type { Topic } from "./cluster.ts";
import type { DataConnection } from "./data_connection.ts";
import type { ProducerIdentity } from "./broker_connection.ts";
import type { ProducerOptions } from "./epoch_producer.ts";
import { DUPLICATE_SEQUENCE_NUMBER, IDENTITY_LOST, refusedCode } from "./errors.ts";
import { Patience } from "./patience.ts";
import { produce } from "./produce_request.ts";

/** Sequence numbers wrap at 2^31. */
const SEQUENCES = 0x8000_0000;

export interface SenderOptions extends ProducerOptions {
  /** null outside of transactions. */
  readonly transactionalId: string | null;
  /** Called before batches of these partitions are sent; they wait for it. */
  prepare?(partitions: readonly number[]): Promise<void>;
}
interface Waiting {
  readonly partition: number;
  readonly batch: PreparedBatch;
}
/** What is sent under one identity, until the next one begins. */
interface Life {
  readonly identity: ProducerIdentity;
  /** Of the next record, by partition. */
  readonly sequences: number[];
  /** By leader. A leader has an entry while its batches are being sent. */
  readonly queues: Map<string, Waiting[]>;
  readonly loops: Map<string, Promise<void>>;
  fault: { readonly error: unknown } | null;
}

export class BatchSender {
  #life: Life | null = null;
  #topic: Topic;
  #bytesWaiting = 0;
  readonly #links: BrokerLinks<DataConnection>;

  constructor(private readonly options: SenderOptions) {
    this.#topic = options.topic;
    this.#links = new BrokerLinks((broker) => options.cluster.connectData(broker));
  }

  /** Counts from 0 under a new identity. What was sent under the one before is of no interest any more. */
  begin(identity: ProducerIdentity): void {
    this.#forget();
    this.#life = { identity, sequences: this.options.topic.leaders.map(() => 0), queues: new Map(), loops: new Map(), fault: null };
  }

  get identity(): ProducerIdentity {
    assert(this.#life, "a producer has an identity before it sends");
    return this.#life.identity;
  }

  /** Bytes that were pushed and are not yet acknowledged. */
  get bytesWaiting(): number {
    return this.#bytesWaiting;
  }

  /** Sends the batch when its turn has come. After a fault nothing is sent any more: `settle` tells it. */
  push(partition: number, batch: PreparedBatch): void {
    const life = this.#life;
    assert(life, "a producer has an identity before it sends");
    if (life.fault) return batch.release();
    this.#bytesWaiting += batch.bytes.length;
    const leader = this.#leaderKey(partition);
    const queue = life.queues.get(leader);
    if (queue) return void queue.push({ partition, batch });
    const fresh = [{ partition, batch }];
    life.queues.set(leader, fresh);
    life.loops.set(leader, this.#drain(life, leader, fresh));
  }

  /** Returns when all is acknowledged. After a throw the broker may hold any part of it: go on under a new identity only. */
  async settle(): Promise<void> {
    const life = this.#life;
    while (life && life.loops.size > 0) await Promise.all(life.loops.values());
    if (life?.fault) throw life.fault.error;
  }

  close(): void {
    this.#forget();
    this.#links.close();
  }

  /** Nothing more of this life is sent but what is under way. */
  #forget(): void {
    if (this.#life) this.#fail(this.#life, new Error("superseded"));
    this.#life = null;
  }

  #fail(life: Life, error: unknown): void {
    life.fault ??= { error };
    for (const queue of life.queues.values()) for (const { batch } of queue.splice(0)) this.#done(batch);
  }

  #done(batch: PreparedBatch): void {
    this.#bytesWaiting -= batch.bytes.length;
    batch.release();
  }

  async #drain(life: Life, leader: string, queue: Waiting[]): Promise<void> {
    // What was pushed together goes together.
    await Promise.resolve();
    while (queue.length > 0) {
      const round = nextRound(queue);
      try {
        await this.options.prepare?.(round.map(({ partition }) => partition));
        await this.#sendRound(life, round);
      } catch (error) {
        this.#fail(life, error);
      } finally {
        for (const { batch } of round) this.#done(batch);
      }
    }
    life.queues.delete(leader);
    life.loops.delete(leader);
  }

  async #sendRound(life: Life, round: readonly Waiting[]): Promise<void> {
    const { world, cluster, node, transactionalId } = this.options;
    if (life.fault) return;
    const tools = await cluster.codecs();
    const stamp = {
      transactional: transactionalId !== null,
      producer: life.identity,
      timestampMs: Math.floor(world.clock.nowMicros() / 1000),
    };
    const waiting = new Map<number, Uint8Array>();
    for (const { partition, batch } of round) {
      stampBatch(batch, { ...stamp, sequence: life.sequences[partition] }, tools);
      life.sequences[partition] = (life.sequences[partition] + batch.records) % SEQUENCES;
      waiting.set(partition, batch.bytes);
    }
    // What was superseded or closed meanwhile is not sent again: it would open a connection that nobody closes.
    const attempt = () => life.fault ? Promise.resolve(null) : this.#attempt(waiting);
    const lost = await new Patience({ world, node }).until(attempt);
    if (lost) throw lost;
  }

  /**
   * Sends what is waiting and takes off what is acknowledged; throws while something is left that may pass. What sending again
   * under this identity cannot mend is returned.
   */
  async #attempt(waiting: Map<number, Uint8Array>): Promise<MillraceError | null> {
    const { cluster, name, transactionalId } = this.options;
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

/** Takes the first batch of each partition off the queue. */
function nextRound(queue: Waiting[]): Waiting[] {
  const round: Waiting[] = [];
  const rest: Waiting[] = [];
  const seen = new Set<number>();
  for (const waiting of queue) {
    if (seen.has(waiting.partition)) rest.push(waiting);
    else round.push(waiting);
    seen.add(waiting.partition);
  }
  queue.splice(0, queue.length, ...rest);
  return round;
}
