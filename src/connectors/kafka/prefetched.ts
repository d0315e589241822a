/**
 * What one fetch brought, while somebody still reads it. Invariant: its memory goes back to the connection once, when it has left the
 * fetcher's queue and every batch that was cut from it was released.
 */
import { assert } from "../../data/fault.ts";
import type { RecordSlices } from "./record_collector.ts";

export class Prefetched {
  /** The queue is the first user. */
  #users = 1;

  /** `recycle` is called at the end; null where the memory is not the connection's. */
  constructor(readonly slices: RecordSlices, private readonly recycle: (() => void) | null) {}

  /** One more batch reads it; the result says that it is done. */
  use(): () => void {
    this.#users++;
    return () => this.release();
  }

  release(): void {
    assert(this.#users > 0, "what nobody uses is not released");
    if (--this.#users === 0) this.recycle?.();
  }
}
