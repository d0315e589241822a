/**
 * What a process shows of all its pipelines. Fed once per snapshot; read by the page, `top` and Prometheus. Invariant: nothing here
 * reads a clock or a value that must not be shown.
 */
import type { LogFields, LogLevel, ProcessFigures } from "../ports/mod.ts";
import { EVENTS_COUNTED_MAX, EVENTS_KEPT_MAX, HISTORY_LENGTH } from "./limits.ts";
import { PipelineBoard } from "./pipeline_board.ts";
import type { PipelineShape } from "./shape.ts";
import { hideAccounts } from "./shown.ts";

/** A log event as it is shown. */
export interface ShownEvent {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly name: string;
  readonly fields: LogFields;
}
/** The process at one moment. */
export interface ProcessMoment extends ProcessFigures {
  readonly atMs: number;
  /** The longest that the event loop kept a due timer waiting since the last snapshot. */
  readonly loopDelayMs: number;
  readonly cpuShare: number;
}
/** Log events that tell of a connection made anew. */
const RECONNECTED = new Set(["server_reached", "feed_lost", "lane_dropped"]);

export class Board {
  readonly pipelines = new Map<string, PipelineBoard>();
  readonly processHistory: ProcessMoment[] = [];
  /** By level and name. */
  readonly eventCounts = new Map<string, { readonly level: LogLevel; readonly name: string; count: number }>();
  readonly events: ShownEvent[] = [];
  newEvents: ShownEvent[] = [];
  /** Aborted runs take nothing new in. */
  isDraining = false;
  followers = 0;
  followersDropped = 0;
  readonly #mask: (text: string) => string;

  /** `mask` takes out what must not be said. */
  constructor(readonly version: string, readonly startedMs: number, mask: (text: string) => string) {
    this.#mask = mask;
  }

  addPipeline(shape: PipelineShape): PipelineBoard {
    const board = new PipelineBoard(shape);
    this.pipelines.set(shape.name, board);
    return board;
  }

  noteEvent(event: ShownEvent): void {
    const key = `${event.level} ${event.name}`;
    const known = this.eventCounts.get(key);
    if (known) known.count++;
    else if (this.eventCounts.size < EVENTS_COUNTED_MAX) this.eventCounts.set(key, { level: event.level, name: event.name, count: 1 });
    if (event.level === "debug") return;
    const fields = Object.fromEntries(
      Object.entries(event.fields).map(([name, value]) => [name, typeof value === "string" ? hideAccounts(this.#mask(value)) : value]),
    );
    for (const list of [this.events, this.newEvents]) {
      list.push({ ...event, fields });
      if (list.length > EVENTS_KEPT_MAX) list.shift();
    }
  }

  noteProcess(figures: ProcessFigures, atMs: number, loopDelayMs: number): void {
    const before = this.processHistory.at(-1);
    const cpuShare = before && atMs > before.atMs ? (figures.cpuMicros - before.cpuMicros) / 1000 / (atMs - before.atMs) : 0;
    this.processHistory.push({ ...figures, atMs, loopDelayMs, cpuShare });
    if (this.processHistory.length > HISTORY_LENGTH) this.processHistory.shift();
  }

  get reconnects(): number {
    let count = 0;
    for (const { name, count: times } of this.eventCounts.values()) if (RECONNECTED.has(name)) count += times;
    return count;
  }
}
