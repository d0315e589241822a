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
  | "stop";

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Strikes at the `count`-th protocol step, or at the `count`-th call that takes effect. */
  readonly at: "step" | "call";
  readonly count: number;
  /** freeze: calls of other processes until it goes on. */
  readonly callsFrozen: number;
}

const STEPS_MAX = 40;
const CALLS_MAX = 250;
const CALLS_FROZEN_MAX = 400;

/** Up to `faultsMax` faults. */
export function planFaults(random: SeededRandom, faultsMax: number): PlannedFault[] {
  return Array.from({ length: random.between(0, faultsMax) }, () => {
    const at = random.pick(["step", "call"] as const);
    return {
      kind: random.pick(["kill", "kill", "power", "freeze", "stop"] as const),
      at,
      count: 1 + random.below(random.chance(300) ? 8 : at === "step" ? STEPS_MAX : CALLS_MAX),
      callsFrozen: 1 + random.below(CALLS_FROZEN_MAX),
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
  #frozen: { readonly process: SimProcess; callsLeft: number }[] = [];

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
    this.#thawWhenDue();
    this.#strikeWhenDue(process);
  }

  /** Lets every frozen process go on. */
  thawAll(): void {
    for (const { process } of this.#frozen.splice(0)) process.thaw();
  }

  #thawWhenDue(): void {
    for (const frozen of this.#frozen) {
      if (--frozen.callsLeft === 0) frozen.process.thaw();
    }
    this.#frozen = this.#frozen.filter((frozen) => frozen.callsLeft > 0);
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
        this.#frozen.push({ process, callsLeft: fault.callsFrozen });
        return process.freeze();
      case "stop":
        return this.#stop(process);
    }
  }
}
