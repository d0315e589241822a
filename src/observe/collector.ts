/**
 * Watches the lanes of one pipeline in the thread that runs them. Invariant: what it costs is a few steps per batch and a bounded
 * number of rows at each gathering; what it tells was committed, each thing once.
 */
import type { Batch } from "../data/batch.ts";
import { rowJson } from "../data/json/mod.ts";
import type { Edge } from "../engine/contracts.ts";
import type { EpochTimes, LaneReading, LaneView, RefusedRecord, Spectator } from "../engine/run_contracts.ts";
import { addHistogram, emptyHistogram, type Histogram, observe } from "./histogram.ts";
import { REASONS_MAX, ROWS_GATHERED_MAX, SAMPLES_GATHERED_MAX } from "./limits.ts";
import type { Panel, PanelGain } from "./panel.ts";
import { PanelTaker } from "./panel_taker.ts";
import { shownRecord, shownRow } from "./shown.ts";

/** A row that a sink was given. */
export interface TakenRow {
  readonly sink: string;
  readonly epoch: number;
  readonly timeMicros: number;
  readonly values: readonly string[];
}
/** A record that was refused. */
export interface Sample {
  readonly node: string;
  readonly reason: string;
  readonly timeMicros: number;
  readonly text: string;
}
/** What happened since the last time, and how it stands now. Plain data. */
export interface Collected {
  readonly lanes: ReadonlyMap<number, LaneReading>;
  /** Lanes that were let go, as they were then. */
  readonly gone: ReadonlyMap<number, LaneReading>;
  readonly epochs: number;
  readonly records: number;
  readonly epochTimes: Histogram;
  readonly checkpointTimes: Histogram;
  /** By sink. */
  readonly deliveryTimes: ReadonlyMap<string, Histogram>;
  /** Of the newest epoch. */
  readonly newest: Pick<EpochTimes, "records" | "durationMs" | "checkpointMs" | "timeMicros"> | null;
  /** Refused records by node and reason. */
  readonly reasons: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly samples: readonly Sample[];
  readonly rows: readonly TakenRow[];
  /** By panel. */
  readonly gains: ReadonlyMap<string, PanelGain>;
}
export interface CollectorOptions {
  readonly panels: readonly Panel[];
  /** By sink (as the engine calls it): names of the columns that are shown. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
  /** Names of fields that must not be shown. */
  readonly tagged: ReadonlySet<string>;
}

/** Of one lane's open epoch. */
interface Pending {
  readonly rows: { readonly sink: string; readonly values: readonly string[] }[];
  readonly reasons: Map<string, Map<string, number>>;
  readonly samples: Omit<Sample, "timeMicros">[];
}

export class Collector implements Spectator {
  readonly edges: readonly Edge[];
  readonly #options: CollectorOptions;
  readonly #takers: ReadonlyMap<Edge, readonly PanelTaker[]>;
  readonly #views = new Map<number, LaneView>();
  #gone = new Map<number, LaneReading>();
  readonly #pending = new Map<number, Pending>();
  readonly #rowsTaken = new Map<string, number>();
  #samplesTaken = 0;
  #gathered = nothing();
  #newest: Collected["newest"] = null;

  constructor(options: CollectorOptions) {
    this.#options = options;
    const takers = new Map<Edge, PanelTaker[]>();
    for (const panel of options.panels) {
      const edge = [...takers.keys()].find(({ from, port }) => from === panel.edge.from && port === panel.edge.port) ?? panel.edge;
      takers.set(edge, [...takers.get(edge) ?? [], new PanelTaker(panel)]);
    }
    this.#takers = takers;
    this.edges = [...takers.keys()];
  }

  held(lane: number, view: LaneView): void {
    this.#views.set(lane, view);
  }

