/**
 * Windows in two phases: each lane folds its own rows and gives its groups out as they stand (partial results), and one lane per key adds
 * them up. Invariant: adding up the partial results of some rows gives what folding the rows would have given.
 *
 *   partial := window_start  window_end  by...  "@0" "@1" ...  partial     a field per state column of each aggregate
 *
 * A wide sum is two fields, its halves; the values of count_distinct, counts and mode are one: a list of [value, how often].
 */
import { columnOf } from "../../data/columns.ts";
import type { Batch, Column } from "../../data/batch.ts";
import { assert } from "../../data/fault.ts";
import { DOUBLE, type Field, type RecordType, STRING, withNull } from "../../data/types.ts";
import type { KeyPart, StateTable } from "../../engine/contracts.ts";
import type { Loop } from "../support/loop_builder.ts";
import type { Accumulator, StateColumns } from "./accumulators.ts";
import type { ResultColumns, ResultParts } from "./results.ts";
import { ValueCounts } from "./value_counts.ts";
import type { WindowWork } from "./window_operator.ts";

/** One field of a partial result, and the state that it is made of. */
interface PartialField {
  readonly field: Field;
  readonly aggregate: Accumulator | ValueCounts;
  /** The state column; null for the values of a ValueCounts. */
  readonly column: Accumulator["columns"][number] | null;
  readonly half: "hi" | "lo" | null;
}

function partialFields({ aggregates }: ResultParts): readonly PartialField[] {
  const made = aggregates.flatMap((aggregate): Omit<PartialField, "field">[] => {
    // Functions of the same values share them: the one that keeps them gives them out.
    if (aggregate instanceof ValueCounts) return aggregate.keeps ? [{ aggregate, column: null, half: null }] : [];
    return aggregate.columns.flatMap((column) =>
      (column.kind === "wide" ? ["hi", "lo"] as const : [null]).map((half) => ({ aggregate, column, half }))
    );
  });
  return made.map((one, index) => ({ ...one, field: { name: `@${index}`, type: typeOf(one.column?.kind ?? "value") } }));
}

function typeOf(kind: Accumulator["columns"][number]["kind"]): Field["type"] {
  switch (kind) {
    case "text":
      return withNull(STRING);
    case "value":
      return { kind: "json", nullable: true };
    default:
      return withNull(DOUBLE);
  }
}

/** The shape of partial results: `around` are the window's columns before and behind. */
export function partialType(
  parts: ResultParts,
  around: { readonly before: readonly Field[]; readonly behind: readonly Field[] },
): RecordType {
  return { fields: [...around.before, ...parts.by, ...partialFields(parts).map(({ field }) => field), ...around.behind] };
}

/** The columns of `by` and of the state of some groups. */
export function partialColumns(parts: ResultParts, state: readonly StateTable[], slots: readonly number[]): ResultColumns {
  const [groups] = state;
  const keys = parts.by.map(({ type }, part) => {
    const values = slots.map((slot) => groups.keyOf(slot)[1 + part]);
    return columnOf(type, type.kind === "bool" ? values.map((value) => value === null ? null : value === 1) : values);
  });
  const columns = partialFields(parts).map(({ field, aggregate, column, half }): Column => {
    const values = slots.map((slot) => {
      if (column === null) return listOf(aggregate as ValueCounts, state, slot);
      return stateValue(groups, slot, column, half);
    });
    return columnOf(field.type, values);
  });
  return { columns: [...keys, ...columns], beyond: new Map() };
}

function stateValue(groups: StateTable, slot: number, { name, kind }: Accumulator["columns"][number], half: PartialField["half"]): unknown {
  if (kind === "text") return groups.text(name).values[slot];
  if (kind === "value") return groups.value(name).values[slot] ?? null;
  if (kind === "wide") return groups.wide(name)[half!][slot];
  const { values, valid } = groups.number(name);
  return valid[slot] === 0 ? null : values[slot];
}

function listOf(counts: ValueCounts, state: readonly StateTable[], slot: number): unknown {
  return counts.list(state[0], slot, state[counts.table]);
}

