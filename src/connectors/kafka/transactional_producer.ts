/**
 * Exactly once: an epoch's records and its marker in one transaction, under a transactional id of the lane's own. Invariant: this
 * producer knows the marker as long as it may write, because nobody else could have moved it; from the first request of a transaction to
 * the acknowledgement of its end it may not, so whatever goes wrong in between leads to `fence`, where the broker tells how it ended.
 * A new identity is asked for in `fence` only, which the engine calls behind a take-over: an owner that was superseded never takes the
 * id back (docs/decisions/kafka.md).
 */
import { assert, MillraceError } from "../../data/fault.ts";
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import { BatchSender } from "./batch_sender.ts";
import type { ProducerIdentity } from "./driver.ts";
import { formatMarker, type MarkedLane, MARKER_PARTITION, markerGroup, parseMarker, transactionalId } from "./epoch_marker.ts";
import type { EpochBatches, EpochProducer, ProducerOptions } from "./epoch_producer.ts";
import { Patience } from "./patience.ts";
import { TransactionRequests } from "./transaction_requests.ts";

export interface TransactionalOptions extends ProducerOptions {
  readonly marked: MarkedLane;
  /** After this long a transaction that nobody ends is aborted by the broker; readers wait for it until then. */
  readonly timeoutMs: number;
}
interface Held {
  readonly identity: ProducerIdentity;
  /** The newest epoch in the topic. */
  readonly marker: Marker | null;
}

export class TransactionalProducer implements EpochProducer {
  readonly guarantee = "exactly-once";
  /** null while it is not known what the topic holds. */
  #held: Held | null = null;
  readonly #sender: BatchSender;
  readonly #requests: TransactionRequests;

  constructor(private readonly options: TransactionalOptions) {
    const { world, cluster, marked, timeoutMs } = options;
    const id = transactionalId(marked);
    this.#sender = new BatchSender(options, id);
    this.#requests = new TransactionRequests({ world, cluster, id, group: markerGroup(marked), timeoutMs });
  }

  async fence(): Promise<Marker | null> {
    const { cluster, name, marked } = this.options;
    this.#held = null;
    const identity = await new Patience(this.options).until(() => this.#requests.begin());
    // Behind `begin` and stable: no transaction of an older producer is open any more, nor can one be.
    const offsets = await new Patience(this.options).until(() => cluster.committedOffsets(markerGroup(marked), name, [MARKER_PARTITION]));
    const marker = parseMarker(offsets, marked);
    this.#sender.begin(identity);
    this.#held = { identity, marker };
    return marker;
  }

  async commit(stamp: EpochStamp, batches: EpochBatches): Promise<void> {
    assert(this.#held, "a lane is fenced before it delivers");
    const { identity, marker } = this.#held;
    const { epoch, digest } = stamp;
    if (marker && marker.epoch >= epoch) return requireSame(marker, stamp, this.options.node);
    this.#held = null;
    await this.#write(identity, stamp, batches);
    await this.#requests.end(identity, "commit");
    this.#held = { identity, marker: { epoch, digest } };
  }

  async settle(): Promise<void> {
    await new Patience(this.options).until(() => this.#requests.settled());
  }

  close(): void {
    this.#held = null;
    this.#sender.close();
    this.#requests.close();
  }

  /** All of the transaction but its end. */
  async #write(identity: ProducerIdentity, stamp: EpochStamp, batches: EpochBatches): Promise<void> {
    const { name } = this.options;
    const partitions = [...batches.keys()].filter((partition) => batches[partition].length > 0);
    try {
      // One after the other: a coordinator that still writes one down refuses the next.
      await this.#requests.addPartitions(identity, name, partitions);
      await this.#requests.addMarkers(identity);
      const sent = [this.#sender.send(batches), this.#requests.commitMarker(identity, name, formatMarker(stamp))];
      // Both come to rest before a fault is told: the caller uses the batches' memory again.
      for (const one of await Promise.allSettled(sent)) if (one.status === "rejected") throw one.reason;
    } catch (error) {
      await this.#giveUp(identity, error);
      throw error;
    }
  }

  /** Readers need not wait for the transaction's timeout; where this fails too, they do. The fault at hand is the one to tell. */
  async #giveUp(identity: ProducerIdentity, error: unknown): Promise<void> {
    const isAnswered = error instanceof MillraceError && error.code !== "server_unreachable";
    if (isAnswered) await this.#requests.end(identity, "abort").catch(() => {});
  }
}

/** The epoch is there already; any other one from there on is a newer owner's. */
function requireSame(marker: Marker, { lane, epoch, digest }: EpochStamp, sink: string): void {
  if (marker.epoch === epoch && marker.digest === digest) return;
  throw new MillraceError("fenced", `lane ${lane} of sink "${sink}" holds epoch ${marker.epoch} and is asked to take ${epoch}`, {
    hint: "another process took this pipeline over; this one stops",
  });
}
