/** All that is known of one watched pipeline: what its threads collected, added up. Invariant: bounded by limits.ts. */
import type { LaneReading, NodeCounters } from "../engine/run_contracts.ts";
import { addHistograms, addReasons, type Collected, type Sample, type TakenRow } from "./collector.ts";
import { addHistogram, emptyHistogram, type Histogram } from "./histogram.ts";
import { HISTORY_LENGTH, ROWS_KEPT_MAX, SAMPLES_KEPT_MAX } from "./limits.ts";
import { type PanelData, PanelSeries } from "./panel_series.ts";
import type { PipelineShape } from "./shape.ts";

/** waiting: for those it comes after, or for its lanes. draining: told to stop. */
export type PipelineState = "waiting" | "running" | "draining" | "done" | "stopped" | "failed";

export interface SourceReading {
  readonly source: string;
  readonly partition: number;
  readonly position: string;
  readonly ended: boolean;
  readonly behind: number | null;
  /** Greatest event time seen, µs; null: none. */
  readonly eventMicros: number | null;
  readonly idle: boolean;
}
/** One moment of the newest minutes. */
export interface Moment {
  readonly atMs: number;
  /** Records read and rows given to sinks, so far. */
  readonly read: number;
  readonly written: number;
  readonly rejected: number;
  readonly behind: number | null;
  readonly watermarkDelayMs: number | null;
  readonly epochMs: number | null;
  readonly checkpointMs: number | null;
  readonly epochRecords: number | null;
}

export class PipelineBoard {
  state: PipelineState = "waiting";
  /** Some of what it read was read by an earlier process. */
  resumed = false;
  epochs = 0;
  /** Records in complete epochs of this process. */
  records = 0;
  readonly epochTimes: Histogram = emptyHistogram();
  readonly checkpointTimes: Histogram = emptyHistogram();
  readonly deliveryTimes = new Map<string, Histogram>();
  readonly reasons = new Map<string, Map<string, number>>();
  readonly samples: Sample[] = [];
  readonly rows = new Map<string, TakenRow[]>();
  readonly series: ReadonlyMap<string, PanelSeries>;
  readonly history: Moment[] = [];
  /** Since the last snapshot. */
  newRows: TakenRow[] = [];
  newSamples: Sample[] = [];
  newest: Collected["newest"] = null;
  /** By thread: the lanes it holds. */
  readonly #lanes = new Map<number, ReadonlyMap<number, LaneReading>>();
  /** As lanes were when they were let go, so that no counter goes back. */
  readonly #lastSeen = new Map<number, LaneReading>();
  #positions: readonly SourceReading[] = [];

  constructor(readonly shape: PipelineShape) {
    this.series = new Map(shape.panels.map((panel) => [panel.id, new PanelSeries(panel)]));
  }

  /** What one of its threads has gathered. */
  add(thread: number, collected: Collected): void {
    this.#lanes.set(thread, collected.lanes);
    for (const lanes of [collected.gone, collected.lanes]) for (const [lane, reading] of lanes) this.#lastSeen.set(lane, reading);
    this.epochs += collected.epochs;
    this.records += collected.records;
    addHistogram(this.epochTimes, collected.epochTimes);
    addHistogram(this.checkpointTimes, collected.checkpointTimes);
    addHistograms(this.deliveryTimes, collected.deliveryTimes);
    addReasons(this.reasons, collected.reasons);
    if (collected.newest) this.newest = collected.newest;
    for (const sample of collected.samples) keep(this.samples, sample, SAMPLES_KEPT_MAX);
    for (const sample of collected.samples) keep(this.newSamples, sample, SAMPLES_KEPT_MAX);
    for (const row of collected.rows) {
      let kept = this.rows.get(row.sink);
      if (!kept) this.rows.set(row.sink, kept = []);
      keep(kept, row, ROWS_KEPT_MAX);
      keep(this.newRows, row, ROWS_KEPT_MAX);
    }
    for (const [panel, gain] of collected.gains) this.series.get(panel)?.add(gain);
    this.#positions = [...this.#held().values()].flatMap(readingsOf);
  }

  /** The lanes that this process holds, and those it held. */
  lanes(): ReadonlyMap<number, LaneReading> {
    return this.#lastSeen;
  }
  get lanesHeld(): number {
    return this.#held().size;
  }
  /** The partitions that this process reads. */
  positions(): readonly SourceReading[] {
    return this.#positions;
  }

  /** Counters of a node (as the engine calls it) over all lanes. */
  counters(node: string): NodeCounters {
    const sum = { in: 0, out: 0, filtered: 0, duplicates: 0, folded: 0, late: 0, rejected: 0, deletes: 0 };
    for (const { counters } of this.#lastSeen.values()) {
      const one = counters.get(node);
      if (one) { for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += one[name]; }
    }
    return sum;
  }

