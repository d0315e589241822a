/** Thousands of waiting clients on one timer: they wake together on a grid of a few milliseconds. */
import type { Clock } from "../../../ports/mod.ts";
import { TICK_MS } from "../limits.ts";

export class Ticker {
  readonly #waiting = new Map<number, (() => void)[]>();
  #sleep: { readonly tick: number; readonly abort: AbortController } | null = null;

  constructor(private readonly clock: Clock) {}

  nowMs(): number {
    return this.clock.monotonicMs();
  }

  /** Resolves at the first tick at or after `ms` from now, or at `wakeAll`. Infinity waits for that alone. */
  wait(ms: number): Promise<void> {
    const tick = ms === Infinity ? Infinity : Math.ceil((this.nowMs() + Math.max(0, ms)) / TICK_MS);
    return new Promise((resolve) => {
      const others = this.#waiting.get(tick);
      if (others) others.push(resolve);
      else this.#waiting.set(tick, [resolve]);
      if (tick === Infinity) return;
      if (!this.#sleep) void this.#run();
      else if (tick < this.#sleep.tick) this.#sleep.abort.abort();
    });
  }

  wakeAll(): void {
    const woken = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#sleep?.abort.abort();
    for (const resolves of woken) for (const resolve of resolves) resolve();
  }

  async #run(): Promise<void> {
    for (;;) {
      let next = Infinity;
      for (const tick of this.#waiting.keys()) next = Math.min(next, tick);
      if (next === Infinity) break;
      this.#sleep = { tick: next, abort: new AbortController() };
      await this.clock.sleep(Math.max(0, next * TICK_MS - this.nowMs()), this.#sleep.abort.signal);
      this.#wakeUntil(Math.floor(this.nowMs() / TICK_MS));
    }
    this.#sleep = null;
  }

  #wakeUntil(now: number): void {
    for (const [tick, resolves] of this.#waiting) {
      if (tick > now) continue;
      this.#waiting.delete(tick);
      for (const resolve of resolves) resolve();
    }
  }
}
