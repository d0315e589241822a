/**
 * Which keys a dedupe with `keep` still remembers. Invariant: whether a row is a repeat follows from the rows before it and the
 * watermark it met, not from when forgotten keys are taken out of the state.
 */
import type { Batch } from "../../data/batch.ts";
import type { Operator, Output, StateColumnKind, StateTable } from "../../engine/contracts.ts";
import { DueSlots, SlotList } from "../support/due_slots.ts";
import type { LoopBuilder } from "../support/loop_builder.ts";
import { RowOperator } from "../support/row_operator.ts";
import { newWork, type Work } from "../support/work.ts";
import { timesOf } from "../support/event_times.ts";

/** How long keys are remembered: for so much event time behind the row that brought it, or until so many newer ones came. */
export type Keep =
  | { readonly kind: "for"; readonly micros: number }
  | { readonly kind: "count"; readonly keys: number };

/** The column beside the key: until when it is remembered, or in which order it came. */
const COLUMN = { for: "until", count: "order" } as const;
const BUCKETS = 64;

export function keepColumns(keep: Keep): readonly { readonly name: string; readonly kind: StateColumnKind }[] {
  return [{ name: COLUMN[keep.kind], kind: "number" }];
}

interface KeepWork extends Work {
  memory: { remember(slot: number, untilMicros: number): void };
  mark: number;
}

/** Statements that find the key, by `insert`, and put the row aside as a repeat when it is remembered. */
export function keepCode(keep: Keep, insert: string, builder: LoopBuilder): { readonly before: string; readonly body: string } {
  const [live, slot] = ["live", "slot"].map((name) => builder.local(name));
  const find = `${live} = seen.live; ${slot} = ${insert};`;
  const repeat = "{ others[d++] = i; continue; }";
  if (keep.kind === "count") {
    return { before: "const memory = work.memory;", body: `${find} if (seen.live === ${live}) ${repeat} memory.remember(${slot}, 0);` };
  }
  const times = builder.readOnce("times", `${builder.unit.constant(timesOf, "timesOf")}(batch)`);
  const marks = builder.readOnce("marks", "batch.meta.watermark");
  const until = builder.hoist("until", `state[0].number(${JSON.stringify(COLUMN.for)})`);
  return {
    before: "const memory = work.memory;",
    body: `${find}
if (seen.live === ${live} && ${until}.values[${slot}] > (${marks} === null ? work.mark : ${marks}[i])) ${repeat}
memory.remember(${slot}, ${times}[i] + ${keep.micros});`,
  };
}

/** Runs a loop made with `keepCode`. */
export class RememberingOperator implements Operator {
  readonly #keep: Keep;
  readonly #seen: StateTable;
  readonly #work: KeepWork;
  readonly #rows: RowOperator;
  readonly #due: DueSlots;
  /** Slots in order of arrival, from `#oldest` on; those before are gone. */
  #arrivals = new SlotList();
  #oldest = 0;
  #order = 0;

  constructor(keep: Keep, seen: StateTable, makeRows: (work: Work) => RowOperator) {
    this.#keep = keep;
    this.#seen = seen;
    this.#due = new DueSlots(keep.kind === "for" ? Math.max(1, Math.ceil(keep.micros / BUCKETS)) : 1);
    this.#work = { ...newWork(), memory: { remember: (slot, until) => this.#remember(slot, until) }, mark: -Infinity };
    this.#rows = makeRows(this.#work);
    this.#restore();
  }

  process(input: number, batch: Batch, out: Output): void {
    this.#rows.process(input, batch, out);
  }

  watermark(micros: number): void {
    this.#work.mark = micros;
    if (this.#keep.kind === "count") return;
    const until = this.#seen.number(COLUMN.for).values;
    const due = new SlotList();
    this.#due.take(micros, (slot) => until[slot], due);
    for (let i = 0; i < due.count; i++) this.#seen.remove(due.items[i]);
  }

  #remember(slot: number, untilMicros: number): void {
    const column = this.#seen.number(COLUMN[this.#keep.kind]);
    column.valid[slot] = 1;
    this.#seen.touch(slot);
    if (this.#keep.kind === "for") {
      column.values[slot] = untilMicros;
      this.#due.add(slot, untilMicros);
      return;
    }
    column.values[slot] = ++this.#order;
    this.#arrivals.push(slot);
    if (this.#seen.live > this.#keep.keys) this.#seen.remove(this.#arrivals.items[this.#oldest++]);
    if (this.#oldest > this.#keep.keys) this.#dropGone();
  }

  #dropGone(): void {
    const { items, count } = this.#arrivals;
    items.copyWithin(0, this.#oldest, count);
    this.#arrivals.count = count - this.#oldest;
    this.#oldest = 0;
  }

  #restore(): void {
    const { values } = this.#seen.number(COLUMN[this.#keep.kind]);
    const slots: number[] = [];
    for (let slot = 0; slot < this.#seen.size; slot++) if (this.#seen.isLive(slot)) slots.push(slot);
    if (this.#keep.kind === "for") {
      for (const slot of slots) this.#due.add(slot, values[slot]);
      return;
    }
    for (const slot of slots.sort((a, b) => values[a] - values[b])) this.#arrivals.push(slot);
    this.#order = slots.length === 0 ? 0 : values[slots.at(-1)!];
  }
}
