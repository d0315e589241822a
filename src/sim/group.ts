/**
 * A group of replicas that share a source's partitions, as its coordinator and its members see it. Invariants: a partition is given to
 * somebody only when nobody else is known to hold it; who is not heard for a session is given up for dead, whatever it still does. So two
 * may hold one partition at a time, which is what owners' generations are for.
 */
import { assert } from "../data/fault.ts";
import type { PartitionShare, ShareListener } from "../engine/contracts.ts";
import { OutcomeUnknown } from "./crashed.ts";
import type { SimProcess } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimGroupOptions {
  readonly scheduler: Scheduler;
  readonly partitions: number;
  /** Partitions go to one member each, or all of them to one. */
  readonly spread: "each" | "whole";
  /** A member that is not heard for so long is given up. */
  readonly sessionMs: number;
}

const HEARTBEATS_PER_SESSION = 5;
const REQUEST_MICROS_MAX = 4_000;

/** The coordinator's side, which outlives every process. */
export class SimGroup {
  /** When each member was last heard, in the order in which they came. */
  readonly #heardMicros = new Map<SimProcess, number>();
  readonly #holders: (SimProcess | null)[];

  constructor(private readonly options: SimGroupOptions) {
    this.#holders = new Array<SimProcess | null>(options.partitions).fill(null);
  }

  /** A member's part. */
  share(process: SimProcess): PartitionShare {
    return new SimShare(this, process, this.options.sessionMs / HEARTBEATS_PER_SESSION);
  }

  /** A member says that it lives and what it holds; gives what it is to read. */
  heartbeat(member: SimProcess, held: ReadonlySet<number>): readonly number[] {
    const { scheduler, sessionMs } = this.options;
    this.#heardMicros.set(member, scheduler.nowMicros);
    for (const [other, micros] of [...this.#heardMicros]) if (scheduler.nowMicros - micros > sessionMs * 1000) this.forget(other);
    this.#holders.forEach((holder, partition) => {
      if (holder === member && !held.has(partition)) this.#holders[partition] = null;
    });
    const mine = this.#holders.keys().filter((partition) => this.#wished(partition) === member).toArray();
    const given = mine.filter((partition) => this.#holders[partition] === null || this.#holders[partition] === member);
    for (const partition of given) this.#holders[partition] = member;
    return given;
  }

  /** The member left, or is given up. */
  forget(member: SimProcess): void {
    this.#heardMicros.delete(member);
    this.#holders.forEach((holder, partition) => {
      if (holder === member) this.#holders[partition] = null;
    });
  }

  #wished(partition: number): SimProcess {
    const members = [...this.#heardMicros.keys()];
    return members[this.options.spread === "whole" ? 0 : partition % members.length]!;
  }
}

class SimShare implements PartitionShare {
  #assigned: readonly number[] = [];
  /** Assigned, or taken away and not yet let go of. */
  readonly #held = new Set<number>();
  readonly #left = new AbortController();
  #waiting: (() => void)[] = [];

  constructor(private readonly group: SimGroup, private readonly process: SimProcess, private readonly heartbeatMs: number) {}

  join(told: ShareListener): void {
    this.#takePart(told).catch((error) => told.failed(error));
  }

  released(partition: number): void {
    assert(this.#held.has(partition), "only a partition that is held is let go of");
    if (!this.#assigned.includes(partition)) this.#held.delete(partition);
  }

  confirmed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
  }

  async leave(): Promise<void> {
    this.#left.abort();
    await this.#ask("group_leave", () => this.group.forget(this.process));
  }

  async #takePart(told: ShareListener): Promise<void> {
    while (!this.#left.signal.aborted) {
      const waiting = this.#waiting.splice(0);
      const held = new Set(this.#held);
      const answer = await this.#ask("group_heartbeat", () => this.group.heartbeat(this.process, held));
      if (this.#left.signal.aborted) return;
      if (answer === null) this.#waiting.push(...waiting);
      else {
        this.#take(answer, told);
        for (const resolve of waiting) resolve();
      }
      await this.process.sleep(this.heartbeatMs, this.#left.signal);
    }
  }

  #take(assigned: readonly number[], told: ShareListener): void {
    if (assigned.join() === this.#assigned.join()) return;
    this.#assigned = assigned;
    for (const partition of assigned) this.#held.add(partition);
    this.process.note("group_assigned", assigned.join());
    told.assigned(assigned);
  }

  /** null where no answer came. */
  async #ask<T>(what: string, effect: () => T): Promise<T | null> {
    try {
      return await this.process.remote({ what, detail: "", kind: "read", microsMax: REQUEST_MICROS_MAX, effect });
    } catch (error) {
      if (error instanceof OutcomeUnknown) return null;
      throw error;
    }
  }
}
