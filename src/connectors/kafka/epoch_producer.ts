/**
 * How a lane's epochs get into a topic. The sink speaks to `EpochProducer` alone, whose promise decides the sink's guarantee:
 * `TransactionalProducer` (exactly once) or `ResendingProducer` (at least once). What is part of a transaction may be sent while the epoch
 * is still open, because nobody sees it before the end; what is seen at once may not.
 */
import type { EpochStamp, Guarantee, Marker } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import type { PreparedBatch } from "./batch_writer.ts";
import type { Cluster, Topic } from "./cluster.ts";

export interface EpochProducer {
  readonly guarantee: Guarantee;
  /** Makes this owner the one that writes; tells the marker where there are markers. */
  fence(owner: number): Promise<Marker | null>;
  /** Whether batches may be pushed before `commit` is called. */
  readonly sendsEarly: boolean;
  /** Takes a batch of the open epoch; those of a partition in the order in which they are to stand. */
  push(partition: number, batch: PreparedBatch): void;
  /** Bytes that were pushed and are not yet acknowledged. */
  readonly bytesWaiting: number;
  /** Whether the epoch is in the topic already. Throws where the topic tells another history. */
  holds(stamp: EpochStamp): boolean;
  /** Returns when the epoch, all of which was pushed, is acknowledged by all replicas in sync. */
  commit(stamp: EpochStamp): Promise<void>;
  /** What was pushed of the open epoch is not to be seen; from then on nothing is committed before the next fence. */
  discard(): void;
  /** Returns when readers can see everything that was committed. */
  settle(): Promise<void>;
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
