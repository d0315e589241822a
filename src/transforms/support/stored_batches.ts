/**
 * Rows of batches in a state table, with where they came from and when, so that they come back as if they had just arrived. Which row
 * lies in which slot, under which key, is the affair of whoever owns the table. Invariant: a slot that is stored into holds nothing of
 * what it held before.
 */
import type { Batch } from "../../data/batch.ts";
import { makeMeta } from "../../data/columns.ts";
import type { Field, RecordType } from "../../data/types.ts";
import type { NumberState, StateTable, StateTableSpec } from "../../engine/contracts.ts";
import { loadColumn, rawColumn, rawText, storeColumn, storedKind } from "../join/stored_rows.ts";
import { typedName } from "./keys.ts";

/** Columns of a row's origin; fields stand beside them under their own names. */
const ORIGIN = [
  { name: "source", kind: "text" },
  { name: "partition", kind: "number" },
  { name: "position", kind: "number" },
  { name: "origin", kind: "number" },
  { name: "raw", kind: "text" },
  { name: "received", kind: "number" },
  { name: "time", kind: "number" },
  { name: "watermark", kind: "number" },
  { name: "deleted", kind: "number" },
] as const;

/** Typed, and apart from the columns of the origin. */
const storedName = (field: Field): string => `field ${typedName(field.name, field.type)}`;

/** The columns that rows of the type take. */
export function storedColumns(type: RecordType): StateTableSpec["columns"] {
  return [...ORIGIN, ...type.fields.map((field) => ({ name: storedName(field), kind: storedKind(field.type) }))];
}

export class StoredBatches {
  readonly #table: StateTable;
  readonly #type: RecordType;
  /** Fields that no batch has had decoded: nobody reads them. */
  readonly #absent = new Set<string>();

  constructor(table: StateTable, type: RecordType) {
    this.#table = table;
    this.#type = type;
  }

  /** Row i goes into slots[i], which its owner has made and touched. */
  store(batch: Batch, slots: Int32Array): void {
    this.#type.fields.forEach((field, index) => {
      const column = batch.columns[index];
      if (column === null) this.#absent.add(field.name);
      else storeColumn(this.#table, storedName(field), field.type, column, slots, batch.rows);
    });
    this.#storeOrigin(batch, slots);
  }

  #storeOrigin({ meta, rows }: Batch, slots: Int32Array): void {
    const [source, raw] = [this.#table.text("source"), this.#table.text("raw")];
    for (let row = 0; row < rows; row++) {
      source.values[slots[row]] = meta.source;
      raw.values[slots[row]] = meta.raw === null ? null : rawText(meta.raw, row);
    }
    const place = new Float64Array(rows).fill(meta.partition);
    this.#storeNumbers("partition", place, slots);
    this.#storeNumbers("position", meta.position, slots);
    this.#storeNumbers("origin", meta.origin, slots);
    this.#storeNumbers("received", meta.received ?? null, slots);
    this.#storeNumbers("time", meta.time, slots);
    this.#storeNumbers("watermark", meta.watermark, slots);
    const { valid } = this.#table.number("deleted");
    for (let row = 0; row < rows; row++) valid[slots[row]] = meta.deleted ? meta.deleted[row] : 0;
  }

  #storeNumbers(name: string, from: Float64Array | null, slots: Int32Array): void {
    const { values, valid }: NumberState = this.#table.number(name);
    for (let row = 0; row < slots.length; row++) {
      values[slots[row]] = from === null ? 0 : from[row];
      valid[slots[row]] = from === null ? 0 : 1;
    }
  }

  /** The rows of the slots, in that order, as batches of one source and partition each. */
  *load(slots: Int32Array): Iterable<Batch> {
    const sources = this.#table.text("source").values;
    const partitions = this.#table.number("partition").values;
    for (let from = 0; from < slots.length;) {
      const [source, partition] = [sources[slots[from]], partitions[slots[from]]];
      let to = from + 1;
      while (to < slots.length && sources[slots[to]] === source && partitions[slots[to]] === partition) to++;
      yield this.#batch(slots.subarray(from, to), source ?? "", partition);
      from = to;
    }
  }

  #batch(slots: Int32Array, source: string, partition: number): Batch {
    const columns = this.#type.fields.map((field) =>
      this.#absent.has(field.name) ? null : loadColumn(this.#table, storedName(field), field.type, slots)
    );
    const position = this.#numbers("position", slots)!;
    const origin = this.#numbers("origin", slots)!;
    const raws = this.#table.text("raw").values;
    const meta = makeMeta(source, partition, position, origin, rawColumn(Array.from(slots, (slot) => raws[slot])));
    const marks = this.#table.number("deleted").valid;
    const deleted = Uint8Array.from(slots, (slot) => marks[slot]);
    return {
      rows: slots.length,
      type: this.#type,
      columns,
      meta: {
        ...meta,
        received: this.#numbers("received", slots),
        time: this.#numbers("time", slots),
        watermark: this.#numbers("watermark", slots),
        deleted: deleted.includes(1) ? deleted : null,
      },
    };
  }

  /** What all rows have, or none: whether a source has event time is the configuration's affair. */
  #numbers(name: string, slots: Int32Array): Float64Array | null {
    const { values, valid } = this.#table.number(name);
    return valid[slots[0]] === 1 ? Float64Array.from(slots, (slot) => values[slot]) : null;
  }
}
