/**
 * Event time of one source in one lane: gives its rows their times, takes out what is late, and knows how far time has come. A row is
 * judged by the watermark just before it, which every row carries along: so what is late does not depend on how a partition is cut
 * into batches. Invariant: the watermark never goes back, and nothing here reads a clock.
 */
import type { Batch } from "../data/batch.ts";
import { select } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import type { EventTime, LaneTime } from "./contracts.ts";
import type { PartitionTime } from "./head.ts";

interface Partition {
  greatestMicros: number;
  standing: "active" | "idle" | "ended";
}

/** Event time of one source in one lane. */
export interface SourceClock {
  readonly spec: EventTime;
  readonly watermark: number;
  /** How far the records themselves have come: of the partitions that are waited for the one that is furthest behind. */
  readonly reached: number;
  /** Nothing that could move time is waited for, and it is not at its end. */
  readonly isIdle: boolean;
  /** For the head. */
  times(): readonly PartitionTime[];
  /** An epoch of that recorded time has begun. */
  clock(epochTimeMicros: number): void;
  idle(partition: number): void;
  end(partition: number): void;
  /** What lanes that write the partition said about their time. */
  told(partition: number, times: readonly LaneTime[]): void;
  /** Takes a batch of one partition. Its rows keep their order. */
  stamp(batch: Batch, epochTimeMicros: number): Timed;
}

/** A batch with its times: what goes on, and what came too late. */
export interface Timed {
  readonly fine: Batch;
  readonly late: Batch | null;
}

export class SourceTime implements SourceClock {
  readonly spec: EventTime;
  readonly #partitions: Map<number, Partition>;
  #watermark: number;
  #lateRows = new Int32Array(0);
  #fineRows = new Int32Array(0);

  /** `from`: as the head has them; partitions that it does not know have given nothing yet. */
  constructor(spec: EventTime, partitions: readonly number[], from: readonly PartitionTime[], watermark: number) {
    this.spec = spec;
    this.#watermark = watermark;
    const known = new Map(from.filter(({ source }) => source === spec.source).map((one) => [one.partition, one]));
    this.#partitions = new Map(partitions.map((partition) => {
      const before = known.get(partition);
      return [partition, { greatestMicros: before?.greatestMicros ?? -Infinity, standing: before?.idle ? "idle" : "active" }];
    }));
  }

  get watermark(): number {
    return this.#watermark;
  }

  get reached(): number {
    let least = Infinity;
    for (const { greatestMicros, standing } of this.#partitions.values()) {
      if (standing === "active") least = Math.min(least, greatestMicros);
    }
    return least === Infinity ? this.#watermark : least;
  }

  get isIdle(): boolean {
    const standings = [...this.#partitions.values()].map(({ standing }) => standing);
    return standings.includes("idle") && !standings.includes("active");
  }

  times(): readonly PartitionTime[] {
    return [...this.#partitions].map(([partition, { greatestMicros, standing }]) => (
      { source: this.spec.source, partition, greatestMicros, idle: standing === "idle" }
    ));
  }

  /** An epoch of that recorded time has begun: what arrives from now on does not arrive before it. */
  clock(epochTimeMicros: number): void {
    const { clockLagMicros } = this.spec;
    if (clockLagMicros !== null) this.#watermark = Math.max(this.#watermark, epochTimeMicros - clockLagMicros);
  }

  /** The partition is not waited for until it gives something again. */
  idle(partition: number): void {
    const place = this.#place(partition);
    if (place.standing === "active") place.standing = "idle";
    this.#advance();
  }

  /** The partition gives nothing any more. */
  end(partition: number): void {
    this.#place(partition).standing = "ended";
    this.#advance();
  }

  /** Rows from another stage have their own time of arrival here; of fields, their times would have come with them. */
  told(): void {
    assert(this.spec.field === null, `nobody tells the time of "${this.spec.source}"`);
  }

  stamp(batch: Batch, epochTimeMicros: number): Timed {
    // Rows from another stage say where they once lay: of one partition there is nothing to ask.
    const [only, ...others] = this.#partitions.values();
    const place = others.length === 0 ? only : this.#place(batch.meta.partition);
    place.standing = "active";
    const time = this.#timeOf(batch, epochTimeMicros);
    const watermark = new Float64Array(batch.rows);
    const lateCount = this.#judge(time, watermark, place, this.#leastOfOthers(place));
    this.#advance();
    const whole: Batch = { ...batch, meta: { ...batch.meta, time, watermark } };
    if (lateCount === 0) return { fine: whole, late: null };
    return { fine: select(whole, this.#fineRows, batch.rows - lateCount), late: select(whole, this.#lateRows, lateCount) };
  }

  #timeOf(batch: Batch, epochTimeMicros: number): Float64Array {
    if (this.spec.field === null) return batch.meta.received ?? new Float64Array(batch.rows).fill(epochTimeMicros);
    const column = batch.columns[this.spec.field];
    assert(column?.kind === "number" && column.valid === null, "the time of a record was decoded, and is never null");
    return column.values;
  }

  /** Fills `watermark`, and the two lists of rows when one is late; returns how many are. */
  #judge(time: Float64Array, watermark: Float64Array, place: Partition, others: number): number {
    const { latenessMicros } = this.spec;
    const rows = watermark.length;
    const floor = this.#watermark;
    const judges = this.spec.late === "record";
    if (judges && this.#lateRows.length < rows) {
      this.#lateRows = new Int32Array(rows);
      this.#fineRows = new Int32Array(rows);
    }
    const lateRows = this.#lateRows;
    const fineRows = this.#fineRows;
    let greatest = place.greatestMicros;
    let own = greatest - latenessMicros;
    // The first row may bring an idle partition back: it meets what there was without it.
    let mark = floor;
    let late = 0;
    for (let row = 0; row < rows; row++) {
      watermark[row] = mark;
      const micros = time[row];
      // Behind its own partition's watermark, or behind what the lane went on to while the partition was idle.
      if (judges && (micros < own || micros < floor)) lateRows[late++] = row;
      else {
        if (judges) fineRows[row - late] = row;
        if (micros > greatest) {
          greatest = micros;
          own = greatest - latenessMicros;
        }
      }
      const least = own < others ? own : others;
      if (least > mark) mark = least;
    }
    place.greatestMicros = greatest;
    return late;
  }

  #leastOfOthers(but: Partition): number {
    let least = Infinity;
    for (const place of this.#partitions.values()) {
      if (place === but || place.standing !== "active") continue;
      least = Math.min(least, place.greatestMicros - this.spec.latenessMicros);
    }
    return least;
  }

  #advance(): void {
    let least = Infinity;
    let active = 0;
    let ended = 0;
    for (const { standing, greatestMicros } of this.#partitions.values()) {
      if (standing === "ended") ended++;
      else if (standing === "active") {
        active++;
        least = Math.min(least, greatestMicros - this.spec.latenessMicros);
      }
    }
    // Where all are idle, nobody knows how far time has come: it stays. Where all have ended, it is at its end.
    if (active === 0) least = ended === this.#partitions.size ? Infinity : -Infinity;
    if (least > this.#watermark) this.#watermark = least;
  }

  #place(partition: number): Partition {
    const place = this.#partitions.get(partition);
    assert(place, `the lane reads partition ${partition} of "${this.spec.source}"`);
    return place;
  }
}
