/**
 * Reads one partition. Invariants: a position covers exactly the records handed out; the same range gives the same rows and
 * rejects however it is cut, whatever gaps offsets have; an end is only ever concluded from what the broker has answered.
 */
import { firstAtLeast } from "../../data/ascending.ts";
import type { Records } from "../../data/codec.ts";
import type { Polled, PollLimits, Position, SourceReader } from "../../engine/contracts.ts";
import type { World } from "../../ports/mod.ts";
import { hasEnded, type Until } from "../log/until.ts";
import type { PlacedRecords, RowMaker } from "../source_batch.ts";
import { type Looked, madeAnew, type PartitionFetcher } from "./fetcher.ts";
import { CAUGHT_UP_WAIT_MS, POLL_WAIT_MS, RETRY_MIN_MS } from "./limits.ts";
import { formatPlace, parsePlace, type Place } from "./position.ts";
import { Prefetched } from "./prefetched.ts";
import type { RecordSlices } from "./record_collector.ts";

export interface ReaderOptions {
  readonly world: World;
  readonly node: string;
  readonly topic: string;
  readonly partition: number;
  readonly until: Until;
  /** Makes rows of the partition's records. */
  readonly rows: RowMaker;
  readonly fetcher: PartitionFetcher;
  /** Where the partition's writer has ended; null while it has not, or nobody knows of one. */
  sealedEnd(): Promise<number | null>;
  /** One behind the last committed record, now. */
  endNow(): Promise<number>;
}

export class PartitionReader implements SourceReader {
  readonly start: Position;
  readonly readsAhead = true;
  readonly #begin: Place;
  #quietSinceMs: number;
  /** The newest position that was handed out. */
  #newest: { readonly position: Position; readonly place: Place } | null = null;
  /** The end when somebody first asked; null: nobody has. */
  #endAtFirst: number | null = null;
  /** Behind these offsets nothing was found up to those: an end may lie behind the last record. */
  #empty = { from: -1, to: -1 };

  constructor(private readonly options: ReaderOptions, begin: Place) {
    const { world } = options;
    this.start = formatPlace(begin);
    this.#begin = begin;
    this.#quietSinceMs = world.clock.monotonicMs();
  }

  async poll(from: Position, limits: PollLimits): Promise<Polled> {
    const until = limits.until === undefined ? null : parsePlace(limits.until);
    const place = this.#placeOf(from, until);
    const bound = until?.offset ?? place.end ?? Infinity;
    const rowsMax = Math.min(limits.rowsMax, until ? Infinity : this.#countLeft(place));
    if (place.offset >= bound || rowsMax <= 0) return { kind: "end" };
    const { fetcher } = this.options;
    const fetched = await fetcher.next(place.offset, POLL_WAIT_MS);
    if (!(fetched instanceof Prefetched)) {
      this.#empty = { from: place.offset, to: fetched.coveredTo };
      if (fetched.coveredTo >= bound) return { kind: "end" };
      return until ? { kind: "idle", retryAfterMs: RETRY_MIN_MS } : await this.#waitOrEnd(place, fetched);
    }
    const { slices } = fetched;
    const row = rowAt(slices, place.offset);
    if (slices.offset[row] >= bound) return { kind: "end" };
    const count = Math.min(rowsMax, rowAt(slices, bound) - row, rowsWithin(slices, row, limits.bytesMax));
    const { taken, ...made } = this.options.rows.make(placed(slices, row, count));
    const offset = slices.offset[row + taken - 1] + 1;
    const next = until && offset === until.offset ? limits.until! : this.#format({ ...place, offset, read: place.read + taken });
    this.#quietSinceMs = this.options.world.clock.monotonicMs();
    return { kind: "batch", ...made, next, release: fetched.use() };
  }

  behind(position: Position): number | null {
    const { end } = this.options.fetcher;
    const place = this.#parse(position);
    return end === null ? null : Math.max(0, Math.min(end, place.end ?? Infinity) - place.offset);
  }

  async hasCaughtUp(position: Position): Promise<boolean> {
    if (this.options.until.kind !== "never") return false; // It is waited for until it ends.
    this.#endAtFirst ??= await this.options.endNow();
    const { offset } = parsePlace(position);
    return offset >= this.#endAtFirst || (offset === this.#empty.from && this.#empty.to >= this.#endAtFirst);
  }

  close(): void {
    this.options.fetcher.close();
  }

  /** A run's first epoch is replayed from where it began, which only its end remembers: the topic may begin or end elsewhere by now. */
  #placeOf(from: Position, until: Place | null): Place {
    const place = this.#parse(from);
    for (const { topicId } of until ? [place, until] : [place]) if (topicId !== this.#begin.topicId) throw madeAnew(this.options.topic);
    return until && place.read === 0 ? { ...place, first: until.first, offset: until.first, end: until.end } : place;
  }

  #format(place: Place): Position {
    const position = formatPlace(place);
    this.#newest = { position, place };
    return position;
  }

  /** Most ask for what comes behind the newest. */
  #parse(position: Position): Place {
    return position === this.#newest?.position ? this.#newest.place : parsePlace(position);
  }

  #countLeft({ read }: Place): number {
    const { until } = this.options;
    return until.kind === "count" ? until.count - read : Infinity;
  }

  /** Nothing is there now. A broker that does not answer ends nothing. */
  async #waitOrEnd({ offset, read }: Place, looked: Looked): Promise<Polled> {
    const { until, world } = this.options;
    const caughtUp = looked.end !== null && looked.coveredTo >= looked.end;
    if (!caughtUp) {
      this.#quietSinceMs = world.clock.monotonicMs();
      return { kind: "idle", retryAfterMs: RETRY_MIN_MS, arrived: looked.changed };
    }
    const coveredTo = Math.max(offset, looked.coveredTo);
    const sealedEnd = until.kind === "never" ? null : await this.options.sealedEnd();
    const sealed = sealedEnd !== null && coveredTo >= sealedEnd;
    const quietMs = world.clock.monotonicMs() - this.#quietSinceMs;
    if (hasEnded(until, { read, caughtUp, sealed, quietMs })) return { kind: "end" };
    return { kind: "idle", retryAfterMs: CAUGHT_UP_WAIT_MS, arrived: looked.changed };
  }
}

function placed(slices: RecordSlices, row: number, count: number): PlacedRecords {
  const to = row + count;
  const records: Records = {
    bytes: slices.bytes,
    start: slices.start.subarray(row, to),
    end: slices.end.subarray(row, to),
    rows: count,
    keyOf: (at) => slices.keys.get(row + at) ?? null,
  };
  const tooLong = slices.tooLong.filter((long) => long >= row && long < to).map((long) => long - row);
  const position = slices.offset.subarray(row, to);
  return { records, position, origin: slices.origin === slices.offset ? position : slices.origin.subarray(row, to), tooLong };
}

/** The first row at or behind an offset; `rows` where all lie before it. */
const rowAt = ({ offset, rows }: RecordSlices, wished: number): number => firstAtLeast(offset, 0, rows, wished);

/** Rows from `row` on whose values fit, at least one. */
function rowsWithin({ start, end, rows }: RecordSlices, row: number, bytesMax: number): number {
  if (end[rows - 1] - start[row] <= bytesMax) return rows - row;
  let to = row + 1;
  while (to < rows && end[to] - start[row] <= bytesMax) to++;
  return to - row;
}
