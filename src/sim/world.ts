/**
 * The other world: clock, disk, KV, locks and processes, all from one number (DESIGN.md section 9). What is durable belongs to the world
 * and outlives its processes; what a process sees comes through the ports of `boot`. Invariant: seed, options and code determine
 * everything that happens, told by `trace.hash`.
 */
import type { Lock, LogFields, NetAddress, ProtocolStep, World } from "../ports/mod.ts";
import { SimDisk } from "./disk.ts";
import { simFiles } from "./files.ts";
import { type Hazards, NO_HAZARDS } from "./hazards.ts";
import { simKv } from "./kv.ts";
import { SimKvStore } from "./kv_store.ts";
import { simNet, type SimServer } from "./net.ts";
import { type Host, SimProcess } from "./process.ts";
import { Scheduler } from "./scheduler.ts";
import { SeededRandom } from "./seeded_random.ts";
import { Trace } from "./trace.ts";

/** 2026-01-01T00:00Z: where every simulated world begins. */
export const SIM_START_MICROS = 1_767_225_600_000_000;

export interface SimOptions {
  /** Default: nothing goes wrong. */
  readonly hazards?: Hazards;
  /** Newest lines of the trace that are kept for people; default 0. */
  readonly traceLinesMax?: number;
  /** A run that needs more events counts as hanging; default 200,000. */
  readonly eventsMax?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Where a fault plan listens. Both may kill or freeze the process. */
export interface SimHooks {
  /** A living process passes a protocol step. */
  onStep?(process: SimProcess, step: ProtocolStep, detail: string): void;
  /** A call of a living process is about to take effect. */
  onEffect?(process: SimProcess): void;
}

export interface SimLogLine {
  readonly process: string;
  readonly level: string;
  readonly name: string;
  readonly fields: LogFields;
}

/** A process and the ports through which its code sees the world. */
export interface Booted {
  readonly process: SimProcess;
  readonly world: World;
}

export interface SimWorld {
  readonly trace: Trace;
  readonly disk: SimDisk;
  readonly scheduler: Scheduler;
  /** Set by the fault plan. */
  hooks: SimHooks;
  /** Log lines of all processes, in order. */
  readonly logLines: readonly SimLogLine[];
  /** Errors that hazards caused so far. */
  readonly errorCount: number;
  /** Starts a process on what is durable. */
  boot(name: string): Booted;
  /** The checkpoint store behind a path, for oracles. */
  kvStore(path: string): SimKvStore;
  /** A server on another machine, which outlives every process. */
  serve(address: NetAddress, server: SimServer): void;
  /** Wall clocks go forth, or back; time passes as before. */
  jumpClock(micros: number): void;
  /** Kills every process of the machine and lets the disk forget what was not synced. */
  losePower(): void;
  /** Runs the world until the promise settles, and settles alike. */
  run<T>(promise: Promise<T>): Promise<T>;
}

const LOG_LINES_MAX = 1_000;
const EVENTS_MAX = 200_000;

/** A world from a seed. Costs a few microseconds; an event in it about as much. */
export function simWorld(seed: number, options: SimOptions = {}): SimWorld {
  return new SeededWorld(seed, options);
}

class SeededWorld implements SimWorld {
  readonly trace: Trace;
  readonly disk = new SimDisk();
  readonly scheduler: Scheduler;
  readonly logLines: SimLogLine[] = [];
  hooks: SimHooks = {};
  errorCount = 0;
  #wallOffsetMicros = 0;
  readonly #random: SeededRandom;
  readonly #host: Host;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #stores = new Map<string, SimKvStore>();
  readonly #servers = new Map<string, SimServer>();
  readonly #lockOwners = new Map<string, SimProcess>();
  readonly #processes: SimProcess[] = [];

  constructor(seed: number, options: SimOptions) {
    const hazards = options.hazards ?? NO_HAZARDS;
    this.trace = new Trace(options.traceLinesMax ?? 0);
    this.scheduler = new Scheduler(options.eventsMax ?? EVENTS_MAX);
    this.#environment = options.environment ?? {};
    this.#random = new SeededRandom(seed);
    this.#host = {
      scheduler: this.scheduler,
      random: this.#random.fork(),
      trace: this.trace,
      hazards,
      spendError: () => this.errorCount < hazards.errorsMax && ++this.errorCount > 0,
      beforeEffect: (process) => this.hooks.onEffect?.(process),
    };
  }

  boot(name: string): Booted {
    const process = new SimProcess(name, this.#host);
    this.#processes.push(process);
    this.trace.add(this.scheduler.nowMicros, name, "booted", "");
    return { process, world: this.#portsOf(process) };
  }

  kvStore(path: string): SimKvStore {
    let store = this.#stores.get(path);
    if (store === undefined) this.#stores.set(path, store = new SimKvStore());
    return store;
  }

  serve({ host, port }: NetAddress, server: SimServer): void {
    this.#servers.set(`${host}:${port}`, server);
  }

  jumpClock(micros: number): void {
    this.trace.add(this.scheduler.nowMicros, "", "clock_jumped", String(micros));
    this.#wallOffsetMicros += micros;
  }

  losePower(): void {
    this.trace.add(this.scheduler.nowMicros, "", "power_lost", "");
    for (const process of this.#processes.splice(0)) process.kill();
    this.disk.losePower(this.#random);
  }

  async run<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.scheduler.driveUntil(() => isSettled);
    return await promise;
  }

  #portsOf(process: SimProcess): World {
    const random = this.#random.fork();
    const { scheduler } = this;
    return {
      clock: {
        nowMicros: () => (process.assertLiving(), SIM_START_MICROS + this.#wallOffsetMicros + scheduler.nowMicros),
        monotonicMs: () => (process.assertLiving(), scheduler.nowMicros / 1000),
        sleep: (ms, signal) => process.sleep(ms, signal),
      },
      random: { uint32: () => (process.assertLiving(), random.uint32()) },
      files: simFiles(process, this.disk, random.fork()),
      net: simNet(process, { scheduler, random: random.fork(), servers: this.#servers }),
      locks: { acquire: (path) => this.#acquire(process, path) },
      log: { event: (level, name, fields) => this.#log(process, level, name, fields) },
      environment: { get: (name) => this.#environment[name] },
      probe: { step: (step, detail) => this.#step(process, step, detail) },
      openKv: (path) => process.local({ what: "kv_open", detail: path, microsMax: 500, effect: () => simKv(process, this.kvStore(path)) }),
    };
  }

  #acquire(process: SimProcess, path: string): Promise<Lock | null> {
    const owners = this.#lockOwners;
    const release = (): void => {
      if (owners.get(path) === process) owners.delete(path);
    };
    const effect = (): Lock | null => {
      if (owners.has(path)) return null;
      owners.set(path, process);
      process.onDeath(release);
      return { release };
    };
    return process.local({ what: "lock", detail: path, microsMax: 200, effect });
  }

  #log(process: SimProcess, level: string, name: string, fields: LogFields): void {
    process.assertLiving();
    if (this.logLines.length < LOG_LINES_MAX) this.logLines.push({ process: process.name, level, name, fields });
    process.note(`log_${level}`, name);
  }

  #step(process: SimProcess, step: ProtocolStep, detail: string): void {
    process.assertLiving();
    process.note(step, detail);
    if (process.state === "alive") this.hooks.onStep?.(process, step, detail);
    process.assertLiving();
  }
}
