/** Everything that a seed decides about a simulation before it begins. */
import { planFaults, type PlannedFault } from "../../src/sim/fault_plan.ts";
import { type Hazards, NO_HAZARDS } from "../../src/sim/hazards.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { makeRecords, type ModelRecord } from "./model.ts";

export interface Setup {
  readonly seed: number;
  /**
   * one_machine: processes own the pipeline by a kernel lock, so a frozen one is waited for. replicas: they share only the KV store and the
   * servers, so a frozen one is superseded without knowing it.
   */
  readonly deployment: "one_machine" | "replicas";
  /** The operators of operators.ts, or the real transforms as configured.ts has them. */
  readonly operators: "by_hand" | "configured";
  readonly records: readonly (readonly ModelRecord[])[];
  readonly lanesByPartition: boolean;
  readonly epoch: { readonly everyMs: number; readonly recordsMax: number; readonly bytesMax: number };
  readonly batchRowsMax: number;
  readonly idlePerMille: number;
  /** Recorded time after which a rolled file is closed. */
  readonly rollMicros: number;
  readonly hazards: Hazards;
  readonly faults: readonly PlannedFault[];
}

const FAULTS_MAX = 6;
const ROUGH: Hazards = {
  lostAcknowledgement: 25,
  lostRequest: 25,
  lateRequest: 25,
  failedRead: 15,
  orphanApplied: 500,
  lateMicrosMax: 60_000,
  errorsMax: 12,
};

/** One to three lanes, 20 to 80 records, epochs of 1 to 10 records, up to six faults. */
export function setupOf(seed: number): Setup {
  const random = new SeededRandom(seed ^ 0x5eed);
  const partitions = random.between(1, 3);
  const records = makeRecords((bound) => random.below(bound), partitions, random.between(20, 80));
  return {
    seed,
    deployment: random.pick(["one_machine", "replicas"] as const),
    operators: random.pick(["by_hand", "configured"] as const),
    records,
    lanesByPartition: random.chance(750),
    epoch: { everyMs: random.pick([5, 50, 1_000]), recordsMax: random.between(1, 10), bytesMax: random.pick([300, 1 << 20]) },
    batchRowsMax: random.between(1, 12),
    idlePerMille: random.pick([0, 50, 300]),
    rollMicros: random.pick([1_000, 20_000, 60_000_000]),
    hazards: random.chance(600) ? ROUGH : { ...NO_HAZARDS, orphanApplied: 300, lateMicrosMax: 30_000 },
    faults: planFaults(random, FAULTS_MAX),
  };
}

export function lanesOf(setup: Setup): number {
  return setup.lanesByPartition ? setup.records.length : 1;
}

/** A topic has one writing process: it lives on one machine's disk, under its kernel's locks. */
export function hasLocalSinks(setup: Setup): boolean {
  return setup.deployment === "one_machine";
}
