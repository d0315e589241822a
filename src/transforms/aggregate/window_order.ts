/**
 * In which order windows leave: by their end, then by `order_by`, then by start and key. That is a total order, so the output is the
 * same on every run, however input was cut and wherever a recovery began.
 */
import type { StateTable } from "../../engine/contracts.ts";
import { compareValues } from "./accumulators.ts";
import type { SlotList } from "../support/due_slots.ts";
import { aggregateValue, keyValue, type ResultParts } from "./results.ts";

/** A column of the result to order by. */
export type OrderPart =
  | { readonly column: "window_start" | "window_end" }
  | { readonly column: "by" | "aggregate"; readonly index: number };

export interface GroupsView {
  readonly parts: ResultParts;
  readonly state: readonly StateTable[];
  startOf(slot: number): number;
  endOf(slot: number): number;
}
type Values = readonly unknown[] | Float64Array;

/** The slots of a list in order. Costs memory for what is in the list, a few columns of it. */
export function sortedSlots({ items, count }: SlotList, orderBy: readonly OrderPart[], view: GroupsView): Int32Array {
  const slots = items.slice(0, count);
  if (count < 2) return slots;
  const ends = Float64Array.from(slots, (slot) => view.endOf(slot));
  const keys = keyColumns(slots, view);
  const columns: Values[] = [ends, ...orderBy.map((part) => orderColumn(part, slots, ends, keys, view)), ...keys];
  const order = Int32Array.from(slots, (_, i) => i).sort((a, b) => {
    for (const column of columns) {
      const difference = compare(column[a], column[b]);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return order.map((i) => slots[i]);
}

/** The window's start and the values of `by`. */
function keyColumns(slots: Int32Array, { parts, state, startOf }: GroupsView): Values[] {
  const starts = Float64Array.from(slots, startOf);
  const by: unknown[][] = parts.by.map(() => new Array(slots.length));
  for (const [i, slot] of slots.entries()) {
    const key = state[0].keyOf(slot);
    for (const [part, { type }] of parts.by.entries()) by[part][i] = keyValue(type, key[part + 1]);
  }
  return [starts, ...by];
}

function orderColumn(part: OrderPart, slots: Int32Array, ends: Values, keys: readonly Values[], { parts, state }: GroupsView): Values {
  switch (part.column) {
    case "window_end":
      return ends;
    case "window_start":
      return keys[0];
    case "by":
      return keys[1 + part.index];
    case "aggregate":
      return Array.from(slots, (slot) => aggregateValue(parts, part.index, state, slot));
  }
}

/** Nulls, and sums that no number holds, come first. */
function compare(a: unknown, b: unknown): number {
  const [left, right] = [isValue(a), isValue(b)];
  if (left && right) return compareValues(a, b);
  return Number(left) - Number(right);
}
const isValue = (value: unknown): boolean => value !== null && typeof value !== "symbol";
