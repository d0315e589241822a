/**
 * Left rows that came before the right side had ended, in order of arrival. They live in state, so that a crash neither loses
 * nor repeats one; `drained` counts those that have left, which makes what happens to the next row depend on state alone.
 */
import type { Batch } from "../../data/batch.ts";
import { makeMeta } from "../../data/columns.ts";
import type { Field, RecordType } from "../../data/types.ts";
import type { StateStore, StateTable } from "../../engine/contracts.ts";
import { typedName } from "../support/keys.ts";
import { loadColumn, rawColumn, rawText, sameOrigin, storeColumn, storedKind } from "./stored_rows.ts";

/** Columns of a row's origin; fields stand beside them under their own names. */
const ORIGIN = [
  { name: "source", kind: "text" },
  { name: "partition", kind: "number" },
  { name: "position", kind: "number" },
  { name: "origin", kind: "number" },
  { name: "raw", kind: "text" },
  { name: "time", kind: "number" },
  { name: "watermark", kind: "number" },
  { name: "deleted", kind: "number" },
] as const;

/** Typed, and apart from the columns of the origin. */
const heldName = (field: Field): string => `field ${typedName(field.name, field.type)}`;

export class LeftRows {
  readonly #type: RecordType;
  readonly #held: StateTable;
  readonly #progress: StateTable;
  /** Fields that no batch has had decoded: nobody reads them. */
  readonly #absent = new Set<string>();

  constructor(type: RecordType, state: StateStore) {
    this.#type = type;
    const fields = type.fields.map((field) => ({ name: heldName(field), kind: storedKind(field.type) }));
    this.#held = state.table({ name: "held", key: ["number"], columns: [...ORIGIN, ...fields], version: 3 });
    this.#progress = state.table({ name: "drained", key: ["number"], columns: [{ name: "rows", kind: "number" }], version: 1 });
  }

  get size(): number {
    return this.#held.size;
  }
  /** How many of the held rows have left. */
  get drained(): number {
    const slot = this.#progress.find(0);
    return slot < 0 ? 0 : this.#progress.number("rows").values[slot];
  }
  set drained(rows: number) {
    const slot = this.#progress.insert(0);
    this.#progress.number("rows").values[slot] = rows;
    this.#progress.number("rows").valid[slot] = 1;
    this.#progress.touch(slot);
  }

  hold(batch: Batch): void {
    const slots = new Int32Array(batch.rows);
    const from = this.#held.size;
    for (let row = 0; row < batch.rows; row++) slots[row] = this.#held.insert(from + row);
    this.#type.fields.forEach((field, index) => {
      const column = batch.columns[index];
      if (column === null) this.#absent.add(field.name);
      else storeColumn(this.#held, heldName(field), field.type, column, slots, batch.rows);
    });
    this.#holdOrigin(batch, slots);
  }

  #holdOrigin({ meta, rows }: Batch, slots: Int32Array): void {
    const [source, raw] = [this.#held.text("source"), this.#held.text("raw")];
    const numbers = {
      partition: this.#held.number("partition"),
      position: this.#held.number("position"),
      origin: this.#held.number("origin"),
    };
    for (let row = 0; row < rows; row++) {
      const slot = slots[row];
      source.values[slot] = meta.source;
      raw.values[slot] = meta.raw === null ? null : rawText(meta.raw, row);
      numbers.partition.values[slot] = meta.partition;
      numbers.position.values[slot] = meta.position[row];
      numbers.origin.values[slot] = meta.origin[row];
      numbers.partition.valid[slot] = numbers.position.valid[slot] = numbers.origin.valid[slot] = 1;
    }
    for (const name of ["time", "watermark"] as const) {
      const { values, valid } = this.#held.number(name);
      for (let row = 0; row < rows && meta[name] !== null; row++) {
        values[slots[row]] = meta[name][row];
        valid[slots[row]] = 1;
      }
    }
    for (let row = 0; meta.deleted && row < rows; row++) this.#held.number("deleted").valid[slots[row]] = meta.deleted[row];
  }

  /** The held rows [from, to) as batches, each of one source and partition. */
  *batches(from: number, to: number): Iterable<Batch> {
    const sources = this.#held.text("source").values;
    const partitions = this.#held.number("partition").values;
    for (let start = from; start < to;) {
      const end = sameOrigin(sources, partitions, start, to);
      yield this.#batch(start, end, sources[start] ?? "", partitions[start]);
      start = end;
    }
  }

  #batch(from: number, to: number, source: string, partition: number): Batch {
    const columns = this.#type.fields.map((field) =>
      this.#absent.has(field.name) ? null : loadColumn(this.#held, heldName(field), field.type, from, to)
    );
    const position = this.#held.number("position").values.slice(from, to);
    const origin = this.#held.number("origin").values.slice(from, to);
    const raw = rawColumn(this.#held.text("raw").values.slice(from, to));
    const meta = { ...makeMeta(source, partition, position, origin, raw), time: this.#times("time", from, to) };
    const deleted = this.#held.number("deleted").valid.slice(from, to);
    const watermark = this.#times("watermark", from, to);
    return { rows: to - from, type: this.#type, columns, meta: { ...meta, watermark, deleted: deleted.includes(1) ? deleted : null } };
  }

  /** What all rows have, or none: whether a source has event time is the configuration's affair. */
  #times(name: "time" | "watermark", from: number, to: number): Float64Array | null {
    const { values, valid } = this.#held.number(name);
    return valid[from] === 1 ? values.slice(from, to) : null;
  }
}
