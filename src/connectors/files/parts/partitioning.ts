/**
 * Rows of an open epoch by partition. Invariant: partitions come in the order of their first row, and the rows of each in the
 * order of their arrival, however batches were cut.
 */
import type { Batch } from "../../../data/batch.ts";
import { formatDecimal } from "../../../data/decimal.ts";
import { dateText } from "../../../data/time_text.ts";
import type { Type } from "../../../data/types.ts";
import { PARTITIONS_KEPT_MAX } from "../../limits.ts";
import type { RowExpression, RowFunction } from "../../row_expressions.ts";
import type { BlockBuilder, RowFormat } from "./contracts.ts";
import type { NewSection } from "./journal.ts";
import { partitionPath } from "./partition_path.ts";
import { formatMicros } from "./times.ts";

const ROWS_AT_FIRST = 16;

/** The folder's name of each level with what gives its value. */
export type Partitioning = readonly { readonly name: string; readonly value: RowExpression }[];

/** Whether folders may be named after values of the type: those that have one plain text. */
export const isPartitionable = ({ kind }: Type): boolean =>
  kind === "string" || kind === "int" || kind === "bool" || kind === "date" || kind === "decimal" || kind === "timestamp";

interface Leaf {
  readonly partition: string;
  readonly builder: BlockBuilder;
  /** Rows of the current batch. */
  rows: Int32Array;
  count: number;
  /** Whether it has rows of the open epoch. */
  isUsed: boolean;
}
type Branch = Map<unknown, Branch | Leaf>;

export class PartitionedRows {
  #root: Branch | Leaf;
  /** Values that differ may have one folder: null and "". */
  readonly #leaves = new Map<string, Leaf>();
  /** With rows of the open epoch, in the order of the first. */
  readonly #used: Leaf[] = [];
  /** With rows of the current batch. */
  readonly #touched: Leaf[] = [];
  readonly #values: unknown[];
  #bytes = 0;

  constructor(private readonly format: RowFormat, private readonly partitioning: Partitioning) {
    this.#root = this.#newTree();
    this.#values = partitioning.map(() => undefined);
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(batch: Batch): void {
    if (batch.rows === 0) return;
    if (this.partitioning.length === 0) this.#takeAll(this.#root as Leaf, batch.rows);
    else this.#scatter(batch);
    for (const leaf of this.#touched) {
      const before = leaf.builder.bytes;
      leaf.builder.append(batch, leaf.rows, leaf.count);
      this.#bytes += leaf.builder.bytes - before;
      leaf.count = 0;
      if (leaf.isUsed) continue;
      leaf.isUsed = true;
      this.#used.push(leaf);
    }
    this.#touched.length = 0;
  }

  /** Valid until rows are added or cleared. */
  sections(): NewSection[] {
    return this.#used.map(({ partition, builder }) => ({ partition, rows: builder.rows, block: builder.block() }));
  }

  clear(): void {
    for (const leaf of this.#used) {
      leaf.builder.clear();
      leaf.isUsed = false;
    }
    this.#used.length = 0;
    this.#bytes = 0;
    if (this.#leaves.size > PARTITIONS_KEPT_MAX) this.#root = this.#newTree();
  }

  #newTree(): Branch | Leaf {
    this.#leaves.clear();
    return this.partitioning.length === 0 ? this.#leafOf("") : new Map();
  }
  #leafOf(partition: string): Leaf {
    let leaf = this.#leaves.get(partition);
    if (!leaf) {
      leaf = { partition, builder: this.format.blocks(), rows: new Int32Array(ROWS_AT_FIRST), count: 0, isUsed: false };
      this.#leaves.set(partition, leaf);
    }
    return leaf;
  }

  #takeAll(leaf: Leaf, rows: number): void {
    if (leaf.rows.length < rows || leaf.rows[1] !== 1) {
      leaf.rows = Int32Array.from({ length: Math.max(rows, ROWS_AT_FIRST) }, (_, row) => row);
    }
    leaf.count = rows;
    this.#touched.push(leaf);
  }

  #scatter(batch: Batch): void {
    const functions = this.partitioning.map(({ value }) => value.over(batch));
    const values = this.#values;
    let leaf: Leaf | null = null;
    for (let row = 0; row < batch.rows; row++) {
      // Neighbours mostly share a partition.
      let isOther = leaf === null;
      for (let level = 0; level < functions.length; level++) {
        const value = (functions[level] as RowFunction)(row) ?? null;
        if (value !== values[level]) {
          values[level] = value;
          isOther = true;
        }
      }
      if (isOther) leaf = this.#find(values);
      const found: Leaf = leaf!;
      if (found.count === 0) this.#touched.push(found);
      if (found.count === found.rows.length) {
        const grown = new Int32Array(2 * found.count);
        grown.set(found.rows);
        found.rows = grown;
      }
      found.rows[found.count++] = row;
    }
  }

  #find(values: readonly unknown[]): Leaf {
    let branch = this.#root as Branch;
    const last = values.length - 1;
    for (let level = 0; level < last; level++) {
      let next = branch.get(values[level]) as Branch | undefined;
      if (!next) branch.set(values[level], next = new Map());
      branch = next;
    }
    let leaf = branch.get(values[last]) as Leaf | undefined;
    if (!leaf) branch.set(values[last], leaf = this.#leafOf(this.#path(values)));
    return leaf;
  }

  #path(values: readonly unknown[]): string {
    const texts = this.partitioning.map(({ value }, level) => values[level] === null ? null : textOf(values[level], value.type));
    return partitionPath(this.partitioning.map(({ name }) => name), texts);
  }
}

const DATE = dateText();

function textOf(value: unknown, type: Type): string {
  switch (type.kind) {
    case "decimal":
      return formatDecimal(value as number, type.scale);
    case "date":
      return DATE.format(value as number);
    case "timestamp":
      return formatMicros(value as number);
    default:
      return String(value);
  }
}
