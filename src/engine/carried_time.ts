/**
 * Event time that comes with the rows: of a source that lanes of another pipeline write, each of which tells in every partition how far
 * its own time has come. Time here is the least over those lanes that are not idle, and stands still until each of them was heard.
 * Invariant: the watermark never goes back; what was told lies in the source like its rows, so a replay hears it again.
 */
import type { Batch } from "../data/batch.ts";
import { assert } from "../data/fault.ts";
import type { EventTime, LaneTime } from "./contracts.ts";
import type { SourceClock, Timed } from "./event_time.ts";
import type { PartitionTime } from "./head.ts";

type Told = Pick<LaneTime, "watermark" | "idle">;

/** By lane of the writer; a hole is a lane that was not heard yet. */
interface Partition {
  lanes: (Told | undefined)[];
  ended: boolean;
}

export class CarriedTime implements SourceClock {
  readonly spec: EventTime;
  readonly #partitions: ReadonlyMap<number, Partition>;
  #watermark: number;

  /** `from`: as the head has them, the writer's lanes as sources of their own. */
  constructor(spec: EventTime, partitions: readonly number[], from: readonly PartitionTime[], watermark: number) {
    this.spec = spec;
    this.#watermark = watermark;
    this.#partitions = new Map(partitions.map((partition) => [partition, { lanes: [], ended: false }]));
    for (const { source, partition, greatestMicros, idle } of from) {
      const lanes = this.#partitions.get(partition)?.lanes;
      const lane = source.startsWith(`${spec.source}#`) ? Number(source.slice(spec.source.length + 1)) : NaN;
      if (lanes && Number.isSafeInteger(lane)) lanes[lane] = { watermark: greatestMicros, idle };
    }
  }

  get watermark(): number {
    return this.#watermark;
  }

  get reached(): number {
    return this.#watermark;
  }

  get isIdle(): boolean {
    const open = [...this.#partitions.values()].filter(({ ended }) => !ended).flatMap(({ lanes }) =>
      lanes.length > 0 ? lanes : [undefined]
    );
    return open.some((told) => told?.idle) && open.every((told) => told?.idle || told?.watermark === Infinity);
  }

  times(): readonly PartitionTime[] {
    return [...this.#partitions].flatMap(([partition, { lanes }]) =>
      Array.from(lanes, (told, lane): PartitionTime => (
        { source: `${this.spec.source}#${lane}`, partition, greatestMicros: told?.watermark ?? -Infinity, idle: told?.idle ?? false }
      ))
    );
  }

  clock(): void {
    // Time is the writer's.
  }

  idle(): void {
    // A partition in which nobody tells anything says nothing about the time of those who write.
  }

  end(partition: number): void {
    this.#place(partition).ended = true;
    this.#advance();
  }

  told(partition: number, times: readonly LaneTime[]): void {
    const { lanes } = this.#place(partition);
    for (const { lane, lanes: count, watermark, idle } of times) {
      if (lanes.length < count) lanes.length = count;
      lanes[lane] = { watermark, idle };
    }
    this.#advance();
  }

  stamp(batch: Batch): Timed {
    assert(batch.meta.time !== null, `rows of "${this.spec.source}" bring their time`);
    const watermark = new Float64Array(batch.rows).fill(this.#watermark);
    return { fine: { ...batch, meta: { ...batch.meta, watermark } }, late: null };
  }

  #advance(): void {
    let least = Infinity;
    let isKnown = true;
    let waited = 0;
    for (const { lanes, ended } of this.#partitions.values()) {
      if (ended) continue;
      if (lanes.length === 0) isKnown = false;
      for (const told of lanes) {
        if (told === undefined) isKnown = false;
        else if (!told.idle) {
          waited++;
          least = Math.min(least, told.watermark);
        }
      }
    }
    const hasEnded = [...this.#partitions.values()].every(({ ended }) => ended);
    // Where nobody is waited for, nobody knows how far time has come: it stays.
    if (hasEnded || isKnown && waited > 0) this.#watermark = Math.max(this.#watermark, least);
  }

  #place(partition: number): Partition {
    const place = this.#partitions.get(partition);
    assert(place, `the lane reads partition ${partition} of "${this.spec.source}"`);
    return place;
  }
}
