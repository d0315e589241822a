/**
 * Gathers refused records into batches of FULL_REJECT_TYPE. Invariant: every record added leaves with the next `flush`, in order;
 * one batch holds records of one source and partition, so that its origin says where they came from.
 */
import { Buffer } from "node:buffer";
import type { Batch, Column, Rejected } from "../data/batch.ts";
import { makeMeta, numberColumn, textColumn, valueColumn } from "../data/columns.ts";
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

/** What refused a record is rarely alone, and says the same of many: only their bytes are copied. */
function toBatch(pipeline: string, rows: readonly Rejected[], epochTimeMicros: number): Batch {
  const [{ source, partition }] = rows;
  const isText = rows.map(({ raw }) => isUtf8(raw, 0, raw.length));
  const position = new Float64Array(rows.map((row) => row.position));
  const origin = new Float64Array(rows.map((row) => row.origin));
  const columns: Readonly<Record<string, Column>> = {
    pipeline: texts(rows, () => pipeline),
    source: texts(rows, () => source),
    partition: numberColumn(new Float64Array(rows.length).fill(partition)),
    position: numberColumn(position),
    origin: numberColumn(origin),
    step: texts(rows, (row) => row.step),
    reason: texts(rows, (row) => row.reason),
    raw: rawColumn(rows, isText),
    raw_base64: texts(rows, ({ raw }, i) => isText[i] ? null : toBase64(raw)),
    [RECEIVED_AT]: numberColumn(new Float64Array(rows.map((row) => row.receivedMicros ?? epochTimeMicros))),
    [MESSAGE]: texts(rows, (row) => row.message ?? null),
  };
  return {
    rows: rows.length,
    type: FULL_REJECT_TYPE,
    columns: FULL_REJECT_TYPE.fields.map(({ name }) => columns[name]),
    meta: makeMeta(source, partition, position, origin),
  };
}

function texts(rows: readonly Rejected[], textOf: (row: Rejected, i: number) => string | null): Column {
  return valueColumn(rows.map(textOf));
}

/** The bytes of those that are text. */
function rawColumn(rows: readonly Rejected[], isText: readonly boolean[]): Column {
  const bytes = new Uint8Array(rows.reduce((sum, { raw }) => sum + raw.length, 0));
  const start = new Int32Array(rows.length);
  const end = new Int32Array(rows.length);
  const valid = new Uint8Array(rows.length);
  let at = 0;
  for (const [i, { raw }] of rows.entries()) {
    start[i] = at;
    if (isText[i]) {
      valid[i] = 1;
      bytes.set(raw, at);
      at += raw.length;
    }
    end[i] = at;
  }
  return textColumn(bytes, start, end, valid.includes(0) ? valid : null);
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
