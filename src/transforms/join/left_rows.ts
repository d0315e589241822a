/**
 * Left rows that came before the right side had ended, in order of arrival. They live in state, so that a crash neither loses
 * nor repeats one; `drained` counts those that have left, which makes what happens to the next row depend on state alone.
 */
import type { Batch } from "../../data/batch.ts";
import type { RecordType } from "../../data/types.ts";
import type { StateStore, StateTable } from "../../engine/contracts.ts";
import { StoredBatches, storedColumns } from "../support/stored_batches.ts";

export class LeftRows {
  readonly #held: StateTable;
  readonly #rows: StoredBatches;
  readonly #progress: StateTable;

  constructor(type: RecordType, state: StateStore) {
    this.#held = state.table({ name: "held", key: ["number"], columns: storedColumns(type), version: 4 });
    this.#rows = new StoredBatches(this.#held, type);
    this.#progress = state.table({ name: "drained", key: ["number"], columns: [{ name: "rows", kind: "number" }], version: 1 });
  }

  get size(): number {
    return this.#held.size;
  }
  /** How many of the held rows have left. */
  get drained(): number {
    const slot = this.#progress.find(0);
    return slot < 0 ? 0 : this.#progress.number("rows").values[slot];
  }
  set drained(rows: number) {
    const slot = this.#progress.insert(0);
    this.#progress.number("rows").values[slot] = rows;
    this.#progress.number("rows").valid[slot] = 1;
    this.#progress.touch(slot);
  }

  hold(batch: Batch): void {
    const from = this.#held.size;
    this.#rows.store(batch, Int32Array.from({ length: batch.rows }, (_, row) => this.#held.insert(from + row)));
  }

  /** The held rows [from, to) as batches, each of one source and partition. */
  batches(from: number, to: number): Iterable<Batch> {
    // No row is ever removed, so row n lies in slot n.
    return this.#rows.load(Int32Array.from({ length: to - from }, (_, row) => from + row));
  }
}
