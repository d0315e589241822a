/**
 * Records that wait for rows. They lie in state, numbered in their order of arrival; of one key of the operator only the oldest can
 * become due, so that records of a key keep their order. Invariant: which records are due follows from the state, the tables, the
 * recorded time and whether the input has ended, and from nothing else; so a lane that was recovered gives them out as it would have.
 */
import type { Batch } from "../../data/batch.ts";
import { detach } from "../../data/columns.ts";
import { assert } from "../../data/fault.ts";
import type { RecordType } from "../../data/types.ts";
import type { KeyPart, StateStore, StateTable } from "../../engine/contracts.ts";
import { StoredBatches, storedColumns } from "../support/stored_batches.ts";
import { HELD_RECORDS_MAX } from "./limits.ts";
import { MinHeap } from "./min_heap.ts";
import type { Probe, ProbeAnswers } from "./probe.ts";
import { WantedKeys } from "./wanted_keys.ts";

interface Held {
  readonly slot: number;
  readonly own: KeyPart;
  readonly arrivedMicros: number;
  /** What the oldest of a key waits for; null: nothing, or it is not the oldest. */
  wanted: { readonly lookup: number; readonly key: number | string } | null;
  isDue: boolean;
}
/** Numbers of records with one key, the oldest first. */
interface Queue {
  readonly items: number[];
  first: number;
}

export class HeldRecords {
  readonly #state: StateTable;
  readonly #rows: StoredBatches;
  readonly #probe: Probe;
  /** By look-up: how long it is waited for, 0 where it is not. */
  readonly #waitMicros: readonly number[];
  readonly #wanted: WantedKeys;
  /** In the order of their numbers. */
  readonly #held = new Map<number, Held>();
  readonly #queues = new Map<KeyPart, Queue>();
  readonly #due = new MinHeap();
  /** Recorded times at which somebody may have waited long enough. */
  readonly #deadlines = new Map<number, Set<number>>();
  readonly #deadlineHeap = new MinHeap();
  #next = 0;
  #nowMicros = -Infinity;
  #hasEnded = false;

  readonly #isKeyed: boolean;

  constructor(
    type: RecordType,
    state: StateStore,
    probe: Probe,
    { waitMicros, isKeyed }: { readonly waitMicros: readonly number[]; readonly isKeyed: boolean },
  ) {
    const columns = [{ name: "arrived", kind: "number" }, { name: "met", kind: "number" }, ...storedColumns(type)] as const;
    this.#state = state.table({ name: "waiting", key: ["number"], columns, version: 1 });
    this.#rows = new StoredBatches(this.#state, type);
    this.#probe = probe;
    this.#waitMicros = waitMicros;
    this.#isKeyed = isKeyed;
    this.#wanted = new WantedKeys(waitMicros.length);
  }

  /** From the state, once it is there. */
  restore(): void {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#state.size; slot++) if (this.#state.isLive(slot)) slots.push(slot);
    const numberOf = (slot: number): number => this.#state.keyOf(slot)[0] as number;
    slots.sort((a, b) => numberOf(a) - numberOf(b));
    const arrived = this.#state.number("arrived").values;
    let at = 0;
    for (const batch of this.#rows.load(Int32Array.from(slots))) {
      const answers = this.#probe.askAgain(batch);
      for (let row = 0; row < batch.rows; row++, at++) {
        const number = numberOf(slots[at]);
        this.#next = number + 1;
        this.#enqueue(
          number,
          { slot: slots[at], own: this.#ownKey(answers, row, number), arrivedMicros: arrived[slots[at]] },
          answers,
          row,
        );
      }
    }
    this.#giveUpOldest();
  }

