/**
 * The groups that rows of one text key were folded into last, so that most rows find theirs without hashing window and key. Invariant:
 * what it gives is what the groups' table would give; whoever removes groups clears it.
 */
import { TextIndex } from "../../data/text_index.ts";

/** Of more keys none is remembered: rows of one key then seldom come close together. */
const KEYS_MAX = 4096;
/** Windows of one key that rows alternate between where they come out of order: the odd and the even one. */
const WAYS = 2;

export class GroupMemo {
  readonly #ids = new TextIndex();
  #starts = new Float64Array(0);
  #slots = new Int32Array(0);

  /** The slot of the group, or -1. `way`: 0 or 1, of neighbouring windows not the same. */
  find(bytes: DataView, from: number, to: number, start: number, way: number): number {
    if (this.#ids.size === KEYS_MAX) return -1;
    const at = this.#ids.findBytes(bytes, from, to) * WAYS + way;
    return at >= 0 && this.#starts[at] === start ? this.#slots[at] : -1;
  }

  remember(key: string, start: number, way: number, slot: number): void {
    if (this.#ids.size === KEYS_MAX) return;
    let id = this.#ids.find(key);
    if (id < 0) id = this.#ids.append(key);
    if (id * WAYS >= this.#slots.length) this.#grow();
    this.#starts[id * WAYS + way] = start;
    this.#slots[id * WAYS + way] = slot;
  }

  #grow(): void {
    const length = Math.max(16, this.#slots.length * 2);
    const [starts, slots] = [new Float64Array(length).fill(NaN), new Int32Array(length)];
    starts.set(this.#starts);
    slots.set(this.#slots);
    this.#starts = starts;
    this.#slots = slots;
  }

  clear(): void {
    this.#starts.fill(NaN);
  }
}
