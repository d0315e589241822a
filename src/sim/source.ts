/**
 * A replayable source over given records. Invariant: what stands between two positions never changes, whatever batches a reader
 * gets it in; their sizes and the idle gaps between them come from the world's randomness.
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { columnOf, makeMeta, TextBuilder } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import type { RecordType } from "../data/types.ts";
import type { Polled, PollLimits, Position, Source, SourceReader } from "../engine/contracts.ts";
import type { SimProcess } from "./process.ts";
import type { SeededRandom } from "./seeded_random.ts";

/** One record of a partition. */
export interface SimRecord {
  /** As it would be read; kept as the original bytes. */
  readonly text: string;
  /** Run-time values in the order of the type; ignored where `reason` is set. */
  readonly values: readonly unknown[];
  /** Refused by the source with this reason; null for a good one. */
  readonly reason: string | null;
  /** It says that its key is no more. */
  readonly deleted?: boolean;
}
export interface SimSourceOptions {
  readonly name: string;
  readonly type: RecordType;
  readonly partitions: readonly (readonly SimRecord[])[];
  /** Rows of one batch at most; batches are cut at random below it. */
  readonly batchRowsMax: number;
  /** How often per thousand polls there is nothing yet. */
  readonly idlePerMille: number;
  /** "waits": behind its records it waits for more, which never come. Absent: it ends there. */
  readonly behind?: "waits";
}

const IDLE_MS_MAX = 40;
const POLL_MICROS_MAX = 3_000;

/** The source as one process sees it. */
export function simSource(process: SimProcess, random: SeededRandom, options: SimSourceOptions): Source {
  const { partitions } = options;
  return {
    partitions: () =>
      process.local({ what: "partitions", detail: options.name, microsMax: POLL_MICROS_MAX, effect: () => partitions.length }),
    reader: (partition) => Promise.resolve(new SimReader(process, random, options, partition)),
    identity: () => Promise.resolve(partitions.map((records) => records.length).join(",")),
  };
}

class SimReader implements SourceReader {
  readonly start: Position = positionAt(0);
  readonly #process: SimProcess;
  readonly #random: SeededRandom;
  readonly #options: SimSourceOptions;
  readonly #partition: number;
  readonly #records: readonly SimRecord[];

  constructor(process: SimProcess, random: SeededRandom, options: SimSourceOptions, partition: number) {
    this.#process = process;
    this.#random = random;
    this.#options = options;
    this.#partition = partition;
    this.#records = options.partitions[partition]!;
  }

  poll(from: Position, limits: PollLimits): Promise<Polled> {
    const detail = `${this.#options.name}/${this.#partition} from ${from}${limits.until === undefined ? "" : ` until ${limits.until}`}`;
    return this.#process.local({ what: "poll", detail, microsMax: POLL_MICROS_MAX, effect: () => this.#read(from, limits) });
  }

  hasCaughtUp(position: Position): Promise<boolean> {
    return Promise.resolve(indexOf(position) === this.#records.length);
  }

  close(): void {}

  #read(from: Position, limits: PollLimits): Polled {
    const first = indexOf(from);
    const bound = limits.until === undefined ? this.#records.length : indexOf(limits.until);
    assert(first <= bound && bound <= this.#records.length, `a poll from ${from} cannot end at ${limits.until}`);
    if (first === bound) return this.#options.behind === "waits" ? { kind: "idle", retryAfterMs: IDLE_MS_MAX } : { kind: "end" };
    if (this.#random.chance(this.#options.idlePerMille)) return { kind: "idle", retryAfterMs: this.#random.between(1, IDLE_MS_MAX) };
    const rowsMax = Math.min(limits.rowsMax, this.#options.batchRowsMax, bound - first);
    return this.#batch(first, first + this.#random.between(1, rowsMax));
  }

  #batch(first: number, end: number): Polled {
    const good: number[] = [];
    const rejected: Rejected[] = [];
    for (let index = first; index < end; index++) {
      if (this.#records[index]!.reason === null) good.push(index);
      else rejected.push(this.#rejectedAt(index));
    }
    return { kind: "batch", batch: this.#rows(good), rejected, read: end - first, next: positionAt(end) };
  }

  #rows(indexes: readonly number[]): Batch {
    const { name, type } = this.#options;
    const deleted = Uint8Array.from(indexes, (index) => this.#records[index]!.deleted ? 1 : 0);
    const raw = new TextBuilder();
    for (const index of indexes) raw.push(this.#records[index]!.text);
    return {
      rows: indexes.length,
      type,
      columns: type.fields.map((field, column) => columnOf(field.type, indexes.map((index) => this.#records[index]!.values[column]))),
      meta: {
        ...makeMeta(name, this.#partition, Float64Array.from(indexes), undefined, raw.finish()),
        deleted: deleted.includes(1) ? deleted : null,
      },
    };
  }

  #rejectedAt(index: number): Rejected {
    const { name } = this.#options;
    const { text, reason } = this.#records[index]!;
    return {
      source: name,
      partition: this.#partition,
      position: index,
      origin: index,
      step: name,
      reason: reason!,
      raw: new TextEncoder().encode(text),
    };
  }
}

function positionAt(index: number): Position {
  return `n:${index}`;
}

function indexOf(position: Position): number {
  assert(/^n:\d+$/.test(position), `${position} is no position of a simulated source`);
  return Number(position.slice(2));
}
