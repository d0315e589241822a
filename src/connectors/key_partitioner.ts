/**
 * Which partition of a topic a row goes to: the one that Kafka's Java client chooses for the text of its key, or, without a key,
 * round by its place in the source. Deterministic, so that a replay sends every row where it went before.
 */
import type { SinkContext } from "../component/component.ts";
import type { Batch } from "../data/batch.ts";
import { ROWS_PER_CALL } from "../data/limits.ts";
import { typeText } from "../data/types.ts";
import { partitionOfKey } from "./log/murmur2.ts";
import { compileRowExpression } from "./row_expressions.ts";
import { KeyReader, type RecordKey, type RowKeys } from "./row_keys.ts";

/** Rows of one partition under collection: takes `rows[from, to)` of the batch. The keys are valid during the call only. */
export interface KeyedRows {
  append(batch: Batch, rows: Int32Array, from: number, to: number, keys: RowKeys): void;
}

/**
 * Checks and compiles the `key` setting of a topic's sink; null when faults were reported. `form`: whether a key that names a field is its
 * text, or an object of that field as change data capture writes keys.
 */
export function planRecordKey(context: SinkContext, form: "text" | "object" = "text"): RecordKey | null {
  const cel = context.settings.cel("key");
  const key = compileRowExpression(cel, context.input, context);
  if (!key) return null;
  if (key.type.kind !== "int" && key.type.kind !== "decimal" && key.type.kind !== "string") {
    context.fault(cel.span, `a ${typeText(key.type)} cannot be a record's key`, "use an int, a decimal or a string");
    return null;
  }
  return { expression: key, member: form === "object" && key.field !== null ? context.input.fields[key.field].name : null };
}

/** Where rows go whose key is null: "round" by their place, or "together" like those of any other key. */
export type NullKeys = "round" | "together";

/** Rows that are sorted by partition together, so that each partition gets many of them at once. */
const ROWS_PER_SORT = 2 * ROWS_PER_CALL;

export class KeyPartitioner {
  readonly #keys: KeyReader;
  /** What the place of a row without a key is multiplied by. */
  readonly #round: number;
  /** By row of those that are sorted: its partition. */
  readonly #partition = new Int32Array(ROWS_PER_SORT);
  /** The same rows by partition, those of one in their order. */
  readonly #rows = new Int32Array(ROWS_PER_SORT);
  /** By partition: how many of those rows it has, then where they end among them. */
  #ends = new Int32Array(0);

  constructor(recordKey: RecordKey | null, nullKeys: NullKeys = "round") {
    this.#round = nullKeys === "round" ? 1 : 0;
    this.#keys = new KeyReader(recordKey);
  }

  /** Appends every row of the batch to its partition. */
  spread(batch: Batch, partitions: readonly KeyedRows[]): void {
    if (this.#ends.length !== partitions.length) this.#ends = new Int32Array(partitions.length);
    const keys = this.#keys.keysOf(batch);
    for (let from = 0; from < batch.rows; from += ROWS_PER_SORT) {
      const to = Math.min(from + ROWS_PER_SORT, batch.rows);
      this.#ends.fill(0);
      for (let row = from; row < to; row += ROWS_PER_CALL) {
        this.#choose(keys, batch.meta.position, row, Math.min(row + ROWS_PER_CALL, to), from);
      }
      this.#sort(from, to);
      let first = 0;
      for (let partition = 0; partition < partitions.length; partition++) {
        const end = this.#ends[partition];
        if (first < end) partitions[partition].append(batch, this.#rows, first, end, keys);
        first = end;
      }
    }
  }

  /** For rows [from, to) of those that are sorted, which begin at `first`. */
  #choose({ bytes, start, end, valid }: RowKeys, position: Float64Array, from: number, to: number, first: number): void {
    const partition = this.#partition;
    const ends = this.#ends;
    for (let row = from; row < to; row++) {
      const chosen = valid !== null && valid[row] === 0
        ? position[row] * this.#round % ends.length
        : partitionOfKey(bytes, start[row], end[row], ends.length);
      partition[row - first] = chosen;
      ends[chosen]++;
    }
  }

  #sort(from: number, to: number): void {
    const partition = this.#partition;
    const rows = this.#rows;
    const ends = this.#ends;
    let first = 0;
    for (let i = 0; i < ends.length; i++) {
      const count = ends[i];
      ends[i] = first;
      first += count;
    }
    for (let row = from; row < to; row++) rows[ends[partition[row - from]]++] = row;
  }
}