  /** Rows that left a node at a port, over all lanes. */
  passed(node: string, port: string): number {
    let rows = 0;
    for (const { ports } of this.#lastSeen.values()) rows += ports.get(node)?.get(port) ?? 0;
    return rows;
  }

  /** Rows and bytes of the state tables, by the engine's node. */
  stateOf(node: string): { rows: number; bytes: number } {
    const sum = { rows: 0, bytes: 0 };
    for (const { state } of this.#held().values()) {
      for (const { table, rows, bytes } of state) {
        if (!table.startsWith(`${node}.`)) continue;
        sum.rows += rows;
        sum.bytes += bytes;
      }
    }
    return sum;
  }

  /** The least watermark over the lanes, µs; null where there is none yet, Infinity at the end of time. */
  watermarkOf(node: string): number | null {
    let least = Infinity;
    let known = false;
    for (const { watermarks } of this.#held().values()) {
      const one = watermarks.get(node);
      if (one === undefined) continue;
      known = true;
      least = Math.min(least, one);
    }
    return known && least > -Infinity ? least : null;
  }

  /** How far the sources' event time is behind the clock, ms; null without event time, or at its end. */
  watermarkDelayMs(nowMicros: number): number | null {
    let delay: number | null = null;
    for (const { role, comesTo } of this.shape.nodes) {
      const watermark = role === "source" ? this.watermarkOf(comesTo) : null;
      if (watermark !== null && watermark !== Infinity) delay = Math.max(delay ?? 0, (nowMicros - watermark) / 1000);
    }
    return delay;
  }

  /** Records that are there and not read; null where no source can tell. */
  behind(): number | null {
    let sum: number | null = null;
    for (const { behind } of this.#positions) if (behind !== null) sum = (sum ?? 0) + behind;
    return sum;
  }

  /** The longest time that an epoch of one of its lanes has been open, ms. */
  openAgeMs(): number {
    let age = 0;
    for (const { open } of this.#held().values()) age = Math.max(age, open?.ageMs ?? 0);
    return age;
  }
  /** Bytes that sinks hold for the open epochs. */
  bytesHeld(): number {
    let bytes = 0;
    for (const { open } of this.#held().values()) bytes += open?.bytesHeld ?? 0;
    return bytes;
  }

  get read(): number {
    return this.#sum("source", ({ comesTo }) => this.counters(comesTo).in);
  }
  get written(): number {
    return this.#sum("sink", ({ comesTo }) => this.counters(comesTo).in);
  }
  get rejected(): number {
    let rejected = 0;
    for (const { counters } of this.#lastSeen.values()) for (const one of counters.values()) rejected += one.rejected;
    return rejected;
  }

  /** Notes how it stands for the charts of the newest minutes. */
  note(nowMicros: number): Moment {
    const moment = {
      atMs: nowMicros / 1000,
      read: this.read,
      written: this.written,
      rejected: this.rejected,
      behind: this.behind(),
      watermarkDelayMs: this.watermarkDelayMs(nowMicros),
      epochMs: this.newest?.durationMs ?? null,
      checkpointMs: this.newest?.checkpointMs ?? null,
      epochRecords: this.newest?.records ?? null,
    };
    keep(this.history, moment, HISTORY_LENGTH);
    return moment;
  }

  /** whole: all that is kept. change: of all panels what is new. fresh: the same, of those alone that gained something. */
  panels(which: "whole" | "change" | "fresh", nowMicros: number): Record<string, PanelData> {
    const chosen = [...this.series].filter(([, { isChanged }]) => which !== "fresh" || isChanged);
    return Object.fromEntries(chosen.map(([id, series]) => [id, which === "whole" ? series.whole(nowMicros) : series.change(nowMicros)]));
  }

  #sum(role: "source" | "sink", of: (node: PipelineShape["nodes"][number]) => number): number {
    return this.shape.nodes.reduce((sum, node) => node.role === role ? sum + of(node) : sum, 0);
  }

  #held(): ReadonlyMap<number, LaneReading> {
    const held = new Map<number, LaneReading>();
    for (const lanes of this.#lanes.values()) for (const [lane, reading] of lanes) held.set(lane, reading);
    return held;
  }
}

function readingsOf({ inputs, times }: LaneReading): SourceReading[] {
  return inputs.map((input) => {
    const time = times.find(({ source, partition }) => source === input.source && partition === input.partition);
    const eventMicros = time && Number.isFinite(time.greatestMicros) ? time.greatestMicros : null;
    return { ...input, eventMicros, idle: time?.idle ?? false };
  });
}

function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.splice(0, list.length - most);
}
