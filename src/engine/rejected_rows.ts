/**
 * Gathers refused records into batches of FULL_REJECT_TYPE. Invariant: every record added leaves with the next `flush`, in order;
 * one batch holds records of one source and partition, so that its origin says where they came from.
 */
import { Buffer } from "node:buffer";
import type { Batch, Rejected } from "../data/batch.ts";
import { columnOf, makeMeta } from "../data/columns.ts";
import { rowJson } from "../data/json/mod.ts";
import { FULL_REJECT_TYPE, MESSAGE, RECEIVED_AT } from "./rejects.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
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

function toBatch(pipeline: string, rows: readonly Rejected[], epochTimeMicros: number): Batch {
  const texts = rows.map((row) => textOf(row.raw));
  const values: Readonly<Record<string, readonly unknown[]>> = {
    pipeline: rows.map(() => pipeline),
    source: rows.map((row) => row.source),
    partition: rows.map((row) => row.partition),
    position: rows.map((row) => row.position),
    origin: rows.map((row) => row.origin),
    step: rows.map((row) => row.step),
    reason: rows.map((row) => row.reason),
    raw: texts,
    raw_base64: rows.map((row, i) => texts[i] === null ? toBase64(row.raw) : null),
    [RECEIVED_AT]: rows.map((row) => row.receivedMicros ?? epochTimeMicros),
    [MESSAGE]: rows.map((row) => row.message ?? null),
  };
  const columns = FULL_REJECT_TYPE.fields.map((field) => columnOf(field.type, values[field.name]));
  const position = Float64Array.from(rows, (row) => row.position);
  const origin = Float64Array.from(rows, (row) => row.origin);
  return { rows: rows.length, type: FULL_REJECT_TYPE, columns, meta: makeMeta(rows[0].source, rows[0].partition, position, origin) };
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null; // Not UTF-8: it travels as base64.
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
