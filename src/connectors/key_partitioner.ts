/**
 * Which partition of a topic a row goes to: the one that Kafka's Java client chooses for the text of its key, or, without a key,
 * round by its place in the source. Deterministic, so that a replay sends every row where it went before.
 */
import type { SinkContext } from "../component/component.ts";
import type { Batch, TextColumn } from "../data/batch.ts";
import { createWriter, writeDecimal, writeInteger, writeText } from "../data/bytes.ts";
import type { ByteWriter } from "../data/codec.ts";
import { type Type, typeText } from "../data/types.ts";
import { partitionOfKey } from "./log/murmur2.ts";
import { compileRowExpression, type RowExpression } from "./row_expressions.ts";
import { ROWS_PER_COLD_CALL } from "../data/limits.ts";

/** Rows of one partition under collection. The key is `keys[from, to)`, valid during the call only; `from` is -1 for none. */
export interface KeyedRows {
  append(batch: Batch, row: number, keys: Uint8Array, from: number, to: number): void;
}

/** What a record's key is made of. */
export interface RecordKey {
  readonly expression: RowExpression;
  /** The key is a JSON object with this one member; null: it is the value's text. */
  readonly member: string | null;
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

export class KeyPartitioner {
  readonly #key = createWriter(64);
  /** What the place of a row without a key is multiplied by. */
  readonly #round: number;
  readonly #expression: RowExpression | null;
  /** Around the value of a key that is an object; empty where it is the text alone. */
  readonly #before: string;
  constructor(recordKey: RecordKey | null, nullKeys: NullKeys = "round") {
    this.#round = nullKeys === "round" ? 1 : 0;
    this.#expression = recordKey?.expression ?? null;
    this.#before = recordKey === null || recordKey.member === null ? "" : `{${JSON.stringify(recordKey.member)}:`;
  }

  /** Appends every row of the batch to its partition. */
  spread(batch: Batch, partitions: readonly KeyedRows[]): void {
    const expression = this.#expression;
    const column = expression === null || expression.field === null ? null : batch.columns[expression.field];
    if (column?.kind === "text" && this.#before === "") this.#spreadTexts(batch, column, partitions);
    else this.#spreadValues(batch, expression, partitions);
  }

  /** The key is a text that the record itself holds: its bytes are there. */
  #spreadTexts(batch: Batch, column: TextColumn, partitions: readonly KeyedRows[]): void {
    for (let from = 0; from < batch.rows; from += ROWS_PER_COLD_CALL) {
      this.#spreadSomeTexts(batch, column, partitions, from, Math.min(from + ROWS_PER_COLD_CALL, batch.rows));
    }
  }

  #spreadSomeTexts(batch: Batch, column: TextColumn, partitions: readonly KeyedRows[], from: number, to: number): void {
    const { bytes, start, end, valid } = column;
    const { position } = batch.meta;
    const count = partitions.length;
    for (let row = from; row < to; row++) {
      if (valid !== null && valid[row] === 0) partitions[position[row] * this.#round % count].append(batch, row, bytes, -1, -1);
      else partitions[partitionOfKey(bytes, start[row], end[row], count)].append(batch, row, bytes, start[row], end[row]);
    }
  }

  #spreadValues(batch: Batch, expression: RowExpression | null, partitions: readonly KeyedRows[]): void {
    const key = this.#key;
    const value = expression?.over(batch);
    const { position } = batch.meta;
    for (let row = 0; row < batch.rows; row++) {
      const keyValue = value ? value(row) : null;
      if (keyValue === null) {
        partitions[position[row] * this.#round % partitions.length].append(batch, row, key.bytes, -1, -1);
        continue;
      }
      key.length = 0;
      if (this.#before === "") writeKey(key, keyValue, expression!.type);
      else writeKeyObject(key, this.#before, keyValue, expression!.type);
      partitions[partitionOfKey(key.bytes, 0, key.length, partitions.length)].append(batch, row, key.bytes, 0, key.length);
    }
  }
}

/** A key is its text: the same bytes that a Kafka producer with a string serialiser would send. */
function writeKey(into: ByteWriter, value: unknown, type: Type): void {
  if (type.kind === "string") writeText(into, value as string);
  else if (type.kind === "decimal") writeDecimal(into, value as number, type.scale);
  else writeInteger(into, value as number);
}

/** As change data capture writes keys: decimals are text there too. */
function writeKeyObject(into: ByteWriter, before: string, value: unknown, type: Type): void {
  writeText(into, before);
  if (type.kind === "string") writeText(into, JSON.stringify(value));
  else {
    if (type.kind === "decimal") writeText(into, '"');
    writeKey(into, value, type);
    if (type.kind === "decimal") writeText(into, '"');
  }
  writeText(into, "}");
}
