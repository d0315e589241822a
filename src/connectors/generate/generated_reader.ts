/** Reads a generated stream at its pace. Invariant: a record depends on its place alone; the clock only says whether it is due. */
import { createWriter, written } from "../../data/bytes.ts";
import type { Decoder, DecoderSpec } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import { compileJsonDecoder } from "../../data/json/mod.ts";
import type { Polled, PollLimits, Position, SourceReader } from "../../engine/contracts.ts";
import type { Clock } from "../../ports/mod.ts";
import { type RecordOrigin, sourceBatch } from "../source_batch.ts";
import type { GenerateOptions } from "./generate_source.ts";
import { offsetMicros, type RecordSequence } from "./record_sequence.ts";

export interface GeneratedPlace {
  readonly seed: number;
  readonly startMicros: number;
  readonly number: number;
}
export interface GeneratedReaderOptions {
  readonly start: Position;
  readonly options: GenerateOptions;
  readonly decoding: DecoderSpec;
  readonly origin: RecordOrigin;
  readonly clock: Clock;
}

export class GeneratedReader implements SourceReader {
  readonly start: Position;
  readonly #options: GeneratedReaderOptions;
  readonly #decode: Decoder;
  #sequence: { readonly seed: number; readonly records: RecordSequence } | null = null;
  /** The record that was asked for first, and when: pacing counts from there. */
  #pacedMicros: number | null = null;
  #paced: { readonly number: number; readonly sinceMs: number } | null = null;

  constructor(options: GeneratedReaderOptions) {
    this.#options = options;
    this.start = options.start;
    this.#decode = compileJsonDecoder(options.decoding);
  }

  poll(from: Position, limits: PollLimits): Promise<Polled> {
    const { count } = this.#options.options;
    const until = limits.until === undefined ? null : parsePlace(limits.until);
    // A replay goes by what was drawn then, not by what another process would draw now.
    const place = until ? { ...until, number: parsePlace(from).number } : parsePlace(from);
    const end = until?.number ?? count ?? this.#recordsOf(place.seed).size ?? Infinity;
    if (place.number >= end) return Promise.resolve({ kind: "end" });
    const due = until ? end : Math.min(end, this.#due(place, limits.rowsMax));
    if (place.number >= due) return Promise.resolve({ kind: "idle", retryAfterMs: this.#waitMs(place) });
    return Promise.resolve(this.#make(place, Math.min(limits.rowsMax, due - place.number), limits));
  }

  close(): void {}

  #make(place: GeneratedPlace, rowsMax: number, { bytesMax, until }: PollLimits): Polled {
    const { origin, options } = this.#options;
    const into = createWriter(64 << 10);
    const start = new Int32Array(rowsMax);
    const end = new Int32Array(rowsMax);
    const records = this.#recordsOf(place.seed);
    const happened = new Float64Array(rowsMax);
    let rows = 0;
    do {
      const number = place.number + rows;
      start[rows] = into.length;
      happened[rows] = place.startMicros + offsetMicros(records, number, options.rate);
      records.write(number, happened[rows], into);
      end[rows++] = into.length - 1;
    } while (rows < rowsMax && into.length < bytesMax);
    const position = new Float64Array(rows);
    for (let row = 0; row < rows; row++) position[row] = place.number + row;
    const bytes = written(into);
    const { batch, rejected, deletes } = sourceBatch(
      origin,
      {
        records: { bytes, start: start.subarray(0, rows), end: end.subarray(0, rows), rows },
        position,
        origin: position,
        received: happened.subarray(0, rows),
        tooLong: [],
      },
      this.#decode,
    );
    const next = formatPlace({ ...place, number: place.number + rows });
    return { kind: "batch", batch, rejected, deletes, read: rows, next: until !== undefined && next === until ? until : next };
  }

  #recordsOf(seed: number): RecordSequence {
    const { generator, profile, making } = this.#options.options;
    if (this.#sequence?.seed !== seed) this.#sequence = { seed, records: generator.sequence(profile, seed, making) };
    return this.#sequence.records;
  }

  /** One behind the last record that is due, and no more than `rowsMax` records on. */
  #due({ number, seed }: GeneratedPlace, rowsMax: number): number {
    const { options: { rate }, clock } = this.#options;
    if (rate === Infinity) return Infinity;
    const nowMs = clock.monotonicMs();
    this.#paced ??= { number, sinceMs: nowMs };
    const { number: first, sinceMs } = this.#paced;
    const records = this.#recordsOf(seed);
    if (!records.offsetMicros) return first + 1 + Math.floor((nowMs - sinceMs) * rate / 1000);
    const dueMicros = this.#firstMicros(records) + (nowMs - sinceMs) * 1000;
    let due = number;
    while (due < number + rowsMax && records.offsetMicros(due) <= dueMicros) due++;
    return due;
  }

  #waitMs({ number, seed }: GeneratedPlace): number {
    const { options: { rate }, clock } = this.#options;
    const { number: first, sinceMs } = this.#paced!;
    const records = this.#recordsOf(seed);
    const afterMs = records.offsetMicros
      ? (records.offsetMicros(number) - this.#firstMicros(records)) / 1000
      : (number - first) * 1000 / rate;
    return Math.max(1, sinceMs + afterMs - clock.monotonicMs());
  }

  /** When the record happens that pacing counts from: looked up once, for looking back is dear. */
  #firstMicros(records: RecordSequence): number {
    return this.#pacedMicros ??= records.offsetMicros!(this.#paced!.number);
  }
}

export const formatPlace = ({ seed, startMicros, number }: GeneratedPlace): Position => `${seed}:${startMicros}:${number}`;

export function parsePlace(position: Position): GeneratedPlace {
  const match = /^(\d+):(-?\d+):(\d+)$/.exec(position);
  assert(match, `"${position}" is a position in a generated stream`);
  return { seed: Number(match[1]), startMicros: Number(match[2]), number: Number(match[3]) };
}
