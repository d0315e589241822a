/**
 * Folds rows into groups of a window and a key, and gives a group out when the watermark has passed its window's end. Invariant: what
 * leaves, and in which order, follows from the state and the watermark alone: a recovery goes on exactly where the epoch before ended.
 */
import type { Batch, Column } from "../../data/batch.ts";
import { makeMeta, numberColumn } from "../../data/columns.ts";
import type { RecordType } from "../../data/types.ts";
import type { Operator, OperatorContext, Output, StateTable, StateTableSpec } from "../../engine/contracts.ts";
import type { Loop } from "../support/loop_builder.ts";
import { newWork, pick, type Work } from "../support/work.ts";
import { DueSlots, SlotList } from "../support/due_slots.ts";
import { GroupMemo } from "./group_memo.ts";
import { emitResults, resultColumns, type ResultParts, valueCounts } from "./results.ts";
import { Sessions, WINDOW_END, WINDOW_START } from "./sessions.ts";
import { partialColumns } from "./two_phase.ts";
import { ValueCounts } from "./value_counts.ts";
import { bucketWidth, fixedSize, type Window } from "./window.ts";
import { type OrderPart, sortedSlots } from "./window_order.ts";

/** What makes a windowed aggregate's operator; one for all lanes. */
export interface WindowParts extends ResultParts {
  readonly node: string;
  /** window_start, window_end, the `by` fields, the aggregates, partial. */
  readonly type: RecordType;
  readonly window: Window;
  readonly emit: "final" | "update";
  readonly onStop: "keep" | "emit_partial";
  readonly orderBy: readonly OrderPart[];
  /** The key begins with the window's start, or the session's number. */
  readonly groups: StateTableSpec;
  /** Sessions alone: see sessions.ts. */
  readonly chains: StateTableSpec | null;
  readonly loop: Loop;
  /** The first of two phases gives out groups as they stand, the second adds them up: see two_phase.ts. */
  readonly phase?: "partial" | "merge";
}
/** What the loop works with, beside rows and counts. */
export interface WindowWork extends Work {
  memo: GroupMemo;
  windows: { opened(slot: number, endMicros: number): void; changed(slot: number): void; place: Sessions["place"] };
  mark: number;
}
/** In the groups' table of "update": 1 where a group is not as it was last told. */
export const CHANGED = { name: "changed", kind: "number" } as const;

export class WindowOperator implements Operator {
  readonly #parts: WindowParts;
  readonly #lane: number;
  /** The groups, then the tables of those aggregates that keep one. */
  readonly #state: readonly StateTable[];
  readonly #sessions: Sessions | null;
  readonly #due: DueSlots;
  readonly #work: WindowWork;
  #watermark = -Infinity;
  #stopping = false;
  /** Groups whose window has closed, those that changed in this epoch, and those that are to be told. */
  #closed = new SlotList();
  #changed = new SlotList();
  #toTell = new SlotList();
  /** What `drain` gives out, in order, and how far it has come; null when it has to be made. */
  #queue: Int32Array | null = new Int32Array(0);
  #queueAt = 0;
  /** Only there where something is to leave at a stop. */
  readonly stopping?: () => void;

