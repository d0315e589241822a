/**
 * Waiting for a cluster that does not answer: with growing pauses, saying so once in a while, until the run is to stop. Invariant:
 * only faults that may pass are waited out, all others (`retry: "never"`) are thrown at once.
 */
import { MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import { BUSY_REPORT_MS, BUSY_WHILE_STOPPING_MS, REPORT_EVERY_MS, RETRY_MAX_MS, RETRY_MIN_MS } from "./limits.ts";

export interface PatienceOptions {
  readonly world: World;
  /** The source's or sink's name. */
  readonly node: string;
  /** Ends the wait, as the run's own stop does: the fault is thrown. */
  readonly signal?: AbortSignal;
}

/** Tries again and again, and tells how long it has been waiting. One object per thing that is waited for. */
export class Patience {
  #failures = 0;
  #sinceMs = 0;
  #reportedMs = -Infinity;
  readonly #stop: AbortSignal | undefined;
  constructor(private readonly options: PatienceOptions) {
    const signals = [options.signal, options.world.stopping].filter((signal) => signal !== undefined);
    this.#stop = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  }

  /** Whether the run's own stop ends this wait. One that merely meets a busy answer does not fail for that. */
  #isOver(error: MillraceError, waitedMs: number): boolean {
    const { signal, world } = this.options;
    if (signal?.aborted) return true;
    return world.stopping?.aborted === true && (error.code !== "server_busy" || waitedMs >= BUSY_WHILE_STOPPING_MS);
  }

  /** Repeats an action until it succeeds. */
  async until<T>(action: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const result = await action();
        this.succeeded();
        return result;
      } catch (error) {
        await this.failed(error);
      }
    }
  }

  /** Waits after a failure, or throws it again. */
  async failed(error: unknown): Promise<void> {
    const { world: { clock, random, log }, node } = this.options;
    if (!(error instanceof MillraceError) || error.retry === "never") throw error;
    const nowMs = clock.monotonicMs();
    if (this.#failures++ === 0) this.#sinceMs = nowMs;
    const waitedMs = nowMs - this.#sinceMs;
    if (this.#isOver(error, waitedMs)) throw error;
    // A cluster that is merely settling, as behind a topic's making, is not worth a line.
    const isWorthALine = error.code !== "server_busy" || waitedMs >= BUSY_REPORT_MS;
    if (isWorthALine && nowMs - this.#reportedMs >= REPORT_EVERY_MS) {
      this.#reportedMs = nowMs;
      log.event("warning", error.code, { node, reason: error.message, waitedMs: Math.round(waitedMs) });
    }
    const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(this.#failures, 10));
    // Many partitions lose one broker at once: they should not come back in step.
    const isStopping = this.options.world.stopping?.aborted;
    await clock.sleep(waitMs / 2 + random.uint32() % waitMs / 2, isStopping ? this.options.signal : this.#stop);
  }

  succeeded(): void {
    if (this.#failures === 0) return;
    const { world: { clock, log }, node } = this.options;
    if (this.#reportedMs > -Infinity) {
      log.event("info", "server_reached", { node, waitedMs: Math.round(clock.monotonicMs() - this.#sinceMs) });
    }
    this.#failures = 0;
    this.#reportedMs = -Infinity;
  }
}
