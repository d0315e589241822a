/**
 * Gathers refused records into batches of FULL_REJECT_TYPE. Invariant: every record added leaves with the next `flush`, in order;
 * one batch holds records of one source and partition, so that its origin says where they came from.
 */
import { Buffer } from "node:buffer";
import type { Batch, Column, Rejected } from "../data/batch.ts";
import { makeMeta, numberColumn, TextBuilder, textColumn } from "../data/columns.ts";
import { rowJson } from "../data/json/mod.ts";
import { isUtf8 } from "../data/utf8.ts";
import { FULL_REJECT_TYPE, MESSAGE, RECEIVED_AT } from "./rejects.ts";

const encoder = new TextEncoder();

export class RejectedRows {
  readonly #pipeline: string;
  #rows: Rejected[] = [];

  constructor(pipeline: string) {
    this.#pipeline = pipeline;
  }

  add(rejected: Rejected): void {
    this.#rows.push(rejected);
  }

  /** A row of a batch that `step` refused. A made row, which has no bytes of its own, is kept as JSON. */
  addRow(batch: Batch, row: number, step: string, reason: string): void {
    const { source, partition, position, origin, raw, received } = batch.meta;
    const bytes = raw === null ? encoder.encode(rowJson(batch, row)) : raw.bytes.subarray(raw.start[row], raw.end[row]);
    this.#rows.push({
      source,
      partition,
      position: position[row],
      origin: origin[row],
      step,
      reason,
      raw: bytes,
      receivedMicros: received?.[row],
    });
  }

  /** Hands out what was gathered, as few batches as the order allows. */
  flush(epochTimeMicros: number, emit: (batch: Batch) => void): void {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    let from = 0;
    for (let to = 1; to <= rows.length; to++) {
      if (to < rows.length && rows[to].source === rows[from].source && rows[to].partition === rows[from].partition) continue;
      emit(toBatch(this.#pipeline, rows.slice(from, to), epochTimeMicros));
      from = to;
    }
  }
}

/** What refused a record is rarely alone: columns are made of bytes as they are, without a string for each value. */
function toBatch(pipeline: string, rows: readonly Rejected[], epochTimeMicros: number): Batch {
  const [{ source, partition }] = rows;
  const raw = new TextBuilder();
  const base64 = new TextBuilder();
  for (const row of rows) {
    if (isUtf8(row.raw, 0, row.raw.length)) {
      raw.pushBytes(row.raw, 0, row.raw.length);
      base64.pushNull();
    } else {
      raw.pushNull();
      base64.push(toBase64(row.raw));
    }
  }
  const position = Float64Array.from(rows, (row) => row.position);
  const origin = Float64Array.from(rows, (row) => row.origin);
  const columns: Readonly<Record<string, Column>> = {
    pipeline: repeated(pipeline, rows.length),
    source: repeated(source, rows.length),
    partition: numberColumn(new Float64Array(rows.length).fill(partition)),
    position: numberColumn(position),
    origin: numberColumn(origin),
    step: texts(rows, (row) => row.step),
    reason: texts(rows, (row) => row.reason),
    raw: raw.finish(),
    raw_base64: base64.finish(),
    [RECEIVED_AT]: numberColumn(Float64Array.from(rows, (row) => row.receivedMicros ?? epochTimeMicros)),
    [MESSAGE]: texts(rows, (row) => row.message),
  };
  return {
    rows: rows.length,
    type: FULL_REJECT_TYPE,
    columns: FULL_REJECT_TYPE.fields.map(({ name }) => columns[name]),
    meta: makeMeta(source, partition, position, origin),
  };
}

/** The same text in every row. */
function repeated(text: string, rows: number): Column {
  const bytes = encoder.encode(text);
  return textColumn(bytes, new Int32Array(rows), new Int32Array(rows).fill(bytes.length), null);
}

function texts(rows: readonly Rejected[], textOf: (row: Rejected) => string | undefined): Column {
  const builder = new TextBuilder();
  for (const row of rows) builder.pushValue(textOf(row));
  return builder.finish();
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
