/**
 * A lane's life in one process: take over, hold, and after a doubt take over again, a bounded number of times. Invariant: an
 * owner that learns it was superseded stops with FencedError and has changed nothing since.
 */
import { MillraceError } from "../data/fault.ts";
import type { Kv } from "../ports/mod.ts";
import type { Head } from "./head.ts";
import { HeldLane, type LaneSetting, type LaneSink } from "./held_lane.ts";
import { requireOneLane, requireSamePlan } from "./same_plan.ts";
import { LaneStore } from "./lane_store.ts";
import { ATTEMPTS_WITHOUT_PROGRESS_MAX, BACKOFF_MAX_MS, BACKOFF_MIN_MS } from "./limits.ts";
import { FencedError } from "./run_contracts.ts";

export interface LaneEnd {
  readonly ended: boolean;
  readonly held: HeldLane;
}

export class Lane {
  readonly #setting: LaneSetting;
  readonly #kv: Kv;
  #store: LaneStore | null = null;
  /** Attempts that failed since the last flip. */
  #failures = 0;

  constructor(setting: LaneSetting, kv: Kv) {
    this.#setting = setting;
    this.#kv = kv;
  }

  /** Becomes the lane's owner; returns the head as it is now. Done before any sink is opened. */
  async takeOver(signal: AbortSignal): Promise<Head> {
    const { world, plan, run, lane, inputs } = this.#setting;
    for (;;) {
      try {
        if (!plan.lanesByPartition) requireOneLane(plan, await LaneStore.look(this.#kv, { run, lane: lane + 1 }));
        this.#store = await LaneStore.takeOver(this.#kv, { run, lane }, plan.hash, (head) => requireSamePlan(plan, inputs, head));
        world.probe.step("take_over", `lane ${lane} generation ${this.#store.head.generation}`);
        return this.#store.head;
      } catch (error) {
        await this.#backOff(error, signal);
      }
    }
  }

  /** Runs epochs until the input has ended or the signal comes. */
  async run(sinks: readonly LaneSink[], signal: AbortSignal): Promise<LaneEnd> {
    for (;;) {
      if (!this.#store) await this.takeOver(signal);
      const store = this.#store!;
      this.#store = null;
      try {
        return await this.#hold(store, sinks, signal);
      } catch (error) {
        for (const { lane } of sinks) lane.discard();
        await this.#requireNotSuperseded(store, error);
        await this.#backOff(error, signal);
      }
    }
  }

  async #hold(store: LaneStore, sinks: readonly LaneSink[], signal: AbortSignal): Promise<LaneEnd> {
    const held = await HeldLane.open(this.#setting, store, sinks);
    const { spectator, lane } = this.#setting;
    spectator?.held(lane, held);
    try {
      if (await held.replay() === "flipped") this.#failures = 0;
      for (;;) {
        let step: "flipped" | "ended" | "stopped" = await held.advance(signal);
        if (step === "stopped" && this.#setting.stopWanted()) step = await held.farewell();
        if (step !== "flipped") {
          await held.close();
          return { ended: step === "ended", held };
        }
        this.#failures = 0;
        this.#tellCovered(held);
      }
    } catch (error) {
      void held.close(); // A poll that never comes back must not keep the fault from being told.
      throw error;
    } finally {
      spectator?.letGo(lane);
    }
  }

  #tellCovered(held: HeldLane): void {
    const { plan: { sources }, covered } = this.#setting;
    for (const { source, partition, position } of held.inputs.positions()) {
      sources.find(({ name }) => name === source)!.source.covered?.(partition, position);
      covered?.(source, partition, position);
    }
  }

  /**
   * Whatever went wrong, a newer owner may be the reason, and is then what to tell: a superseded owner that took the lane back
   * would stop the healthy one.
   */
  async #requireNotSuperseded(store: LaneStore, error: unknown): Promise<void> {
    if (error instanceof FencedError) return;
    try {
      await store.requireNewest();
    } catch (reason) {
      if (reason instanceof FencedError) throw reason;
      // The store does not answer now either: the first fault is the one to tell.
    }
  }

  /** Waits before the next attempt, or throws when there should be none: told to stop, nobody wants to see it tried again. */
  async #backOff(error: unknown, signal: AbortSignal): Promise<void> {
    const retry = error instanceof MillraceError ? error.retry : "never";
    const given = retry === "wait" ? Infinity : ATTEMPTS_WITHOUT_PROGRESS_MAX;
    if (retry === "never" || signal.aborted || this.#failures >= given) throw error;
    const waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** this.#failures++);
    const { world, lane } = this.#setting;
    world.log.event("warning", "lane_dropped", { lane, attempt: this.#failures, waitMs, reason: (error as MillraceError).code });
    await world.clock.sleep(waitMs, signal);
  }
}
