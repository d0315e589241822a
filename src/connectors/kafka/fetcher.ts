/**
 * Fetches one partition in the background, ahead of its reader, over a connection of its own: brokers answer one request of a
 * connection after the other, and a fetch that waits for news must not hold up another partition's.
 * Invariants: what is queued is contiguous, from where the reader is to how far was fetched; at most PREFETCH_BYTES_MAX of it, and one
 * fetch more. A fault that may pass is waited out here; any other is thrown by the next call of `next`.
 */
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import type { Cluster } from "./cluster.ts";
import type { DataConnection } from "./data_connection.ts";
import { OFFSET_OUT_OF_RANGE, refusedCode } from "./errors.ts";
import { type Fetched, fetchPartition } from "./fetch_request.ts";
import { FETCH_BYTES_MAX, FETCH_WAIT_MS, PREFETCH_BYTES_MAX } from "./limits.ts";
import { Patience } from "./patience.ts";
import { Prefetched } from "./prefetched.ts";
import { damaged, readRecordBatches } from "./record_batches.ts";
import type { RecordSlices } from "./record_collector.ts";

export interface FetcherOptions {
  readonly world: World;
  readonly cluster: Cluster;
  /** The source's name. */
  readonly node: string;
  readonly topic: string;
  /** The topic that the reader's positions belong to. */
  readonly topicId: string;
  readonly partition: number;
}

/** That nothing is there, as of one moment: everything before `coveredTo` was handed out. */
export interface Looked {
  readonly coveredTo: number;
  /** The last stable offset as the broker last told it; null before it did, and while it does not answer. */
  readonly end: number | null;
  /** Resolves when that may no longer be so. */
  readonly changed: Promise<void>;
}

export class PartitionFetcher {
  /** Everything before it has been fetched. */
  #coveredTo = 0;
  #end: number | null = null;
  #queue: Prefetched[] = [];
  #queuedBytes = 0;
  /** Where the queue begins. */
  #from = 0;
  /** Grows with every seek: what a fetch from before it brings is thrown away. */
  #seek = 0;
  #fault: { readonly error: unknown } | null = null;
  #loop: Promise<void> | null = null;
  #connection: DataConnection | null = null;
  readonly #stop = new AbortController();
  /** Resolved at every change, and renewed: the loop waits for room, the reader for records. */
  #change = Promise.withResolvers<void>();
  /** The timer that waits of the reader share, while it runs. */
  #tick: { readonly endMs: number; readonly ended: Promise<void> } | null = null;
  readonly #patience: Patience;

  constructor(private readonly options: FetcherOptions) {
    const { world, node, cluster } = options;
    this.#patience = new Patience({ world, node, signal: this.#stop.signal });
    // The first fetch should not have to wait for them; a fault is told by whoever does.
    cluster.codecs().catch(() => {});
  }

