/**
 * How a lane's epochs get into a topic. The sink speaks to `EpochProducer` alone, whose promise decides the sink's guarantee:
 * `TransactionalProducer` (exactly once) or `ResendingProducer` (at least once). Both get an epoch's records when it is closed;
 * sending them while it is open would change this seam and nothing above it.
 */
import type { EpochStamp, Guarantee, Marker } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import type { PreparedBatch } from "./batch_writer.ts";
import type { Cluster, Topic } from "./cluster.ts";

/** By partition, in the order in which they are to stand. */
export type EpochBatches = readonly (readonly PreparedBatch[])[];

export interface EpochProducer {
  readonly guarantee: Guarantee;
  /** Makes this owner the one that writes; tells the marker where there are markers. */
  fence(owner: number): Promise<Marker | null>;
  /** Returns when the epoch is acknowledged by all replicas in sync. The batches are written to. */
  commit(stamp: EpochStamp, batches: EpochBatches): Promise<void>;
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
