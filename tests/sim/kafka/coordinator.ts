/**
 * Groups and transactions of a simulated cluster, as Kafka's coordinators keep them: a commit is decided first and told to partitions and
 * groups some time later; until then nobody may begin anew. Invariants: of a transactional id only the newest producer epoch may act; a
 * group's offset of a transaction counts when, and only when, the transaction is committed.
 */
import type { Scheduler } from "../../../src/sim/scheduler.ts";
import type { SeededRandom } from "../../../src/sim/seeded_random.ts";
import { INVALID_PRODUCER_EPOCH, INVALID_TXN_STATE } from "./partition_log.ts";

export const INVALID_PRODUCER_ID_MAPPING = 49;
export const CONCURRENT_TRANSACTIONS = 51;
export const UNSTABLE_OFFSET_COMMIT = 88;
export const PRODUCER_FENCED = 90;
export const TRANSACTIONAL_ID_NOT_FOUND = 105;

export interface GroupOffset {
  readonly offset: number;
  readonly metadata: string;
}
export type TransactionState = "Empty" | "Ongoing" | "PrepareCommit" | "PrepareAbort" | "CompleteCommit" | "CompleteAbort";
export interface Producer {
  readonly id: string;
  readonly producerId: bigint;
  readonly epoch: number;
}
interface Transaction {
  readonly producerId: bigint;
  epoch: number;
  state: TransactionState;
  timeoutMs: number;
  /** Counts the transactions of the id, so that a timeout knows its own. */
  number: number;
  readonly partitions: Set<string>;
  readonly groups: Set<string>;
}
interface Group {
  readonly offsets: Map<string, GroupOffset>;
  /** Of transactions that are not decided, by producer. */
  readonly pending: Map<bigint, { readonly epoch: number; readonly offsets: Map<string, GroupOffset> }>;
  /** The newest epoch that wrote here. */
  readonly epochs: Map<bigint, number>;
}

const MARKERS_MICROS_MAX = 15_000;

