/**
 * One simulated life of a pipeline: processes are started, struck by the fault plan and replaced until one of them reaches the end of the
 * input and publishes; then everything late is let in, and what the sinks hold is compared with the model.
 */
import { decodeHead } from "../../src/engine/head.ts";
import { FencedError, runPipeline } from "../../src/engine/mod.ts";
import type { World } from "../../src/ports/mod.ts";
import type { EngineResult, Replicas } from "../../src/engine/run_contracts.ts";
import { MillraceError } from "../../src/data/fault.ts";
import { Crashed, OutcomeUnknown } from "../../src/sim/crashed.ts";
import { FaultDriver, type Strike } from "../../src/sim/fault_plan.ts";
import type { SimProcess } from "../../src/sim/process.ts";
import { type Booted, type SimWorld, simWorld } from "../../src/sim/world.ts";
import { type Configured, configuredPipeline } from "./configured.ts";
import { KV_PATH, planFor, RUN, Servers } from "./pipeline.ts";
import { lanesOf, type Setup, setupOf, type SinkKind } from "./setup.ts";
import { readAll } from "./read_all.ts";
import { problemsOf } from "./verify.ts";
import { watchMarkers } from "./watch_markers.ts";

export interface SimulationOptions {
  /** Only the first so many faults of the plan strike. */
  readonly faultsMax?: number;
  readonly traceLinesMax?: number;
  /** Instead of those that the seed chooses. */
  readonly sinks?: readonly SinkKind[];
}
export interface SimulationOutcome {
  readonly seed: number;
  /** Empty for a run as it must be. */
  readonly problems: readonly string[];
  readonly strikes: readonly Strike[];
  /** Names the whole course of the run. */
  readonly hash: string;
  readonly trace: readonly string[];
  readonly events: number;
}

/** More lives than faults can explain mean that the pipeline never gets through. */
const LIVES_MAX = 80;
const RESTART_MS = 5;
const LOCK_PATH = "state/owner.lock";
const PROBLEMS_MAX = 12;

/** One run, whose sinks are open already. */
const REPLICAS: Replicas = {
  mayClear: () => Promise.resolve("others have begun"),
  opened: () => Promise.resolve(),
  requireRun: () => Promise.resolve(),
};

type End = { readonly kind: "ended"; readonly result: EngineResult } | { readonly kind: "stopped" } | {
  readonly kind: "failed";
  readonly error: unknown;
};
interface Life {
  readonly number: number;
  readonly process: SimProcess;
  readonly abort: AbortController;
  end: End | null;
}

/** Runs one seed. Never throws for a fault of the code under test: it is among the problems. */
export async function runSimulation(seed: number, options: SimulationOptions = {}): Promise<SimulationOutcome> {
  const setup = setupOf(seed, options.sinks);
  return await new Simulation(setup, await configuredPipeline(), options).run();
}

class Simulation {
  readonly #setup: Setup;
  readonly #configured: Configured;
  readonly #world: SimWorld;
  readonly #servers: Servers;
  readonly #driver: FaultDriver;
  readonly #problems: string[] = [];
  readonly #isShared: boolean;
  #lives: Life[] = [];
  #livesBegun = 0;
  /** Where the input has no end: the heads cover all of it. */
  #isAllRead = false;

