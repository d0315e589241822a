/**
 * Watches the pipelines of a process: gathers what their lanes tell once per second, and answers those who ask. Invariant: a pipeline
 * runs the same whether anybody looks or not; whatever goes wrong here is told as a log event and stops nothing.
 */
import type { ServeSummary } from "../../component/serving.ts";
import type { Spectator } from "../../engine/run_contracts.ts";
import { Board } from "../../observe/board.ts";
import { type Collected, Collector } from "../../observe/collector.ts";
import { Dashboard } from "../../observe/dashboard.ts";
import { DELAY_PROBE_MS, GATHER_EVERY_MS, SNAPSHOT_EVERY_MS } from "../../observe/limits.ts";
import type { PipelineBoard, PipelineState } from "../../observe/pipeline_board.ts";
import type { Log, World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { FileSearch } from "./search_files.ts";
import { servedAsCollected } from "./served.ts";
import { collectorOptions, shapeOf } from "./shape.ts";

/** One pipeline under watch, as those who run it see it. */
export interface WatchedPipeline {
  readonly spectator: Spectator;
  /** Whether rows are looked at, or counts alone. */
  readonly show: "rows" | "counts";
  begun(resumed: boolean): void;
  /** Its lanes are owned and its sinks open. */
  opened(): void;
  /** What a worker thread has gathered; threads count from 1. */
  gathered(thread: number, collected: Collected): void;
  ended(state: PipelineState): void;
}

export interface WatchOptions {
  readonly world: World;
  readonly version: string;
  /** Takes secrets out of what is said. */
  readonly mask: (text: string) => string;
  /** Aborted: no new input is taken in. */
  readonly stopping: AbortSignal;
  readonly show: "rows" | "counts";
}

export class Watch {
  readonly board: Board;
  readonly dashboard: Dashboard;
  /** The log that is watched too. */
  readonly log: Log;
  readonly #options: WatchOptions;
  readonly #collectors = new Map<string, { readonly collector: Pick<Collector, "collect">; readonly board: PipelineBoard }>();
  readonly #written: FileSearch;
  readonly #closing = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: WatchOptions) {
    const { world, version, mask, show } = options;
    this.#options = options;
    this.board = new Board(version, world.clock.nowMicros() / 1000, mask);
    this.dashboard = new Dashboard(this.board, world.clock, show === "rows" ? (words) => this.#written.find(words) : null);
    this.#written = new FileSearch(world.files);
    this.log = {
      event: (level, name, fields) => {
        world.log.event(level, name, fields);
        this.board.noteEvent({ atMs: world.clock.nowMicros() / 1000, level, name, fields });
      },
    };
  }

  /** The pipelines that will run, so that those which wait are seen too. */
  expect(blueprints: readonly PipelineBlueprint[]): void {
    for (const one of blueprints) {
      for (const run of one.stages.length > 0 ? one.stages : [one]) {
        this.board.addPipeline(shapeOf(run));
        this.#written.add(run);
      }
    }
  }

  pipeline(blueprint: PipelineBlueprint): WatchedPipeline {
    const { show } = this.#options;
    const board = this.board.pipelines.get(blueprint.name) ?? this.board.addPipeline(shapeOf(blueprint));
    const collector = new Collector(collectorOptions(blueprint, show));
    this.#collectors.set(blueprint.name, { collector, board });
    return {
      spectator: collector,
      show,
      begun: (resumed) => {
        board.resumed = resumed;
      },
      opened: () => {
        board.state = "running";
      },
      gathered: (thread, collected) => board.add(thread, collected),
      ended: (state) => {
        board.add(0, collector.collect());
        this.#collectors.delete(blueprint.name);
        board.state = state;
      },
    };
  }

  /** A pipeline that serves without an engine: nothing but its counts can be seen. */
  served(blueprint: PipelineBlueprint): { began(soFar: () => ServeSummary): void; ended(state: PipelineState): void } {
    const board = this.board.pipelines.get(blueprint.name) ?? this.board.addPipeline(shapeOf(blueprint));
    let soFar: (() => ServeSummary) | null = null;
    const collect = () => servedAsCollected(blueprint, soFar!());
    return {
      began: (told) => {
        soFar = told;
        board.state = "running";
        this.#collectors.set(blueprint.name, { collector: { collect }, board });
      },
      ended: (state) => {
        if (soFar) board.add(0, collect());
        this.#collectors.delete(blueprint.name);
        board.state = state;
      },
    };
  }

  /** Begins to take snapshots. */
  start(): void {
    this.#loop = this.#run();
  }

  /** A last snapshot; then the streams end. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    this.#gather();
    this.#tick(0);
    this.dashboard.close();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options.world;
    const { signal } = this.#closing;
    let delayMs = 0;
    let tickMs = clock.monotonicMs();
    let gatherMs = tickMs;
    while (!signal.aborted) {
      const wokenAtMs = clock.monotonicMs();
      await clock.sleep(DELAY_PROBE_MS, signal);
      const nowMs = clock.monotonicMs();
      if (!signal.aborted) delayMs = Math.max(delayMs, nowMs - wokenAtMs - DELAY_PROBE_MS);
      if (nowMs - gatherMs < GATHER_EVERY_MS - DELAY_PROBE_MS / 2) continue;
      gatherMs = nowMs;
      this.#gather();
      if (nowMs - tickMs < SNAPSHOT_EVERY_MS - DELAY_PROBE_MS / 2) {
        this.dashboard.freshen();
        continue;
      }
      tickMs = nowMs;
      this.#tick(delayMs);
      delayMs = 0;
    }
  }

  #gather(): void {
    const { stopping } = this.#options;
    this.board.isDraining = stopping.aborted;
    for (const { collector, board } of this.#collectors.values()) {
      if (stopping.aborted && board.state === "running") board.state = "draining";
      board.add(0, collector.collect());
    }
  }

  #tick(loopDelayMs: number): void {
    const { world } = this.#options;
    if (world.process) this.board.noteProcess(world.process.figures(), world.clock.nowMicros() / 1000, Math.max(0, loopDelayMs));
    this.dashboard.tick();
  }
}