  get size(): number {
    return this.#held.size;
  }
  get due(): number {
    return this.#due.size;
  }
  /** Whether records of the operator's key wait: those that come later wait behind them. */
  hasQueue(own: KeyPart): boolean {
    return this.#queues.has(own);
  }
  /** The recorded time at which the next one may have waited long enough. */
  get dueAtMicros(): number {
    return this.#deadlineHeap.least;
  }
  /** How far the watermark had come when the oldest came in. */
  get metMicros(): number {
    for (const { slot } of this.#held.values()) return this.#state.number("met").values[slot];
    return Infinity;
  }

  /** Takes records in. `answers` are those of the batch that they were rows of, at `rows`. */
  hold(batch: Batch, answers: ProbeAnswers, rows: Int32Array, watermarkMicros: number): void {
    const slots = new Int32Array(batch.rows);
    const [arrived, met] = [this.#state.number("arrived"), this.#state.number("met")];
    const first = this.#next;
    for (let row = 0; row < batch.rows; row++) {
      const number = this.#next++;
      const slot = slots[row] = this.#state.insert(number);
      arrived.values[slot] = this.#nowMicros;
      met.values[slot] = batch.meta.watermark?.[row] ?? watermarkMicros;
      arrived.valid[slot] = met.valid[slot] = 1;
    }
    this.#rows.store(batch, slots);
    for (let row = 0; row < batch.rows; row++) {
      const number = first + row;
      const own = this.#ownKey(answers, rows[row], number);
      this.#enqueue(number, { slot: slots[row], own, arrivedMicros: this.#nowMicros }, answers, rows[row]);
    }
    this.#giveUpOldest();
  }

  /** An epoch of that recorded time has begun. */
  clock(micros: number): void {
    this.#nowMicros = micros;
    while (this.#deadlineHeap.least <= micros) {
      const deadline = this.#deadlineHeap.pop();
      const numbers = this.#deadlines.get(deadline)!;
      this.#deadlines.delete(deadline);
      for (const number of numbers) if (this.#held.get(number)?.wanted) this.#lookAt(number);
    }
  }

  /** Rows with that key have come, where there were none. */
  arrived(lookup: number, key: number | string): void {
    for (const number of this.#wanted.of(lookup, key)) this.#lookAt(number);
  }

  /** Nothing comes any more: all go on as they are. */
  ended(): void {
    this.#hasEnded = true;
    for (const { items, first } of this.#queues.values()) this.#letGo(items[first]);
  }

  /** Takes at most so many records out, the oldest of those that are due first. */
  take(rowsMax: number): readonly Batch[] {
    const slots: number[] = [];
    while (slots.length < rowsMax && this.#due.size > 0) {
      const number = this.#due.pop();
      const { slot, own } = this.#held.get(number)!;
      slots.push(slot);
      this.#held.delete(number);
      const queue = this.#queues.get(own)!;
      if (++queue.first === queue.items.length) this.#queues.delete(own);
      else this.#lookAt(queue.items[queue.first]);
      this.#giveUpOldest();
    }
    const batches = [...this.#rows.load(Int32Array.from(slots))];
    for (const slot of slots) this.#state.remove(slot);
    return batches;
  }

  /** What a record has its order by; where the operator has no key, each is by itself. */
  #ownKey({ own }: ProbeAnswers, row: number, number: number): KeyPart {
    return this.#isKeyed ? ownText(own[row]) : number;
  }

  #enqueue(number: number, one: Pick<Held, "slot" | "own" | "arrivedMicros">, answers: ProbeAnswers, row: number): void {
    this.#held.set(number, { ...one, wanted: null, isDue: false });
    const queue = this.#queues.get(one.own);
    if (queue) return void queue.items.push(number);
    this.#queues.set(one.own, { items: [number], first: 0 });
    this.#judge(number, answers, row);
  }

  /** Looks again what the oldest of a key waits for. */
  #lookAt(number: number): void {
    const [batch] = this.#rows.load(Int32Array.of(this.#held.get(number)!.slot));
    this.#judge(number, this.#probe.askAgain(batch), 0);
  }

  #judge(number: number, { missing, keys }: ProbeAnswers, row: number): void {
    const held = this.#held.get(number)!;
    if (held.isDue) return;
    this.#forgetWanted(number, held);
    let deadline = Infinity;
    for (const [lookup, waitMicros] of this.#waitMicros.entries()) {
      if ((missing[row] & (1 << lookup)) === 0 || this.#nowMicros >= held.arrivedMicros + waitMicros) continue;
      held.wanted ??= { lookup, key: ownText(keys[lookup][row]) };
      deadline = Math.min(deadline, held.arrivedMicros + waitMicros);
    }
    if (held.wanted === null || this.#hasEnded) return this.#letGo(number);
    this.#wanted.want(held.wanted.lookup, held.wanted.key, number);
    const others = this.#deadlines.get(deadline);
    if (others) return void others.add(number);
    this.#deadlines.set(deadline, new Set([number]));
    this.#deadlineHeap.push(deadline);
  }

  #letGo(number: number): void {
    const held = this.#held.get(number);
    assert(held, "what goes on is held");
    if (held.isDue) return;
    this.#forgetWanted(number, held);
    held.isDue = true;
    this.#due.push(number);
  }

  #forgetWanted(number: number, held: Held): void {
    if (held.wanted) this.#wanted.forget(held.wanted.lookup, held.wanted.key, number);
    held.wanted = null;
  }

  /** Where too many wait, the oldest goes on without its rows: it is the oldest of its key too. */
  #giveUpOldest(): void {
    if (this.#held.size <= HELD_RECORDS_MAX) return;
    for (const number of this.#held.keys()) return this.#letGo(number);
  }
}

/** What is cut out of a batch's text would keep the whole batch in memory. */
const ownText = <K extends KeyPart>(key: K): K => typeof key === "string" ? detach(key) as K : key;
