/** Folds rows into groups and gives the groups out, in order of first appearance, when the input has ended. */
import type { Batch } from "../../data/batch.ts";
import { makeMeta } from "../../data/columns.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import type { RecordType } from "../../data/types.ts";
import type { KeyPart, Operator, OperatorContext, Output, StateTable, StateTableSpec } from "../../engine/contracts.ts";
import type { Loop } from "../support/loop_builder.ts";
import { newWork, type Work } from "../support/work.ts";
import { emitResults, resultColumns, type ResultParts, valueCounts } from "./results.ts";
import { ValueCounts } from "./value_counts.ts";

/** What makes an aggregate's operator; one for all lanes. */
export interface AggregateParts extends ResultParts {
  readonly node: string;
  /** The `by` fields, then the aggregates. Without `by` there is one group, there from the beginning. */
  readonly type: RecordType;
  readonly groups: StateTableSpec;
  /** state[0] are the groups, then the tables of those aggregates that keep one. */
  readonly loop: Loop;
}

export class AggregateOperator implements Operator {
  readonly #parts: AggregateParts;
  readonly #lane: number;
  readonly #state: readonly StateTable[];
  readonly #work: Work = newWork();
  #ended = false;

  constructor(parts: AggregateParts, { state, lane }: OperatorContext) {
    this.#parts = parts;
    this.#lane = lane;
    this.#state = [state.table(parts.groups), ...valueCounts(parts.aggregates).map((counts) => state.table(counts.spec))];
  }

  get #groups(): StateTable {
    return this.#state[0];
  }
  /** Without `by` there is one group even when no row came. */
  get #size(): number {
    return this.#parts.by.length === 0 ? 1 : this.#groups.size;
  }

  process(_input: number, batch: Batch, out: Output): void {
    const work = this.#work;
    work.count = work.filtered = 0;
    this.#parts.loop(batch, out, work, this.#state);
    if (work.count > 0) out.count("folded", work.count);
    if (work.filtered > 0) out.count("filtered", work.filtered);
  }

  inputEnded(): void {
    this.#ended = true;
  }

  backlog(at: number): number {
    return this.#ended ? this.#size - at : 0;
  }

  drain(at: number, rowsMax: number, out: Output): number {
    const to = Math.min(this.#size, at + rowsMax);
    const { batch, beyond } = this.#rows(at, to);
    emitResults(batch, beyond, out);
    return to;
  }

  peek(): Batch {
    const { batch, beyond } = this.#rows(0, this.#size);
    for (const reason of beyond.values()) {
      throw new MillraceError("overflow", `${this.#parts.node}: a result is beyond ±(2^53-1) (${reason})`, {
        hint: "sum fewer rows, or a field with fewer decimals",
      });
    }
    return batch;
  }

  absorb(other: Operator): void {
    assert(other instanceof AggregateOperator, "an aggregate absorbs an aggregate");
    for (let from = 0; from < other.#groups.size; from++) {
      const slot = this.#groups.insert(...(other.#groups.keyOf(from) as [KeyPart, KeyPart?, KeyPart?, KeyPart?]));
      for (const aggregate of this.#parts.aggregates) {
        if (!(aggregate instanceof ValueCounts)) aggregate.absorb(this.#groups, slot, other.#groups, from);
        else if (aggregate.keeps) {
          const [mine, theirs] = [this, other].map((one) => ({ groups: one.#groups, table: one.#state[aggregate.table] }));
          aggregate.absorb(mine, slot, theirs, from);
        }
      }
      this.#groups.touch(slot);
    }
  }

  /** Groups [from, to) as rows; `beyond` gives the reason of each row with a value that no number holds. */
  #rows(from: number, to: number): { readonly batch: Batch; readonly beyond: ReadonlyMap<number, string> } {
    const { node, type } = this.#parts;
    const slots = Array.from({ length: to - from }, (_, row) => from + row < this.#groups.size ? from + row : -1);
    const { columns, beyond } = resultColumns(this.#parts, this.#state, slots, 0);
    const position = Float64Array.from(slots, (_, row) => from + row + 1);
    return { batch: { rows: slots.length, type, columns, meta: makeMeta(node, this.#lane, position) }, beyond };
  }
}
