/**
 * The lanes of one replica, which come and go as partitions are given to it and taken away. Invariants: a lane that is taken away is
 * drained (its open epoch is finished and flipped) before it is released; a lane is taken over again behind a fence only after the
 * other replicas have been heard to leave it with this process, so two of them do not fence one another for ever.
 */
import { assert, MillraceError } from "../data/fault.ts";
import type { World } from "../ports/mod.ts";
import type { PartitionShare } from "./contracts.ts";
import type { LaneSink } from "./held_lane.ts";
import type { Lane, LaneEnd } from "./lane.ts";
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, FENCES_WITHOUT_PROGRESS_MAX } from "./limits.ts";
import { FencedError, type Replicas } from "./run_contracts.ts";

export interface SharedLanesOptions {
  readonly world: World;
  readonly share: PartitionShare;
  readonly replicas: Replicas;
  readonly signal: AbortSignal;
  /** By lane: the partitions that it reads of the shared source. */
  readonly partitions: readonly (readonly number[])[];
  sinksOf(lane: number): readonly LaneSink[];
  /** A lane that nobody holds yet; `flipped` after every epoch. */
  makeLane(lane: number, flipped: () => void): Lane;
  /** The lane is another replica's now. */
  released(lane: number): void;
}
interface RunningLane {
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

export class SharedLanes {
  readonly #running = new Map<number, RunningLane>();
  #wanted: ReadonlySet<number> = new Set();
  readonly #ends: LaneEnd[] = [];
  readonly #failed = new AbortController();
  readonly #stop: AbortSignal;
  #fault: { readonly error: unknown } | null = null;

  constructor(private readonly options: SharedLanesOptions) {
    this.#stop = AbortSignal.any([options.signal, this.#failed.signal]);
  }

  /** Until the signal comes; gives the lanes that were held then. Throws what stopped one of them. */
  async run(): Promise<readonly LaneEnd[]> {
    const { share } = this.options;
    share.join({ assigned: (partitions) => this.#assign(partitions), failed: (error) => this.#fail(error) });
    try {
      await aborted(this.#stop);
      await Promise.all([...this.#running.values()].map(({ done }) => done));
    } finally {
      await share.leave();
    }
    if (this.#fault) throw this.#fault.error;
    return this.#ends;
  }

  #assign(given: readonly number[]): void {
    const { partitions } = this.options;
    this.#wanted = new Set(partitions.keys().filter((lane) => partitions[lane].some((partition) => given.includes(partition))));
    this.#follow();
  }

  #follow(): void {
    if (this.#stop.aborted) return;
    for (const [lane, { stop }] of this.#running) if (!this.#wanted.has(lane)) stop.abort();
    for (const lane of this.#wanted) if (!this.#running.has(lane)) this.#begin(lane);
  }

  #begin(lane: number): void {
    const stop = new AbortController();
    const done = this.#hold(lane, AbortSignal.any([stop.signal, this.#stop]))
      .then((end) => this.#rest(lane, end))
      .catch((error) => this.#fail(error));
    this.#running.set(lane, { stop, done });
  }

  /** A lane has come to rest in order. */
  #rest(lane: number, end: LaneEnd | null): void {
    assert(!end?.ended, "a source that replicas share has no end");
    this.#running.delete(lane);
    if (this.#stop.aborted) {
      if (end) this.#ends.push(end);
      return;
    }
    this.options.released(lane);
    for (const partition of this.options.partitions[lane]) this.options.share.released(partition);
    this.#follow(); // It may have been given back meanwhile.
  }

  #fail(error: unknown): void {
    this.#fault ??= { error };
    this.#failed.abort();
  }

  /** Owns the lane until the signal comes; null when it was another's then. */
  async #hold(lane: number, signal: AbortSignal): Promise<LaneEnd | null> {
    const { replicas, sinksOf, makeLane } = this.options;
    let fences = 0;
    while (!signal.aborted) {
      const sinks = sinksOf(lane);
      try {
        await replicas.requireRun();
        if (signal.aborted) break;
        return await makeLane(lane, () => fences = 0).run(sinks, signal);
      } catch (error) {
        if (error instanceof FencedError) await this.#yield(lane, error, ++fences, signal);
        else if (this.#mayLeaveOpen(error, signal)) return null;
        else throw error;
      } finally {
        await Promise.allSettled(sinks.map(({ lane }) => lane.release?.()));
      }
    }
    return null;
  }

  /** Another replica has taken the lane over. Usually it was given to it, which this one is about to learn. */
  async #yield(lane: number, error: FencedError, fences: number, signal: AbortSignal): Promise<void> {
    const { world, share } = this.options;
    world.log.event("warning", "lane_lost", { lane, reason: error.message });
    if (fences > FENCES_WITHOUT_PROGRESS_MAX) throw error;
    await share.confirmed(signal);
    await world.clock.sleep(Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** fences), signal);
  }

  /** What may pass need not be waited out for a lane that is given away: its next owner completes the epoch. */
  #mayLeaveOpen(error: unknown, signal: AbortSignal): boolean {
    return signal.aborted && !this.#stop.aborted && error instanceof MillraceError && error.retry !== "never";
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true }));