  constructor(parts: WindowParts, { state, lane }: OperatorContext) {
    this.#parts = parts;
    this.#lane = lane;
    this.#state = [state.table(parts.groups), ...valueCounts(parts.aggregates).map((counts) => state.table(counts.spec))];
    this.#due = new DueSlots(bucketWidth(parts.window));
    this.#sessions = this.#createSessions(parts.chains && state.table(parts.chains));
    const windows: WindowWork["windows"] = {
      opened: (slot, endMicros) => {
        const end = this.#groups.number(WINDOW_END.name);
        end.values[slot] = endMicros;
        end.valid[slot] = 1;
        this.#due.add(slot, endMicros);
      },
      changed: (slot) => this.#changed.push(slot),
      place: (time, mark, a, b, c) => this.#sessions!.place(time, mark, a, b, c),
    };
    this.#work = { ...newWork(), memo: new GroupMemo(), windows, mark: -Infinity };
    if (parts.onStop === "emit_partial") {
      this.stopping = () => {
        this.#stopping = true;
        this.#queue = null;
      };
    }
    for (let slot = 0; slot < this.#groups.size; slot++) {
      if (!this.#groups.isLive(slot)) continue;
      this.#due.add(slot, this.#endOf(slot));
      if (this.#isChanged(slot)) this.#changed.push(slot);
    }
  }

  get #groups(): StateTable {
    return this.#state[0];
  }

  process(_input: number, batch: Batch, out: Output): void {
    const work = this.#work;
    work.count = work.otherCount = work.filtered = 0;
    work.mark = this.#watermark;
    if (work.others.length < batch.rows) work.others = new Int32Array(batch.rows);
    this.#parts.loop(batch, out, work, this.#state);
    if (work.count > 0) out.count("folded", work.count);
    if (work.filtered > 0) out.count("filtered", work.filtered);
    if (work.otherCount === 0) return;
    if (this.#parts.phase !== "merge") return out.emit("late", pick(batch, work.others, work.otherCount));
    for (let i = 0; i < work.otherCount; i++) out.reject(batch, work.others[i], "late");
  }

  watermark(micros: number): void {
    this.#watermark = micros;
    const before = this.#closed.count;
    this.#due.take(micros, (slot) => this.#endOf(slot), this.#closed);
    if (this.#closed.count > before) this.#queue = null;
  }

  epochEnded(): void {
    if (this.#stopping) {
      // An epoch that was replayed may have been one of a stop; what comes now is not.
      this.#stopping = false;
      this.#queue = null;
    }
    if (this.#changed.count === 0) return;
    for (let i = 0; i < this.#changed.count; i++) this.#toTell.push(this.#changed.items[i]);
    this.#changed = new SlotList();
    this.#queue = null;
  }

  backlog(): number {
    this.#queue ??= this.#makeQueue();
    return this.#queue.length - this.#queueAt;
  }

  /** Ends of sessions lie anywhere in their bucket: when all of it is due, so are they. */
  dueMicros(): number {
    return this.#due.leastMicros + (this.#sessions === null ? 0 : bucketWidth(this.#parts.window));
  }

  drain(at: number, rowsMax: number, out: Output): number {
    this.#queue ??= this.#makeQueue(); // A replay does not ask how much there is.
    const to = Math.min(this.#queue.length, this.#queueAt + rowsMax);
    const slots = [...this.#queue.subarray(this.#queueAt, to)];
    const { columns, beyond } = this.#parts.phase === "partial"
      ? partialColumns(this.#parts, this.#state, slots)
      : resultColumns(this.#parts, this.#state, slots, 1);
    const starts = Float64Array.from(slots, (slot) => this.#startOf(slot));
    const ends = Float64Array.from(slots, (slot) => this.#endOf(slot));
    const partial = Float64Array.from(ends, (end) => end > this.#watermark ? 1 : 0);
    const all: Column[] = [numberColumn(starts), numberColumn(ends), ...columns, numberColumn(partial)];
    const meta = makeMeta(this.#parts.node, this.#lane, Float64Array.from(slots, (_, row) => at + row + 1));
    // A result belongs to its window's last instant: a window around it closes later.
    const time = ends.map((end) => end - 1);
    emitResults({ rows: slots.length, type: this.#parts.type, columns: all, meta: { ...meta, time } }, beyond, out);
    for (const slot of slots) this.#settle(slot);
    this.#work.memo.clear();
    this.#queueAt = to;
    if (to === this.#queue.length) this.#forgetQueue();
    return at + slots.length;
  }

  /** A group that was given out: gone when its window is, else told. */
  #settle(slot: number): void {
    if (this.#stopping || this.#endOf(slot) <= this.#watermark) {
      if (this.#sessions) this.#sessions.remove(slot);
      else this.#remove(slot);
      return;
    }
    this.#groups.number(CHANGED.name).values[slot] = 0;
    this.#groups.touch(slot);
  }

  #remove(slot: number): void {
    for (const counts of valueCounts(this.#parts.aggregates)) counts.drop(this.#groups, slot, this.#state[counts.table]);
    this.#due.forget(slot);
    this.#groups.remove(slot);
  }

  /** Closed windows first; then, of those still open, what is to be told. */
  #makeQueue(): Int32Array {
    const groups = this.#groups;
    const leaving = new SlotList();
    const told = new SlotList();
    if (this.#stopping) { for (let slot = 0; slot < groups.size; slot++) if (groups.isLive(slot)) leaving.push(slot); }
    else {
      for (const slot of liveOnes(this.#closed, groups)) if (this.#endOf(slot) <= this.#watermark) leaving.push(slot);
      for (const slot of liveOnes(this.#toTell, groups)) if (this.#endOf(slot) > this.#watermark && this.#isChanged(slot)) told.push(slot);
    }
    this.#closed = leaving;
    this.#toTell = told;
    this.#queueAt = 0;
    if (leaving.count + told.count === 0) return new Int32Array(0);
    const view = {
      startOf: (slot: number) => this.#startOf(slot),
      endOf: (slot: number) => this.#endOf(slot),
      parts: this.#parts,
      state: this.#state,
    };
    const queue = new Int32Array(leaving.count + told.count);
    queue.set(sortedSlots(leaving, this.#parts.orderBy, view));
    queue.set(sortedSlots(told, this.#parts.orderBy, view), leaving.count);
    return queue;
  }

  /** What was told may change again in this epoch, and is then told behind it. */
  #forgetQueue(): void {
    this.#closed = new SlotList();
    this.#toTell = new SlotList();
    this.#queue = new Int32Array(0);
    this.#queueAt = 0;
  }

  #isChanged(slot: number): boolean {
    return this.#parts.emit === "update" && this.#groups.number(CHANGED.name).values[slot] === 1;
  }

  #startOf(slot: number): number {
    const size = fixedSize(this.#parts.window);
    return size === null ? this.#groups.number(WINDOW_START.name).values[slot] : this.#endOf(slot) - size;
  }
  #endOf(slot: number): number {
    return this.#groups.number(WINDOW_END.name).values[slot];
  }

  #createSessions(chains: StateTable | null): Sessions | null {
    const { window, aggregates } = this.#parts;
    if (chains === null || window.type !== "session") return null;
    const state = this.#state;
    const [groups] = state;
    return new Sessions({
      groups,
      chains,
      due: this.#due,
      gapMicros: window.gapMicros,
      mostMicros: window.mostMicros,
      absorb: (into, from) => {
        for (const aggregate of aggregates) {
          if (!(aggregate instanceof ValueCounts)) aggregate.absorb(groups, into, groups, from);
          else if (aggregate.keeps) {
            const place = { groups, table: state[aggregate.table] };
            aggregate.absorb(place, into, place, from);
          }
        }
        groups.touch(into);
      },
      remove: (slot) => this.#remove(slot),
    });
  }
}

/** Each slot of the list that still holds a row, once. */
function liveOnes({ items, count }: SlotList, groups: StateTable): Set<number> {
  const live = new Set<number>();
  for (let i = 0; i < count; i++) if (groups.isLive(items[i])) live.add(items[i]);
  return live;
}
