/**
 * Gathers refused records into batches of FULL_REJECT_TYPE. Invariant: every record added leaves with the next `flush`, in order;
 * one batch holds records of one source and partition, so that its origin says where they came from.
 */
import { Buffer } from "node:buffer";
import type { Batch, Column, Rejected } from "../data/batch.ts";
import { makeMeta, numberColumn, TextBuilder, valueColumn } from "../data/columns.ts";
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
  const count = rows.length;
  const [{ source, partition }] = rows;
  const position = new Float64Array(count);
  const origin = new Float64Array(count);
  const received = new Float64Array(count);
  const steps: string[] = [];
  const reasons: string[] = [];
  const messages: (string | null)[] = [];
  const base64: (string | null)[] = [];
  const texts = new TextBuilder();
  // In one go: a step of its own for each column took longer than what it did.
  for (let i = 0; i < count; i++) {
    const row = rows[i];
    position[i] = row.position;
    origin[i] = row.origin;
    received[i] = row.receivedMicros ?? epochTimeMicros;
    steps.push(row.step);
    reasons.push(row.reason);
    messages.push(row.message ?? null);
    const isText = isUtf8(row.raw, 0, row.raw.length);
    if (isText) texts.pushBytes(row.raw, 0, row.raw.length);
    else texts.pushNull();
    base64.push(isText ? null : toBase64(row.raw));
  }
  const columns: Readonly<Record<string, Column>> = {
    pipeline: repeated(pipeline, count),
    source: repeated(source, count),
    partition: numberColumn(new Float64Array(count).fill(partition)),
    position: numberColumn(position),
    origin: numberColumn(origin),
    step: valueColumn(steps),
    reason: valueColumn(reasons),
    raw: texts.finish(),
    raw_base64: valueColumn(base64),
    [RECEIVED_AT]: numberColumn(received),
    [MESSAGE]: valueColumn(messages),
  };
  return {
    rows: count,
    type: FULL_REJECT_TYPE,
    columns: FULL_REJECT_TYPE.fields.map(({ name }) => columns[name]),
    meta: makeMeta(source, partition, position, origin),
  };
}

function repeated(text: string, count: number): Column {
  return valueColumn(new Array<string>(count).fill(text));
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