  constructor(setup: Setup, configured: Configured, options: SimulationOptions) {
    this.#setup = setup;
    this.#isShared = setup.deployment === "shared";
    this.#configured = configured;
    this.#world = simWorld(setup.seed, { hazards: setup.hazards, traceLinesMax: options.traceLinesMax ?? 0 });
    this.#servers = new Servers(this.#world, setup);
    const faults = setup.faults.slice(0, options.faultsMax ?? setup.faults.length);
    this.#driver = new FaultDriver(this.#world, faults, (process) => this.#lives.find((life) => life.process === process)?.abort.abort());
    const watch = watchMarkers(this.#world, lanesOf(setup), this.#servers.marked, (problem) => this.#report(problem));
    this.#world.hooks = {
      onStep: (process, step) => {
        watch(step);
        if (this.#isShared && (step === "head_flipped" || step === "loaded")) this.#isAllRead ||= this.#headsAreAtTheEnd();
        this.#driver.onStep(process, step);
      },
      onEffect: (process) => this.#driver.onEffect(process),
    };
  }

  async run(): Promise<SimulationOutcome> {
    try {
      if (this.#isShared) await this.#shareUntilRead();
      else await this.#runUntilEnded();
    } catch (error) {
      this.#report(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
    return {
      seed: this.#setup.seed,
      problems: this.#problems,
      strikes: this.#driver.strikes,
      hash: this.#world.trace.hash,
      trace: this.#world.trace.lines(),
      events: this.#world.scheduler.eventCount,
    };
  }

  async #runUntilEnded(): Promise<void> {
    await this.#compare(await this.#liveUntilEnded());
    await this.#letLateThingsHappen();
    // Started once more, a finished run has nothing to do, and knows all it had counted.
    await this.#compare(await this.#liveUntilEnded());
  }

  async #shareUntilRead(): Promise<void> {
    await this.#liveUntilEnded();
    await this.#stopAll();
    await this.#letLateThingsHappen();
    await this.#compare(null);
  }

  async #compare(result: EngineResult | null): Promise<void> {
    const { hooks } = this.#world;
    this.#world.hooks = {}; // Whoever looks at the result is not part of the experiment.
    const topic = this.#setup.sinks.has("topic") ? await this.#world.run(this.#readTopic()) : null;
    this.#world.hooks = hooks;
    for (const problem of problemsOf(this.#setup, { servers: this.#servers, disk: this.#world.disk, topic }, result)) this.#report(problem);
  }

  async #readTopic(): Promise<unknown[][]> {
    const { process, world } = this.#world.boot("reader");
    const rows = await readAll(this.#configured.topicSource(world), world.clock);
    process.kill();
    return rows;
  }

  /** Starts a process whenever too few are running, until one has reached the end, or, where there is none, the heads cover all. */
  async #liveUntilEnded(): Promise<EngineResult | null> {
    const areTooFew = (): boolean => this.#lives.filter(({ process }) => process.state === "alive").length < this.#setup.processes;
    while (!this.#isAllRead) {
      while (areTooFew()) this.#begin();
      await this.#world.scheduler.driveUntil(() => this.#isAllRead || this.#lives.some((life) => life.end !== null) || areTooFew());
      const over = this.#lives.filter((life) => life.end !== null);
      this.#lives = this.#lives.filter((life) => life.end === null && life.process.state !== "dead");
      for (const life of over) {
        const { process, end } = life;
        process.kill();
        if (end?.kind === "ended") return end.result;
        if (end?.kind === "failed") this.#judge(life, end.error);
      }
    }
    return null;
  }

  /** Those that would wait for more for ever are told to stop; who is frozen is not waited for. */
  async #stopAll(): Promise<void> {
    for (const { abort } of this.#lives) abort.abort();
    const isGoing = ({ end, process }: Life): boolean => end === null && process.state === "alive";
    await this.#world.scheduler.driveUntil(() => !this.#lives.some(isGoing));
  }

  #headsAreAtTheEnd(): boolean {
    const store = this.#world.kvStore(KV_PATH);
    const read = Array.from({ length: lanesOf(this.#setup) }, (_, lane) => {
      const entry = store.get(["lane", RUN, lane, "head"]);
      const head = entry && decodeHead(entry.value);
      return head?.intent === null ? head.inputs : [];
    }).flat();
    return this.#setup.records.every((records, partition) => {
      const input = read.find((one) => one.partition === partition);
      return records.length === 0 || input?.position === `n:${records.length}`;
    });
  }

  #begin(): void {
    if (this.#livesBegun >= LIVES_MAX) throw new Error(`no end after ${LIVES_MAX} processes`);
    const booted = this.#world.boot(`p${++this.#livesBegun}`);
    const life: Life = { number: this.#livesBegun, process: booted.process, abort: new AbortController(), end: null };
    this.#lives.push(life);
    this.#live(booted, life.abort.signal).then((end) => life.end = end, (error) => life.end = { kind: "failed", error });
  }

  /** What a process does from its start to its end. */
  async #live(booted: Booted, signal: AbortSignal): Promise<End> {
    const { world } = booted;
    do await world.clock.sleep(RESTART_MS); while (!await this.#mayRun(world));
    const kv = await world.openKv(KV_PATH);
    const plan = planFor(booted, this.#setup, this.#configured, this.#servers);
    const result = await runPipeline({ world, plan, kv, run: RUN, signal, ...(this.#isShared ? { replicas: REPLICAS } : {}) });
    if (!result.ended) return { kind: "stopped" };
    world.probe.step("finishing", plan.pipeline);
    for (const { sink } of plan.sinks) await sink.finish();
    world.probe.step("published", plan.pipeline);
    for (const { sink } of plan.sinks) await sink.close();
    world.probe.step("run_done", plan.pipeline);
    return { kind: "ended", result };
  }

  /** On one machine the pipeline has one process at a time: the kernel frees the lock when its owner dies, not while it is frozen. */
  async #mayRun(world: World): Promise<boolean> {
    return this.#setup.deployment !== "one_machine" || await world.locks.acquire(LOCK_PATH) !== null;
  }

  /** A process may give up because of the faults; anything else it dies of is a mistake. */
  #judge(life: Life, error: unknown): void {
    if (error instanceof FencedError || error instanceof Crashed || error instanceof OutcomeUnknown) return;
    if ((error as { code?: unknown }).code === "ENOSPC") return;
    if (error instanceof MillraceError && (error.retry !== "never" || error.code === "fenced" || error.code === "locked")) return;
    if (this.#setup.deployment !== "one_machine" && this.#isOverlapping(life, error)) return;
    this.#report(error instanceof Error ? `a process failed: ${error.stack ?? error.message}` : String(error));
  }

  /**
   * Two owners at once: one may complete, and clear away, what the other was about to complete; and a superseded one that cannot ask the store
   * who owns the lane tells the strange marker that it saw.
   */
  #isOverlapping(life: Life, error: unknown): boolean {
    const { code } = error as { code?: unknown };
    return code === "ENOENT" || code === "marker_mismatch" && (this.#isShared || life.number < this.#livesBegun);
  }

  /** Frozen processes go on, requests that were under way arrive. */
  async #letLateThingsHappen(): Promise<void> {
    this.#world.hooks = {};
    this.#driver.relieveAll();
    const observer = this.#world.boot("end");
    await this.#world.run(observer.world.clock.sleep(10_000 + this.#setup.hazards.lateMicrosMax / 1000));
    for (const life of this.#lives.splice(0)) {
      life.process.kill();
      if (life.end?.kind === "failed") this.#judge(life, life.end.error);
    }
  }

  #report(problem: string): void {
    if (this.#problems.length < PROBLEMS_MAX && !this.#problems.includes(problem)) this.#problems.push(problem);
  }
}