  letGo(lane: number): void {
    const view = this.#views.get(lane);
    if (view) this.#gone.set(lane, view.read());
    this.#views.delete(lane);
    this.#pending.delete(lane);
    for (const takers of this.#takers.values()) for (const taker of takers) taker.drop(lane);
  }

  passed(lane: number, edge: Edge, batch: Batch): void {
    for (const taker of this.#takers.get(edge) ?? []) taker.take(lane, batch);
  }

  written(lane: number, sink: string, batch: Batch): void {
    const taken = this.#rowsTaken.get(sink) ?? 0;
    const count = Math.min(batch.rows, ROWS_GATHERED_MAX - taken);
    if (count <= 0) return;
    this.#rowsTaken.set(sink, taken + count);
    const names = this.#options.columns.get(sink) ?? [];
    const places = names.map((name) => batch.type.fields.findIndex((field) => field.name === name));
    const { rows } = this.#pendingOf(lane);
    for (let row = batch.rows - count; row < batch.rows; row++) rows.push({ sink, values: shownRow(batch, places, row) });
  }

  rejected(lane: number, node: string, reason: string, records: readonly RefusedRecord[]): void {
    const pending = this.#pendingOf(lane);
    count(pending.reasons, node, reason, records.length);
    for (let i = 0; i < records.length && this.#samplesTaken < SAMPLES_GATHERED_MAX; i++) {
      this.#samplesTaken++;
      pending.samples.push({ node, reason, text: shownRecord(bytesOf(records[i]), this.#options.tagged) });
    }
  }

  completed(lane: number, times: EpochTimes): void {
    const gathered = this.#gathered;
    gathered.epochs++;
    gathered.records += times.records;
    observe(gathered.epochTimes, times.durationMs);
    observe(gathered.checkpointTimes, times.checkpointMs);
    for (const [sink, ms] of times.deliveryMs) {
      let histogram = gathered.deliveryTimes.get(sink);
      if (!histogram) gathered.deliveryTimes.set(sink, histogram = emptyHistogram());
      observe(histogram, ms);
    }
    const { epoch, timeMicros, records, durationMs, checkpointMs } = times;
    this.#newest = { timeMicros, records, durationMs, checkpointMs };
    for (const takers of this.#takers.values()) for (const taker of takers) taker.complete(lane, timeMicros);
    const pending = this.#pending.get(lane);
    if (!pending) return;
    this.#pending.delete(lane);
    for (const { sink, values } of pending.rows) gathered.rows.push({ sink, epoch, timeMicros, values });
    for (const sample of pending.samples) gathered.samples.push({ ...sample, timeMicros });
    addReasons(gathered.reasons, pending.reasons);
  }

  /** What was gathered since the last call. */
  collect(): Collected {
    const gathered = this.#gathered;
    this.#gathered = nothing();
    this.#rowsTaken.clear();
    this.#samplesTaken = 0;
    const gone = this.#gone;
    this.#gone = new Map();
    const gains = new Map<string, PanelGain>();
    for (const takers of this.#takers.values()) for (const taker of takers) gains.set(taker.panel.id, taker.gained());
    const lanes = new Map([...this.#views].map(([lane, view]) => [lane, view.read()]));
    return { ...gathered, lanes, gone, newest: this.#newest, gains };
  }

  #pendingOf(lane: number): Pending {
    let pending = this.#pending.get(lane);
    if (!pending) this.#pending.set(lane, pending = { rows: [], reasons: new Map(), samples: [] });
    return pending;
  }
}

interface Gathered {
  epochs: number;
  records: number;
  readonly epochTimes: Histogram;
  readonly checkpointTimes: Histogram;
  readonly deliveryTimes: Map<string, Histogram>;
  readonly reasons: Map<string, Map<string, number>>;
  readonly samples: Sample[];
  readonly rows: TakenRow[];
}
const nothing = (): Gathered => ({
  epochs: 0,
  records: 0,
  epochTimes: emptyHistogram(),
  checkpointTimes: emptyHistogram(),
  deliveryTimes: new Map(),
  reasons: new Map(),
  samples: [],
  rows: [],
});

const encoder = new TextEncoder();

function bytesOf(raw: RefusedRecord): Uint8Array {
  if (!("batch" in raw)) return raw.raw;
  const column = raw.batch.meta.raw;
  if (column === null) return encoder.encode(rowJson(raw.batch, raw.row));
  return column.bytes.subarray(column.start[raw.row], column.end[raw.row]);
}

function count(reasons: Map<string, Map<string, number>>, node: string, reason: string, by: number): void {
  let ofNode = reasons.get(node);
  if (!ofNode) reasons.set(node, ofNode = new Map());
  const name = ofNode.has(reason) || ofNode.size < REASONS_MAX ? reason : "other";
  ofNode.set(name, (ofNode.get(name) ?? 0) + by);
}

/** Adds counts by node and reason. */
export function addReasons(into: Map<string, Map<string, number>>, more: ReadonlyMap<string, ReadonlyMap<string, number>>): void {
  for (const [node, ofNode] of more) for (const [reason, by] of ofNode) count(into, node, reason, by);
}

/** Adds durations by name. */
export function addHistograms(into: Map<string, Histogram>, more: ReadonlyMap<string, Histogram>): void {
  for (const [name, histogram] of more) {
    let known = into.get(name);
    if (!known) into.set(name, known = emptyHistogram());
    addHistogram(known, histogram);
  }
}
