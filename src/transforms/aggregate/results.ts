/** Groups as result rows. Invariant: a row with a value that no exact number holds is told, never rounded. */
import { columnOf } from "../../data/columns.ts";
import type { Batch, Column } from "../../data/batch.ts";
import { select } from "../../data/columns.ts";
import type { Field, Type } from "../../data/types.ts";
import type { KeyPart, Output, StateTable } from "../../engine/contracts.ts";
import { type Accumulator, BEYOND_NUMBERS } from "./accumulators.ts";
import { type Occurrence, ValueCounts } from "./value_counts.ts";

/** How a group's row is made. */
export interface ResultParts {
  /** Fields of the `by` values. */
  readonly by: readonly Field[];
  readonly fields: readonly Field[];
  readonly aggregates: readonly (Accumulator | ValueCounts)[];
}
/** The columns of `by` and of the aggregates, and the reason of each row with a value beyond numbers. */
export interface ResultColumns {
  readonly columns: readonly Column[];
  readonly beyond: ReadonlyMap<number, string>;
}

/** The aggregates that keep a table beside the groups', in the order of their tables. */
export function valueCounts(aggregates: ResultParts["aggregates"]): ValueCounts[] {
  return aggregates.filter((aggregate) => aggregate instanceof ValueCounts && aggregate.keeps) as ValueCounts[];
}

/** One aggregate's value; BEYOND_NUMBERS where no number holds it. A slot below 0 is a group without rows. */
export function aggregateValue(parts: ResultParts, index: number, state: readonly StateTable[], slot: number): unknown {
  const aggregate = parts.aggregates[index];
  return aggregate instanceof ValueCounts ? aggregate.result(countedIn(aggregate, state, slot)) : aggregate.result(state[0], slot);
}

const countedIn = (counts: ValueCounts, state: readonly StateTable[], slot: number): readonly Occurrence[] =>
  counts.occurrences(state[0], slot, state[counts.table]);

/** A key part as the value of its type. */
export function keyValue(type: Type, part: KeyPart): unknown {
  return type.kind === "bool" && part !== null ? part === 1 : part;
}

/** The rows of some groups. `keyFrom`: at which part of the key the `by` values begin. */
export function resultColumns(parts: ResultParts, state: readonly StateTable[], slots: readonly number[], keyFrom: number): ResultColumns {
  const { by, fields, aggregates } = parts;
  const keys: unknown[][] = by.map(() => []);
  const values: unknown[][] = fields.map(() => []);
  const beyond = new Map<number, string>();
  /** Of one group, by table. */
  const counted: (readonly Occurrence[])[] = [];
  for (const [row, slot] of slots.entries()) {
    if (by.length > 0) {
      const key = state[0].keyOf(slot);
      for (const [part, { type }] of by.entries()) keys[part].push(keyValue(type, key[keyFrom + part]));
    }
    counted.length = 0;
    for (const [index, aggregate] of aggregates.entries()) {
      const value = aggregate instanceof ValueCounts
        ? aggregate.result(counted[aggregate.table] ??= countedIn(aggregate, state, slot))
        : aggregate.result(state[0], slot);
      if (value === BEYOND_NUMBERS) beyond.set(row, `range:${fields[index].name}`);
      values[index].push(value === BEYOND_NUMBERS ? null : value);
    }
  }
  const columns = [
    ...by.map((field, part) => columnOf(field.type, keys[part])),
    ...fields.map((field, index) => columnOf(field.type, values[index])),
  ];
  return { columns, beyond };
}

/** Hands on the rows whose values are numbers; the others are refused. */
export function emitResults(batch: Batch, beyond: ReadonlyMap<number, string>, out: Output): void {
  if (beyond.size === 0) return out.emit("out", batch);
  const fine = new Int32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) {
    const reason = beyond.get(row);
    if (reason === undefined) fine[count++] = row;
    else out.reject(batch, row, reason);
  }
  if (count > 0) out.emit("out", select(batch, fine, count));
}
