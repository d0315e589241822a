/** Batches and rows as plain values, for comparing. */
import type { Batch, Rejected } from "../../../src/data/batch.ts";
import { cell, columnOf, makeMeta } from "../../../src/data/columns.ts";
import type { RecordType } from "../../../src/data/types.ts";
import type { Polled, PollLimits, Position, SourceReader } from "../../../src/engine/contracts.ts";

/** A row as text: position, origin, values. */
export function rowTexts(batch: Batch): string[] {
  return Array.from({ length: batch.rows }, (_, row) => {
    const values = batch.type.fields.map((field, i) => batch.columns[i] && cell(batch.columns[i], field.type, row));
    return `${batch.meta.position[row]} ${batch.meta.origin[row]} ${JSON.stringify(values)} ${batch.meta.raw?.at(row)}`;
  });
}
export function rejectTexts(rejected: readonly Rejected[]): string[] {
  return rejected.map((one) => `${one.position} ${one.origin} ${one.step} ${one.reason} ${new TextDecoder().decode(one.raw)}`);
}

/** A batch of made rows; values in the order of the fields. Positions count from `first`. */
export function batchOf(type: RecordType, rows: readonly (readonly unknown[])[], first = 1): Batch {
  const position = Float64Array.from(rows, (_, i) => first + i);
  const columns = type.fields.map((field, i) => columnOf(field.type, rows.map((row) => row[i])));
  return { rows: rows.length, type, columns, meta: makeMeta("made", 0, position) };
}

export interface ReadResult {
  readonly rows: string[];
  readonly rejects: string[];
  /** After every batch, with how many records had been read. */
  readonly places: { readonly position: Position; readonly read: number }[];
  readonly read: number;
  readonly last: Polled["kind"];
}

/** Polls to the end, or until the source has nothing. */
export async function readAll(reader: SourceReader, from: Position, limitsOf: (poll: number) => PollLimits): Promise<ReadResult> {
  const rows: string[] = [];
  const rejects: string[] = [];
  const places = [{ position: from, read: 0 }];
  let position = from;
  let read = 0;
  for (let poll = 0;; poll++) {
    const polled = await reader.poll(position, limitsOf(poll));
    if (polled.kind !== "batch") return { rows, rejects, places, read, last: polled.kind };
    rows.push(...rowTexts(polled.batch));
    rejects.push(...rejectTexts(polled.rejected));
    read += polled.read;
    position = polled.next;
    places.push({ position, read });
  }
}
