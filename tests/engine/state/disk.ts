/** A checkpoint store in memory, for one lane's state. */
import type { TableLayout } from "../../../src/engine/head.ts";
import { type Checkpoint, createStateStore, type LaneState, type StateEntry } from "../../../src/engine/state/store.ts";

/** Keeps what checkpoints write, as the checkpoint store would. */
export class Disk {
  entries = new Map<string, StateEntry>();
  epoch = 0;
  tables: readonly TableLayout[] = [];

  /** Writes of an epoch before its flip: all of them, or as many as a crash let through. */
  write({ sets }: Checkpoint, count = sets.length): void {
    for (const entry of sets.slice(0, count)) this.entries.set(JSON.stringify(entry.key), { key: entry.key, value: entry.value.slice() });
  }
  flip(epoch: number, { deletes }: Checkpoint, tables: readonly TableLayout[]): void {
    for (const key of deletes) this.entries.delete(JSON.stringify(key));
    this.epoch = epoch;
    this.tables = tables;
  }
  load(): LaneState {
    const entries = [...this.entries.values()].sort((a, b) => compare(a.key, b.key));
    return createStateStore({ epoch: this.epoch, tables: this.tables, entries });
  }
  get bytes(): number {
    return [...this.entries.values()].reduce((sum, { value }) => sum + value.length, 0);
  }
}
function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return a.length - b.length;
}
