/** How long to wait before connecting again: doubling from the first to the most, with jitter so that clients do not come together. */
import type { Random } from "../../../ports/mod.ts";

export interface ReconnectSettings {
  readonly firstMs: number;
  readonly mostMs: number;
  /** Waits are drawn from their upper half. */
  readonly jitter: boolean;
}

export class Backoff {
  #nextMs: number;
  constructor(private readonly settings: ReconnectSettings, private readonly random: Random) {
    this.#nextMs = settings.firstMs;
  }

  /** The wait before the next attempt. */
  next(): number {
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(this.settings.mostMs, waitMs * 2);
    return this.settings.jitter ? waitMs / 2 + waitMs / 2 * (this.random.uint32() / 2 ** 32) : waitMs;
  }

  /** The feed gave something: the next failure is a new one. */
  reset(): void {
    this.#nextMs = this.settings.firstMs;
  }
}