/** Adds partial results to the groups of their window and key; what comes behind its window's end leaves in `work.others`. */
export function mergeLoop(parts: ResultParts): Loop {
  const fields = partialFields(parts);
  const firstBy = 2;
  const firstState = firstBy + parts.by.length;
  return (batch, _out, anyWork, state) => {
    const work = anyWork as WindowWork;
    const [groups] = state;
    const [starts, ends] = [numbers(batch, 0), numbers(batch, 1)];
    const keys = parts.by.map((_, part) => keyParts(batch.columns[firstBy + part]));
    const theirs = new PartialColumns(fields, batch, firstState);
    const { watermark } = batch.meta;
    for (let row = 0; row < batch.rows; row++) {
      if ((watermark === null ? work.mark : watermark[row]) >= ends[row]) {
        work.others[work.otherCount++] = row;
        continue;
      }
      const before = groups.live;
      const slot = insert(groups, starts[row], keys, row);
      if (groups.live !== before) work.windows.opened(slot, ends[row]);
      for (const aggregate of parts.aggregates) {
        if (!(aggregate instanceof ValueCounts)) aggregate.absorb(groups, slot, theirs, row);
        else if (aggregate.keeps) aggregate.addList(groups, slot, state[aggregate.table], theirs.list(aggregate, row));
      }
      groups.touch(slot);
      work.count++;
    }
  };
}

type Keys = (row: number) => KeyPart;

/** Keys have at most three parts beside the window's start. */
function insert(groups: StateTable, start: number, keys: readonly Keys[], row: number): number {
  switch (keys.length) {
    case 0:
      return groups.insert(start);
    case 1:
      return groups.insert(start, keys[0](row));
    case 2:
      return groups.insert(start, keys[0](row), keys[1](row));
    default:
      return groups.insert(start, keys[0](row), keys[1](row), keys[2](row));
  }
}

function keyParts(column: Column | null): Keys {
  assert(column !== null && column.kind !== "value", "keys are numbers and texts");
  if (column.kind === "text") return (row) => column.at(row);
  const { values, valid } = column;
  return (row) => valid !== null && valid[row] === 0 ? null : values[row];
}

function numbers(batch: Batch, index: number): Float64Array {
  const column = batch.columns[index];
  assert(column?.kind === "number", "a window's bounds are numbers");
  return column.values;
}

/** The state in a batch of partial results as if it were that of groups, a row being a slot. */
class PartialColumns implements StateColumns {
  readonly #numbers = new Map<string, { values: Float64Array; valid: Uint8Array }>();
  readonly #texts = new Map<string, { values: (string | null)[] }>();
  readonly #values = new Map<string, { values: unknown[] }>();
  readonly #wide = new Map<string, { hi: Float64Array; lo: Float64Array }>();
  readonly #lists = new Map<ValueCounts, readonly unknown[]>();

  constructor(fields: readonly PartialField[], batch: Batch, from: number) {
    fields.forEach(({ aggregate, column: state, half }, index) => {
      const column = batch.columns[from + index];
      assert(column !== null, "all of a partial result is read");
      if (state === null) this.#lists.set(aggregate as ValueCounts, valuesOf(column));
      else if (state.kind === "text") this.#texts.set(state.name, { values: textsOf(column, batch.rows) });
      else if (state.kind === "value") this.#values.set(state.name, { values: valuesOf(column) as unknown[] });
      else if (state.kind === "number") this.#numbers.set(state.name, numbersOf(column, batch.rows));
      else {
        const wide = this.#wide.get(state.name) ?? { hi: NONE, lo: NONE };
        this.#wide.set(state.name, { ...wide, [half!]: numbersOf(column, batch.rows).values });
      }
    });
  }

  number = (name: string) => this.#numbers.get(name)!;
  text = (name: string) => this.#texts.get(name)!;
  value = (name: string) => this.#values.get(name)!;
  wide = (name: string) => this.#wide.get(name)!;

  /** What a ValueCounts gave out as its list. */
  list(counts: ValueCounts, row: number): unknown {
    return this.#lists.get(counts)![row];
  }
}

const NONE = new Float64Array(0);

/** Zero where there is none, as state has it. */
function numbersOf(column: Column, rows: number): { values: Float64Array; valid: Uint8Array } {
  assert(column.kind === "number", "numbers come as numbers");
  const { values, valid } = column;
  if (valid === null) return { values, valid: new Uint8Array(rows).fill(1) };
  return { values: values.map((value, row) => valid[row] === 0 ? 0 : value), valid };
}

function textsOf(column: Column, rows: number): (string | null)[] {
  assert(column.kind === "text", "texts come as texts");
  return Array.from({ length: rows }, (_, row) => column.at(row));
}

function valuesOf(column: Column): readonly unknown[] {
  assert(column.kind === "value", "other values come as they are");
  return column.values;
}
