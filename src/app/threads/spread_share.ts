/**
 * The partitions of this process spread over its workers: each new one to the worker that has fewest, none moved while it is held.
 * Invariant: a partition is with one worker from its assignment until that worker has released it.
 */
import type { PartitionShare } from "../../engine/contracts.ts";

export class SpreadShare {
  #assigned: readonly number[] = [];
  /** By partition. */
  readonly #worker = new Map<number, number>();

  constructor(
    private readonly share: PartitionShare,
    private readonly workers: number,
    private readonly assign: (worker: number, partitions: readonly number[]) => void,
  ) {}

  /** From now on `assign` tells each worker its partitions; `failed` what ends the share. */
  join(failed: (error: unknown) => void): void {
    this.share.join({
      assigned: (partitions) => {
        this.#assigned = partitions;
        this.#deal();
      },
      failed,
    });
  }

  /** A worker has let go of a partition. */
  released(partition: number): void {
    this.#worker.delete(partition);
    this.share.released(partition);
    if (this.#assigned.includes(partition)) this.#deal();
  }

  confirmed(signal: AbortSignal): Promise<void> {
    return this.share.confirmed(signal);
  }

  #deal(): void {
    const counts = Array.from({ length: this.workers }, (_, worker) => this.#assigned.filter((p) => this.#worker.get(p) === worker).length);
    for (const partition of this.#assigned) {
      if (this.#worker.has(partition)) continue;
      const worker = counts.indexOf(Math.min(...counts));
      counts[worker]++;
      this.#worker.set(partition, worker);
    }
    for (let worker = 0; worker < this.workers; worker++) {
      this.assign(worker, this.#assigned.filter((partition) => this.#worker.get(partition) === worker));
    }
  }
}