export class Coordinator {
  readonly #transactions = new Map<string, Transaction>();
  readonly #groups = new Map<string, Group>();
  #producers = 1000n;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly random: SeededRandom,
    /** Writes the marker of a decided transaction into a partition, named TOPIC/NUMBER. */
    private readonly tellPartition: (partition: string, producerId: bigint, epoch: number, fate: "committed" | "aborted") => void,
  ) {}

  /** A new epoch of the id; ends what an older one has open, and answers only behind that. */
  beginProducer(id: string | null, timeoutMs: number): { readonly errorCode: number; readonly producerId: bigint; readonly epoch: number } {
    if (id === null) return { errorCode: 0, producerId: this.#producers++, epoch: 0 };
    const known = this.#transactions.get(id);
    if (known === undefined) {
      const producerId = this.#producers++;
      const fresh = {
        producerId,
        epoch: 0,
        state: "Empty" as const,
        timeoutMs,
        number: 0,
        partitions: new Set<string>(),
        groups: new Set<string>(),
      };
      this.#transactions.set(id, fresh);
      return { errorCode: 0, producerId, epoch: 0 };
    }
    if (known.state === "Ongoing") this.#abortAndFence(known);
    if (known.state.startsWith("Prepare")) return { errorCode: CONCURRENT_TRANSACTIONS, producerId: -1n, epoch: -1 };
    known.state = "Empty";
    known.timeoutMs = timeoutMs;
    return { errorCode: 0, producerId: known.producerId, epoch: ++known.epoch };
  }

  addPartitions(producer: Producer, partitions: readonly string[]): number {
    return this.#join(producer, (transaction) => partitions.forEach((partition) => transaction.partitions.add(partition)));
  }

  addGroup(producer: Producer, group: string): number {
    return this.#join(producer, (transaction) => transaction.groups.add(group));
  }

  end(producer: Producer, how: "commit" | "abort"): number {
    const transaction = this.#ofProducer(producer);
    if (typeof transaction === "number") return transaction;
    const { state } = transaction;
    if (state.startsWith("Prepare")) return CONCURRENT_TRANSACTIONS;
    if (state === (how === "commit" ? "CompleteCommit" : "CompleteAbort")) return 0;
    if (state !== "Ongoing") return INVALID_TXN_STATE;
    this.#decide(transaction, how === "commit" ? "PrepareCommit" : "PrepareAbort");
    return 0;
  }

  /** Whether a producer may write there now: of an open transaction, what it was said to write. */
  isOpen(producerId: bigint, epoch: number, place: string): boolean {
    for (const transaction of this.#transactions.values()) {
      if (transaction.producerId !== producerId || transaction.epoch !== epoch || transaction.state !== "Ongoing") continue;
      return transaction.partitions.has(place) || transaction.groups.has(place);
    }
    return false;
  }

  state(id: string): TransactionState | null {
    return this.#transactions.get(id)?.state ?? null;
  }

  /** Of a group that nobody joined, at once. */
  commitOffset(group: string, partition: string, offset: GroupOffset): void {
    this.#group(group).offsets.set(partition, offset);
  }

  /** Within a transaction. */
  commitOffsetLater({ producerId, epoch }: Producer, group: string, partition: string, offset: GroupOffset): number {
    const { pending, epochs } = this.#group(group);
    if (epoch < (epochs.get(producerId) ?? -1)) return INVALID_PRODUCER_EPOCH;
    if (!this.isOpen(producerId, epoch, group)) return INVALID_TXN_STATE;
    epochs.set(producerId, epoch);
    let mine = pending.get(producerId);
    if (mine?.epoch !== epoch) pending.set(producerId, mine = { epoch, offsets: new Map() });
    mine.offsets.set(partition, offset);
    return 0;
  }

  /** What is committed; a code while a transaction that may change it is not decided. */
  offsetOf(group: string, partition: string): GroupOffset | null | "unstable" {
    const { offsets, pending } = this.#group(group);
    for (const mine of pending.values()) if (mine.offsets.has(partition)) return "unstable";
    return offsets.get(partition) ?? null;
  }

  /** As far as it is committed, for those who watch. */
  committedOffset(group: string, partition: string): GroupOffset | null {
    return this.#groups.get(group)?.offsets.get(partition) ?? null;
  }

  #join(producer: Producer, add: (transaction: Transaction) => void): number {
    const transaction = this.#ofProducer(producer);
    if (typeof transaction === "number") return transaction;
    if (transaction.state.startsWith("Prepare")) return CONCURRENT_TRANSACTIONS;
    if (transaction.state !== "Ongoing") this.#open(transaction);
    add(transaction);
    return 0;
  }

  #ofProducer({ id, producerId, epoch }: Producer): Transaction | number {
    const transaction = this.#transactions.get(id);
    if (transaction?.producerId !== producerId) return INVALID_PRODUCER_ID_MAPPING;
    return transaction.epoch === epoch ? transaction : PRODUCER_FENCED;
  }

  #open(transaction: Transaction): void {
    transaction.state = "Ongoing";
    const number = ++transaction.number;
    this.scheduler.after(transaction.timeoutMs * 1000, () => {
      if (transaction.state === "Ongoing" && transaction.number === number) this.#abortAndFence(transaction);
    });
  }

  #abortAndFence(transaction: Transaction): void {
    transaction.epoch++;
    this.#decide(transaction, "PrepareAbort");
  }

  #decide(transaction: Transaction, state: "PrepareCommit" | "PrepareAbort"): void {
    transaction.state = state;
    this.scheduler.after(1 + this.random.below(MARKERS_MICROS_MAX), () => this.#complete(transaction));
  }

  #complete(transaction: Transaction): void {
    const { producerId, epoch, partitions, groups } = transaction;
    const isCommitted = transaction.state === "PrepareCommit";
    for (const partition of partitions) this.tellPartition(partition, producerId, epoch, isCommitted ? "committed" : "aborted");
    for (const name of groups) {
      const group = this.#group(name);
      const mine = group.pending.get(producerId);
      group.pending.delete(producerId);
      group.epochs.set(producerId, epoch);
      if (isCommitted) { for (const [partition, offset] of mine?.offsets ?? []) group.offsets.set(partition, offset); }
    }
    partitions.clear();
    groups.clear();
    transaction.state = isCommitted ? "CompleteCommit" : "CompleteAbort";
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, group = { offsets: new Map(), pending: new Map(), epochs: new Map() });
    return group;
  }
}
