/**
 * Records that went on with null and come out again with the row: of each key of the operator the newest record, or each record where
 * there is no key. Invariant: a record is due when a row is there that was not when it last came out; that follows from the state and
 * the tables alone.
 */
import type { Batch } from "../../data/batch.ts";
import { detach, select } from "../../data/columns.ts";
import type { RecordType } from "../../data/types.ts";
import type { KeyPart, StateStore, StateTable } from "../../engine/contracts.ts";
import { StoredBatches, storedColumns } from "../support/stored_batches.ts";
import { PENDING_RECORDS_MAX } from "./limits.ts";
import { MinHeap } from "./min_heap.ts";
import type { Probe, ProbeAnswers } from "./probe.ts";
import { WantedKeys } from "./wanted_keys.ts";

interface Pending {
  readonly slot: number;
  /** By look-up: the key that found nothing when it last came out, and does not yet. */
  readonly keys: readonly (number | string | null)[];
  isDue: boolean;
}

/** A key of no record: the table is keyed by what the operator is keyed by, or by the records' numbers. */
export type PendingKey = "number" | "text" | null;

export class PendingRecords {
  readonly #state: StateTable;
  readonly #rows: StoredBatches;
  readonly #probe: Probe;
  /** Bits of the look-ups that are emitted again. */
  readonly #watched: number;
  readonly #isKeyed: boolean;
  readonly #wanted: WantedKeys;
  /** By number, in the order in which they last came out. */
  readonly #pending = new Map<number, Pending>();
  /** Numbers of due records; those that were forgotten since count no more. */
  readonly #due = new MinHeap();
  #dueCount = 0;
  #next = 0;

  constructor(type: RecordType, state: StateStore, probe: Probe, watched: number, key: PendingKey) {
    const columns = [{ name: "number", kind: "number" }, { name: "missing", kind: "number" }, ...storedColumns(type)] as const;
    this.#state = state.table({ name: "again", key: [key ?? "number"], columns, version: 1 });
    this.#rows = new StoredBatches(this.#state, type);
    this.#probe = probe;
    this.#watched = watched;
    this.#isKeyed = key !== null;
    this.#wanted = new WantedKeys(probe.answers.keys.length);
  }

  /** From the state, once it is there. */
  restore(): void {
    const [numbers, missing] = [this.#state.number("number").values, this.#state.number("missing").values];
    const slots: number[] = [];
    for (let slot = 0; slot < this.#state.size; slot++) if (this.#state.isLive(slot)) slots.push(slot);
    slots.sort((a, b) => numbers[a] - numbers[b]);
    let at = 0;
    for (const batch of this.#rows.load(Int32Array.from(slots))) {
      const answers = this.#probe.askAgain(batch);
      for (let row = 0; row < batch.rows; row++, at++) {
        const slot = slots[at];
        const number = numbers[slot];
        this.#next = number + 1;
        this.#remember(number, slot, missing[slot], answers, row);
        if ((missing[slot] & ~answers.missing[row]) !== 0) this.#makeDue(number);
      }
    }
  }

  get size(): number {
    return this.#pending.size;
  }
  get due(): number {
    return this.#dueCount;
  }

  /** Takes in the records at `rows` of a batch that was answered for: those that miss a row now, in the place of older ones of their key. */
  note(batch: Batch, answers: ProbeAnswers, rows: readonly number[]): void {
    const kept: number[] = [];
    const slots: number[] = [];
    for (const row of rows) {
      const missing = answers.missing[row] & this.#watched;
      if (this.#isKeyed && this.#state.live > 0) this.#forgetOf(answers.own[row]);
      if (missing === 0) continue;
      const number = this.#next++;
      const slot = this.#state.insert(this.#isKeyed ? answers.own[row] : number);
      kept.push(row);
      slots.push(slot);
      this.#write(slot, number, missing);
      this.#remember(number, slot, missing, answers, row);
    }
    if (kept.length > 0) this.#storeLast(batch, kept, slots);
    while (this.#pending.size > PENDING_RECORDS_MAX) this.#forget(this.#pending.keys().next().value!);
  }

  /** Where a later row of the batch took a slot, the earlier one's values are not written. */
  #storeLast(batch: Batch, rows: readonly number[], slots: readonly number[]): void {
    const last = new Map(slots.map((slot, i) => [slot, rows[i]]));
    const live = [...last].filter(([slot]) => this.#state.isLive(slot));
    if (live.length === 0) return;
    this.#rows.store(select(batch, Int32Array.from(live, ([, row]) => row), live.length), Int32Array.from(live, ([slot]) => slot));
  }

  /** Rows with that key have come, where there were none. */
  arrived(lookup: number, key: number | string): void {
    for (const number of this.#wanted.of(lookup, key)) this.#makeDue(number);
  }

  /** At most so many records, in the order in which they last came out. What they still miss is waited for again. */
  take(rowsMax: number): readonly Batch[] {
    const numbers: number[] = [];
    while (numbers.length < rowsMax && this.#dueCount > numbers.length) {
      const number = this.#due.pop();
      if (this.#pending.has(number)) numbers.push(number);
    }
    const slots = Int32Array.from(numbers, (number) => this.#pending.get(number)!.slot);
    const batches = [...this.#rows.load(slots)];
    let at = 0;
    for (const batch of batches) {
      const answers = this.#probe.askAgain(batch);
      for (let row = 0; row < batch.rows; row++, at++) this.#goOn(numbers[at], slots[at], answers, row);
    }
    return batches;
  }

  #goOn(number: number, slot: number, answers: ProbeAnswers, row: number): void {
    const missing = answers.missing[row] & this.#watched;
    if (missing === 0) return this.#forget(number);
    this.#drop(number);
    const next = this.#next++;
    this.#write(slot, next, missing);
    this.#remember(next, slot, missing, answers, row);
  }

  #write(slot: number, number: number, missing: number): void {
    const [numbers, bits] = [this.#state.number("number"), this.#state.number("missing")];
    numbers.values[slot] = number;
    bits.values[slot] = missing;
    numbers.valid[slot] = bits.valid[slot] = 1;
    this.#state.touch(slot);
  }

  #remember(number: number, slot: number, missing: number, answers: ProbeAnswers, row: number): void {
    const keys = answers.keys.map((of, lookup) => {
      const key = (missing & answers.missing[row] & (1 << lookup)) === 0 ? null : of[row];
      return typeof key === "string" ? detach(key) : key;
    });
    this.#pending.set(number, { slot, keys, isDue: false });
    keys.forEach((key, lookup) => key !== null && this.#wanted.want(lookup, key, number));
  }

  #makeDue(number: number): void {
    const pending = this.#pending.get(number)!;
    if (pending.isDue) return;
    pending.isDue = true;
    this.#dueCount++;
    this.#due.push(number);
  }

  #forgetOf(own: KeyPart): void {
    const slot = this.#state.find(own);
    if (slot >= 0) this.#forget(this.#state.number("number").values[slot]);
  }

  #forget(number: number): void {
    const { slot } = this.#pending.get(number)!;
    this.#drop(number);
    this.#state.remove(slot);
  }

  #drop(number: number): void {
    const { keys, isDue } = this.#pending.get(number)!;
    keys.forEach((key, lookup) => key !== null && this.#wanted.forget(lookup, key, number));
    this.#pending.delete(number);
    if (isDue) this.#dueCount--;
  }
}