  /**
   * The slices that hold the first record at or behind `offset`; where there is none yet, how far it was looked. Waits up to `waitMs`
   * where more is known to be there.
   */
  async next(offset: number, waitMs: number): Promise<Prefetched | Looked> {
    this.#moveTo(offset);
    this.#loop ??= this.#run();
    const { clock } = this.options.world;
    const deadlineMs = clock.monotonicMs() + waitMs;
    for (;;) {
      if (this.#fault) throw this.#takeFault();
      const head = this.#queue[0];
      if (head) return head;
      const leftMs = deadlineMs - clock.monotonicMs();
      const isCaughtUp = this.#end !== null && this.#coveredTo >= this.#end;
      // As it is now: by the time the caller goes on, the next fetch may have come, and what it brought is unread.
      if (isCaughtUp || leftMs <= 0 || this.#stop.signal.aborted) {
        return { coveredTo: this.#coveredTo, end: this.#end, changed: this.#change.promise };
      }
      await this.#changed(deadlineMs);
    }
  }

  /** The last stable offset as the broker last told it; null where it has not, or does not answer. */
  get end(): number | null {
    return this.#end;
  }

  close(): void {
    this.#stop.abort();
    this.#connection?.close();
    this.#notify();
  }

  /** Drops what lies before the offset; begins anew where the queue does not reach it. */
  #moveTo(offset: number): void {
    if (offset < this.#from || offset > this.#coveredTo || this.#loop === null) {
      for (const dropped of this.#queue.splice(0)) dropped.release();
      this.#queuedBytes = 0;
      this.#from = this.#coveredTo = offset;
      this.#end = null;
      this.#fault = null;
      this.#seek++;
      // The broker may hold a fetch back for a while: it must not hold up the one that is wanted now.
      this.#connection?.close();
      return this.#notify();
    }
    while (this.#queue.length > 0 && lastOffset(this.#queue[0].slices) < offset) {
      const read = this.#queue.shift()!;
      this.#queuedBytes -= read.slices.bytes.length;
      this.#from = read.slices.nextOffset;
      read.release();
      this.#notify();
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      if (this.#queuedBytes >= PREFETCH_BYTES_MAX || this.#fault) {
        await this.#change.promise;
        continue;
      }
      const seek = this.#seek;
      try {
        if (!this.#connection?.isOpen) this.#connection = await this.#connect();
        if (signal.aborted) break;
        const fetched = await this.#fetch(this.#connection);
        const slices = seek === this.#seek ? await this.#decode(fetched) : null;
        if (slices && seek === this.#seek) this.#accept(fetched, slices);
        this.#patience.succeeded();
      } catch (error) {
        this.#connection?.close();
        if (signal.aborted) break;
        if (seek === this.#seek) await this.#failed(error);
      }
    }
    this.#connection?.close();
  }

  async #connect(): Promise<DataConnection> {
    const { cluster, topic, topicId, partition } = this.options;
    const found = await cluster.requireTopic(topic);
    if (found.id !== topicId || partition >= found.partitions) throw madeAnew(topic);
    return await cluster.connectData(found.leaders[partition]);
  }

  async #fetch(connection: DataConnection): Promise<Fetched> {
    const { topic, partition } = this.options;
    const fetched = await fetchPartition(connection, {
      topic,
      partition,
      offset: this.#coveredTo,
      bytesMax: FETCH_BYTES_MAX,
      waitMs: FETCH_WAIT_MS,
    });
    if (fetched.errorCode === OFFSET_OUT_OF_RANGE) throw await this.#outOfRange();
    if (fetched.errorCode !== 0) throw refusedCode(fetched.errorCode, this.#place);
    return fetched;
  }

  async #decode({ records, aborted }: Fetched): Promise<RecordSlices> {
    const tools = await this.options.cluster.codecs();
    const slices = readRecordBatches({ bytes: records, from: this.#coveredTo, aborted, place: this.#place }, tools);
    // Brokers send one whole batch whatever its length; asking again for what gets nowhere would go round for ever.
    if (records.length > 0 && slices.nextOffset === this.#coveredTo) throw damaged(this.#place, this.#coveredTo, "it is not whole");
    return slices;
  }

  #accept({ lastStableOffset, records, recycle }: Fetched, slices: RecordSlices): void {
    this.#end = lastStableOffset;
    this.#coveredTo = slices.nextOffset;
    if (slices.rows > 0) {
      this.#queue.push(new Prefetched(slices, slices.bytes.buffer === records.buffer ? recycle : null));
      this.#queuedBytes += slices.bytes.length;
    }
    this.#notify();
  }

  async #failed(error: unknown): Promise<void> {
    this.#end = null;
    try {
      // Damage is fetched again a few times by the engine's own count, and then told: waiting does not mend it.
      if (error instanceof MillraceError && error.code === "records_damaged") throw error;
      await this.#patience.failed(error);
    } catch (fault) {
      this.#fault = { error: fault };
      this.#notify();
    }
  }

  #takeFault(): unknown {
    const { error } = this.#fault!;
    // The next attempt begins anew.
    this.#fault = null;
    this.#notify();
    return error;
  }

  get #place(): string {
    return `partition ${this.options.partition} of topic "${this.options.topic}"`;
  }

  /** Records are never skipped in silence: whoever trimmed them must be known to the person who decides. */
  async #outOfRange(): Promise<MillraceError> {
    const { cluster, topic, partition } = this.options;
    const found = await cluster.requireTopic(topic);
    const first = (await cluster.offsets(topic, found, "earliest"))[partition];
    const end = (await cluster.offsets(topic, found, "latest"))[partition];
    return new MillraceError("offset_lost", `offset ${this.#coveredTo} of ${this.#place} is not there: it holds ${first} to ${end}`, {
      hint: this.#coveredTo < first
        ? "retention removed records that were not read yet. Bring them back, or start over with --rerun from what is left; a longer retention.ms of the topic avoids it"
        : "the topic lost its end, as after a failover without all replicas. Let it be restored, or start over with --rerun",
    });
  }

  #notify(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  async #changed(deadlineMs: number): Promise<void> {
    await Promise.race([this.#change.promise, this.#tickBefore(deadlineMs)]);
  }

  /** A timer that many waits share, which ends no later than asked: one for each fetch would cost as much as reading what it brings. */
  #tickBefore(deadlineMs: number): Promise<void> {
    if (this.#tick && this.#tick.endMs <= deadlineMs) return this.#tick.ended;
    const { clock } = this.options.world;
    const ended = clock.sleep(deadlineMs - clock.monotonicMs(), this.#stop.signal).then(() => {
      if (this.#tick === tick) this.#tick = null;
    });
    const tick = this.#tick = { endMs: deadlineMs, ended };
    return ended;
  }
}

const lastOffset = ({ offset, rows }: RecordSlices): number => offset[rows - 1];

/** Told to a reader whose positions belong to a topic that was deleted. */
export function madeAnew(topic: string): MillraceError {
  return new MillraceError("topic_rewritten", `topic "${topic}" was deleted and made anew while it was being read`, {
    hint: "its offsets mean other records now; start this pipeline over with --rerun to read them",
  });
}
