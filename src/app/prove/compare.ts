/**
 * Whether a sink holds what it should. Invariant: rows are compared as multisets in the columns that two undisturbed runs agree on;
 * their order only where those runs agree on it too. So whatever differs comes from the kills.
 */
import type { Delivered } from "../../component/component.ts";
import { EXAMPLES_MAX } from "./limits.ts";

/** What two undisturbed runs say about a sink. */
export interface Expectation {
  /** Of the one that had all its input in one epoch, without the columns left out. */
  readonly delivered: Delivered;
  /** Columns whose values differed: times of processing above all. */
  readonly leftOut: readonly string[];
  /** Why the sink cannot be judged; "" where it can. */
  readonly problem: string;
}

/** The verdict on one sink. Row counts; `unexpected` are rows that are not in the expectation at all. */
export interface SinkVerdict {
  readonly pipeline: string;
  readonly sink: string;
  readonly expected: number;
  readonly found: number;
  readonly lost: number;
  readonly doubled: number;
  readonly unexpected: number;
  readonly reordered: number;
  /** Rows of each kind as people read them. */
  readonly examples: readonly string[];
}

export function expect(first: Delivered, second: Delivered): Expectation {
  const leftOut = first.columns.filter((column) => valuesOf(first, column) !== valuesOf(second, column));
  const delivered = without(first, leftOut);
  const other = without(second, leftOut);
  const all = first.columns.length > 0 && leftOut.length === first.columns.length;
  const [given, again] = [rowTexts(delivered), rowTexts(other)];
  const problem = first.rows.length !== second.rows.length || all || !isEmpty(differenceOf(given, again))
    ? `two undisturbed runs differ: ${first.rows.length} rows and ${second.rows.length}`
    : "";
  const isOrdered = problem === "" && reorderedRows(delivered, other) === 0;
  return { delivered: isOrdered ? delivered : { ...delivered, order: "none" }, leftOut, problem };
}

export function judge(
  place: { readonly pipeline: string; readonly sink: string },
  expectation: Expectation,
  found: Delivered,
): SinkVerdict {
  const { delivered, leftOut } = expectation;
  const seen = aligned(without(found, leftOut), delivered.columns);
  const difference = differenceOf(rowTexts(delivered), rowTexts(seen));
  const examples = [
    ...difference.lost.slice(0, EXAMPLES_MAX).map((row) => `lost: ${row}`),
    ...difference.doubled.slice(0, EXAMPLES_MAX).map((row) => `doubled: ${row}`),
    ...difference.unexpected.slice(0, EXAMPLES_MAX).map((row) => `unexpected: ${row}`),
  ];
  return {
    ...place,
    expected: delivered.rows.length,
    found: found.rows.length,
    lost: difference.lost.length,
    doubled: difference.doubled.length,
    unexpected: difference.unexpected.length,
    // Where rows are missing or too many, every row behind them would count.
    reordered: isEmpty(difference) ? reorderedRows(delivered, seen) : 0,
    examples,
  };
}

export const isExact = ({ lost, doubled, unexpected, reordered }: SinkVerdict): boolean => lost + doubled + unexpected + reordered === 0;

interface Difference {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly unexpected: readonly string[];
}
const isEmpty = ({ lost, doubled, unexpected }: Difference): boolean => lost.length + doubled.length + unexpected.length === 0;

function differenceOf(expected: readonly string[], found: readonly string[]): Difference {
  const left = new Map<string, number>();
  for (const row of expected) left.set(row, (left.get(row) ?? 0) + 1);
  const doubled: string[] = [];
  const unexpected: string[] = [];
  for (const row of found) {
    const count = left.get(row);
    if (count === undefined) unexpected.push(row);
    else if (count === 0) doubled.push(row);
    else left.set(row, count - 1);
  }
  const lost = [...left].flatMap(([row, count]) => Array.from({ length: count }, () => row));
  return { lost, doubled, unexpected };
}

/** Rows that do not stand where they should, of two deliveries of the same rows. */
function reorderedRows(expected: Delivered, found: Delivered): number {
  const { order } = expected;
  if (order === "none") return 0;
  const sequences = (delivered: Delivered): ReadonlyMap<string, readonly string[]> =>
    Map.groupBy(rowTexts(delivered), order === "all" ? () => "" : (_, index) => delivered.rows[index][order.by]);
  const seen = sequences(found);
  let count = 0;
  for (const [key, rows] of sequences(expected)) {
    // A record without a key has no order to keep.
    if (order !== "all" && key === "") continue;
    const others = seen.get(key) ?? [];
    count += rows.filter((row, index) => row !== others[index]).length;
  }
  return count;
}

const rowTexts = ({ rows }: Delivered): readonly string[] => rows.map((row) => JSON.stringify(row));

function valuesOf(delivered: Delivered, column: string): string {
  const at = delivered.columns.indexOf(column);
  return JSON.stringify(at < 0 ? null : delivered.rows.map((row) => row[at]).sort());
}

function without(delivered: Delivered, leftOut: readonly string[]): Delivered {
  if (leftOut.length === 0) return delivered;
  const kept = delivered.columns.flatMap((column, index) => leftOut.includes(column) ? [] : [index]);
  const { order } = delivered;
  return {
    columns: kept.map((index) => delivered.columns[index]),
    rows: delivered.rows.map((row) => kept.map((index) => row[index])),
    order: typeof order === "string" ? order : kept.includes(order.by) ? { by: kept.indexOf(order.by) } : "none",
  };
}

/** With the columns in that order; one that is not there is empty, one too many makes every row another one. */
function aligned(delivered: Delivered, columns: readonly string[]): Delivered {
  const more = delivered.columns.filter((column) => !columns.includes(column));
  const at = [...columns, ...more].map((column) => delivered.columns.indexOf(column));
  return { columns: [...columns, ...more], rows: delivered.rows.map((row) => at.map((index) => row[index] ?? "")), order: delivered.order };
}
