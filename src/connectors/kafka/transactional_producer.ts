/**
 * Exactly once: an epoch's records and its marker in one transaction, under a transactional id of the lane's own. Invariant: this
 * producer knows the marker as long as it may write, because nobody else could have moved it; from the first request of a transaction to
 * the acknowledgement of its end it may not, so whatever goes wrong in between leads to `fence`, where the broker tells how it ended.
 * Rows may be sent while the epoch is open: nobody sees them before the end, and where an epoch is given up the next one needs a fence
 * first, which aborts them. A new identity is asked for in `fence` only, which the engine calls behind a take-over: an owner that was
 * superseded never takes the id back (docs/decisions/kafka.md).
 */
import { MillraceError } from "../../data/fault.ts";
import type { EpochStamp, Marker } from "../../engine/contracts.ts";
import { BatchSender } from "./batch_sender.ts";
import type { PreparedBatch } from "./batch_writer.ts";
import type { ProducerIdentity } from "./broker_connection.ts";
import { formatMarker, type MarkedLane, MARKER_PARTITION, markerGroup, parseMarker, transactionalId } from "./epoch_marker.ts";
import type { EpochProducer, ProducerOptions } from "./epoch_producer.ts";
import { Patience } from "./patience.ts";
import { TransactionRequests } from "./transaction_requests.ts";

export interface TransactionalOptions extends ProducerOptions {
  readonly marked: MarkedLane;
  /** After this long a transaction that nobody ends is aborted by the broker; readers wait for it until then. */
  readonly timeoutMs: number;
  /** How long an epoch is open as a rule. */
  readonly epochMs: number;
}
interface Held {
  readonly identity: ProducerIdentity;
  /** The newest epoch in the topic. */
  readonly marker: Marker | null;
}
/** An epoch that stays open for longer than this share of the timeout is sent when it is closed. */
const OPEN_SHARE_MAX = 1 / 4;

export class TransactionalProducer implements EpochProducer {
  readonly guarantee = "exactly-once";
  readonly sendsEarly: boolean;
  /** null while it is not known what the topic holds. */
  #held: Held | null = null;
  /** Partitions of the open transaction. */
  readonly #opened = new Set<number>();
  /** Transaction requests one after the other: a coordinator that still writes one down refuses the next. */
  #control: Promise<unknown> = Promise.resolve();
  /** The end of what was given up. */
  #aborted: Promise<void> = Promise.resolve();
  readonly #sender: BatchSender;
  readonly #requests: TransactionRequests;

  constructor(private readonly options: TransactionalOptions) {
    const { world, cluster, marked, timeoutMs, epochMs } = options;
    const id = transactionalId(marked);
    this.sendsEarly = epochMs <= timeoutMs * OPEN_SHARE_MAX;
    this.#sender = new BatchSender({ ...options, transactionalId: id, prepare: (partitions) => this.#include(partitions) });
    this.#requests = new TransactionRequests({ world, cluster, id, group: markerGroup(marked), timeoutMs });
  }

  async fence(): Promise<Marker | null> {
    const { cluster, name, marked } = this.options;
    this.#held = null;
    await this.#aborted;
    await this.#control.catch(() => {});
    const identity = await new Patience(this.options).until(() => this.#requests.begin());
    // Behind `begin` and stable: no transaction of an older producer is open any more, nor can one be.
    const offsets = await new Patience(this.options).until(() => cluster.committedOffsets(markerGroup(marked), name, [MARKER_PARTITION]));
    const marker = parseMarker(offsets, marked);
    this.#opened.clear();
    this.#control = Promise.resolve();
    this.#sender.begin(identity);
    this.#held = { identity, marker };
    return marker;
  }

  push(partition: number, batch: PreparedBatch): void {
    // Under an identity whose last transaction is in doubt, brokers may take rows that the next transaction would then commit.
    if (this.#held) this.#sender.push(partition, batch);
    else batch.release();
  }

  get bytesWaiting(): number {
    return this.#sender.bytesWaiting;
  }

  holds(stamp: EpochStamp): boolean {
    const marker = this.#held?.marker;
    if (!marker || marker.epoch < stamp.epoch) return false;
    requireSame(marker, stamp, this.options.node);
    return true;
  }

  async commit(stamp: EpochStamp): Promise<void> {
    if (!this.#held) throw givenUp(this.options.node);
    const { identity } = this.#held;
    const { epoch, digest } = stamp;
    this.#held = null;
    await this.#complete(identity, stamp);
    await this.#requests.end(identity, "commit");
    this.#opened.clear();
    this.#held = { identity, marker: { epoch, digest } };
  }

  /** Readers need not wait for the transaction's timeout; where the abort fails, they do. */
  discard(): void {
    if (!this.#held) return;
    const { identity } = this.#held;
    this.#held = null;
    const sent = this.#sender.settle().catch(() => {});
    this.#aborted = sent.then(() => this.#inTurn(() => this.#requests.end(identity, "abort"))).catch(() => {});
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
  async #complete(identity: ProducerIdentity, stamp: EpochStamp): Promise<void> {
    const { name } = this.options;
    try {
      const marked = this.#inTurn(async () => {
        await this.#requests.addMarkers(identity);
        await this.#requests.commitMarker(identity, name, formatMarker(stamp));
      });
      // Both come to rest before a fault is told: nothing of this transaction may be under way when its end is asked for.
      for (const one of await Promise.allSettled([this.#sender.settle(), marked])) if (one.status === "rejected") throw one.reason;
    } catch (error) {
      await this.#giveUp(identity, error);
      throw error;
    }
  }

  /** Makes partitions part of the transaction before the first batch for them is sent. */
  async #include(partitions: readonly number[]): Promise<void> {
    await this.#inTurn(async () => {
      const fresh = partitions.filter((partition) => !this.#opened.has(partition));
      if (fresh.length === 0) return;
      for (const partition of fresh) this.#opened.add(partition);
      await this.#requests.addPartitions(this.#sender.identity, this.options.name, fresh);
    });
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    const turn = this.#control.then(action);
    this.#control = turn;
    turn.catch(() => {}); // Thrown again by whoever comes next.
    return turn;
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

function givenUp(sink: string): MillraceError {
  return new MillraceError("transaction_lost", `sink "${sink}" gave up the transaction before this one`, { retry: "backoff" });
}
