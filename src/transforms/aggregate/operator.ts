/** Folds rows into groups and gives the groups out, in order of first appearance, when the input has ended. */
import type { Batch, Column } from "../../data/batch.ts";
import { columnOf, makeMeta, select } from "../../data/columns.ts";
import { assert, MillraceError } from "../../data/fault.ts";
import type { RecordType, Type } from "../../data/types.ts";
import type { KeyPart, Operator, OperatorContext, Output, StateTable, StateTableSpec } from "../../engine/contracts.ts";
import type { Loop } from "../support/loop_builder.ts";
import { newWork, type Work } from "../support/work.ts";
import { type Accumulator, BEYOND_NUMBERS } from "./accumulators.ts";
import { ValueCounts } from "./value_counts.ts";

/** What makes an aggregate's operator; one for all lanes. */
export interface AggregateParts {
  readonly node: string;
  /** The `by` fields, then the aggregates. */
  readonly type: RecordType;
  /** Types of the `by` values; empty: one group, there from the beginning. */
  readonly by: readonly Type[];
  readonly aggregates: readonly (Accumulator | ValueCounts)[];
  readonly groups: StateTableSpec;
  /** state[0] are the groups, then the tables of those aggregates that have one. */
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
    this.#state = [state.table(parts.groups), ...valueCounts(parts).map((counts) => state.table(counts.spec))];
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
    this.#loop(batch, out, work);
    for (const counts of valueCounts(this.#parts)) counts.changed();
    if (work.count > 0) out.count("folded", work.count);
    if (work.filtered > 0) out.count("filtered", work.filtered);
  }
  #loop(batch: Batch, out: Output, work: Work): void {
    this.#parts.loop(batch, out, work, this.#state);
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
    const fine = new Int32Array(batch.rows);
    let count = 0;
    for (let row = 0; row < batch.rows; row++) {
      const reason = beyond.get(row);
      if (reason === undefined) fine[count++] = row;
      else out.reject(batch, row, reason);
    }
    if (count > 0) out.emit("out", count === batch.rows ? batch : select(batch, fine, count));
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
    const groupOf = new Int32Array(other.#groups.size);
    for (let from = 0; from < groupOf.length; from++) {
      const slot = this.#groups.insert(...(other.#groups.keyOf(from) as [KeyPart, KeyPart?, KeyPart?, KeyPart?]));
      groupOf[from] = slot;
      for (const aggregate of this.#parts.aggregates) {
        if (!(aggregate instanceof ValueCounts)) aggregate.absorb(this.#groups, slot, other.#groups, from);
      }
      this.#groups.touch(slot);
    }
    valueCounts(this.#parts).forEach((counts, index) => counts.absorb(this.#state[index + 1], other.#state[index + 1], groupOf));
  }

  /** Groups [from, to) as rows; `beyond` gives the reason of each row with a value that no number holds. */
  #rows(from: number, to: number): { readonly batch: Batch; readonly beyond: ReadonlyMap<number, string> } {
    const { node, type, by, aggregates } = this.#parts;
    const values: unknown[][] = type.fields.map(() => []);
    const beyond = new Map<number, string>();
    const tables = this.#state.slice(1);
    for (let group = from; group < to; group++) {
      const slot = group < this.#groups.size ? group : -1;
      const key = by.length === 0 ? [] : this.#groups.keyOf(slot);
      by.forEach((keyType, part) => values[part].push(keyType.kind === "bool" && key[part] !== null ? key[part] === 1 : key[part]));
      let table = 0;
      aggregates.forEach((aggregate, index) => {
        const value = aggregate instanceof ValueCounts ? aggregate.result(tables[table++], slot) : aggregate.result(this.#groups, slot);
        const name = type.fields[by.length + index].name;
        if (value === BEYOND_NUMBERS) beyond.set(group - from, `range:${name}`);
        values[by.length + index].push(value === BEYOND_NUMBERS ? null : value);
      });
    }
    const columns: Column[] = type.fields.map((field, index) => columnOf(field.type, values[index]));
    const position = Float64Array.from({ length: to - from }, (_, row) => from + row + 1);
    return { batch: { rows: to - from, type, columns, meta: makeMeta(node, this.#lane, position) }, beyond };
  }
}

function valueCounts({ aggregates }: AggregateParts): ValueCounts[] {
  return aggregates.filter((aggregate) => aggregate instanceof ValueCounts);
}
