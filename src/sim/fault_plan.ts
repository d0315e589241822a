/**
 * Which faults strike when, decided before the run. Invariant: a plan is a list, so that a failing run can be tried again with fewer of
 * them; each fault waits for its own trigger, counted since the one before struck.
 */
import type { ProtocolStep } from "../ports/mod.ts";
import type { SimProcess } from "./process.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { SimHooks, SimWorld } from "./world.ts";

export type FaultKind =
  /** SIGKILL: the page cache stays. */
  | "kill"
  /** Every process dies, and the disk forgets what was not synced. */
  | "power"
  /** The process stands still; a new one takes over; later it goes on. */
  | "freeze"
  /** A planned stop: the process finishes its epoch. */
  | "stop"
  /** The machine's wall clock jumps forth or back. */
  | "clock"
  /** For a while nothing more can be written to the disk. */
  | "disk_full";

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Strikes at the `count`-th protocol step, or at the `count`-th call that takes effect. */
  readonly at: "step" | "call";
  readonly count: number;
  /** freeze, disk_full: calls of other processes until that is over. */
  readonly callsLasting: number;
  /** clock: how far it jumps. */
  readonly micros: number;
}

const STEPS_MAX = 40;
const CALLS_MAX = 250;
const CALLS_FROZEN_MAX = 400;
/** A process that meets a full disk ends, and the next one begins at once. */
const CALLS_FULL_MAX = 60;
const CLOCK_JUMP_MICROS_MAX = 600_000_000;

/** Faults of the processes, some oftener than others. */
export const PROCESS_FAULTS: readonly FaultKind[] = ["kill", "kill", "power", "freeze", "stop"];
/** Those and what the machine does. */
export const ALL_FAULTS: readonly FaultKind[] = [...PROCESS_FAULTS, ...PROCESS_FAULTS, "clock", "disk_full"];

/** Up to `faultsMax` faults. */
export function planFaults(random: SeededRandom, faultsMax: number, kinds = PROCESS_FAULTS): PlannedFault[] {
  return Array.from({ length: random.between(0, faultsMax) }, () => {
    const at = random.pick(["step", "call"] as const);
    const kind = random.pick(kinds);
    return {
      kind,
      at,
      count: 1 + random.below(random.chance(300) ? 8 : at === "step" ? STEPS_MAX : CALLS_MAX),
      callsLasting: 1 + random.below(kind === "disk_full" ? CALLS_FULL_MAX : CALLS_FROZEN_MAX),
      micros: kind === "clock" ? random.between(-CLOCK_JUMP_MICROS_MAX, CLOCK_JUMP_MICROS_MAX) : 0,
    };
  });
}

/** What struck, for people and for the histogram of protocol steps. */
export interface Strike {
  readonly kind: FaultKind;
  readonly process: string;
  /** The last protocol step that any process had passed. */
  readonly after: ProtocolStep | "start";
}

/** A fault that passes by itself. */
interface Lasting {
  callsLeft: number;
  relieve(): void;
}

/** Carries a plan out through the hooks of a world. */
export class FaultDriver implements SimHooks {
  readonly strikes: Strike[] = [];
  readonly #world: SimWorld;
  readonly #plan: readonly PlannedFault[];
  readonly #stop: (process: SimProcess) => void;
  #next = 0;
  #steps = 0;
  #calls = 0;
  #lastStep: ProtocolStep | "start" = "start";
  #lasting: Lasting[] = [];

  /** `stop` asks a process to end in good order. */
  constructor(world: SimWorld, plan: readonly PlannedFault[], stop: (process: SimProcess) => void) {
    this.#world = world;
    this.#plan = plan;
    this.#stop = stop;
  }

  onStep(process: SimProcess, step: ProtocolStep): void {
    this.#lastStep = step;
    this.#steps++;
    this.#strikeWhenDue(process);
  }

  onEffect(process: SimProcess): void {
    this.#calls++;
    this.#relieveWhenDue();
    this.#strikeWhenDue(process);
  }

  /** Lets every frozen process go on, and makes room. */
  relieveAll(): void {
    for (const { relieve } of this.#lasting.splice(0)) relieve();
  }

  #relieveWhenDue(): void {
    const due = this.#lasting.filter((lasting) => --lasting.callsLeft === 0);
    this.#lasting = this.#lasting.filter(({ callsLeft }) => callsLeft > 0);
    for (const { relieve } of due) relieve();
  }

  #strikeWhenDue(process: SimProcess): void {
    const fault = this.#plan[this.#next];
    if (fault === undefined || (fault.at === "step" ? this.#steps : this.#calls) < fault.count) return;
    this.#next++;
    this.#steps = 0;
    this.#calls = 0;
    this.strikes.push({ kind: fault.kind, process: process.name, after: this.#lastStep });
    switch (fault.kind) {
      case "kill":
        return process.kill();
      case "power":
        return this.#world.losePower();
      case "freeze":
        this.#lasting.push({ callsLeft: fault.callsLasting, relieve: () => process.thaw() });
        return process.freeze();
      case "stop":
        return this.#stop(process);
      case "clock":
        return this.#world.jumpClock(fault.micros);
      case "disk_full":
        this.#lasting.push({ callsLeft: fault.callsLasting, relieve: () => this.#world.disk.isFull = false });
        this.#world.disk.isFull = true;
    }
  }
}
