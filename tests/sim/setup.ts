/** Everything that a seed decides about a simulation before it begins. */
import { ALL_FAULTS, type FaultKind, planFaults, type PlannedFault } from "../../src/sim/fault_plan.ts";
import { type Hazards, NO_HAZARDS } from "../../src/sim/hazards.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { makeRecords, type ModelRecord } from "./model.ts";

/** `database` is the shipped SQL sink, `topic` the embedded log, `stream` Kafka, `warehouse` ClickHouse. */
export type SinkKind = "files" | "topic" | "stream" | "warehouse" | "database";

export interface Setup {
  readonly seed: number;
  /**
   * one_machine: processes own the pipeline by a kernel lock, so a frozen one is waited for. replicas: they share only the KV store and the
   * servers, so a frozen one is superseded without knowing it. shared: several run at a time and share the partitions of a source without
   * an end, which move between them.
   */
  readonly deployment: "one_machine" | "replicas" | "shared";
  /** How many run at a time. */
  readonly processes: number;
  /** The operators of operators.ts, or the real transforms as configured.ts has them. */
  readonly operators: "by_hand" | "configured";
  readonly records: readonly (readonly ModelRecord[])[];
  readonly lanesByPartition: boolean;
  readonly epoch: { readonly everyMs: number; readonly recordsMax: number; readonly bytesMax: number };
  readonly batchRowsMax: number;
  readonly idlePerMille: number;
  /** Recorded time after which a rolled file is closed. */
  readonly rollMicros: number;
  /** How far a record may be behind the newest of its partition; null: records have no event time. */
  readonly latenessMicros: number | null;
  /** Characters that are remembered with every record; many: an epoch's changes are more than one commit takes. */
  readonly remembered: number;
  /** Kinds of sinks beside the tables, which are always there. */
  readonly sinks: ReadonlySet<SinkKind>;
  /** How many tokens the simulated ClickHouse remembers. */
  readonly windowTokens: number;
  readonly hazards: Hazards;
  readonly faults: readonly PlannedFault[];
}

const FAULTS_MAX = 6;
const ROUGH: Hazards = {
  lostAcknowledgement: 25,
  lostRequest: 25,
  lateRequest: 25,
  duplicated: 20,
  slow: 8,
  slowMicrosMax: 3_000_000,
  failedRead: 15,
  orphanApplied: 500,
  lateMicrosMax: 60_000,
  errorsMax: 12,
};

/** So that the changes of five records are more than one commit takes. */
const REMEMBERED_LONG = 150_000;
const SINK_SETS: readonly (readonly SinkKind[])[] = [
  ["files"],
  ["topic"],
  ["stream"],
  ["warehouse"],
  ["files", "topic"],
  [
    "stream",
    "warehouse",
  ],
  ["database"],
  ["database", "stream"],
];

/** Where the disk decides, what it loses is worth more than the rest. */
const DISK_FAULTS: readonly FaultKind[] = [...ALL_FAULTS, "power", "power", "power", "power"];

/** One to three lanes, 20 to 80 records, epochs of 1 to 10 records, up to six faults. `wanted`: these sinks, where they are possible. */
export function setupOf(seed: number, wanted?: readonly SinkKind[]): Setup {
  const random = new SeededRandom(seed ^ 0x5eed);
  const partitions = random.between(1, 3);
  const isLong = random.chance(20);
  const records = makeRecords((bound) => random.below(bound), partitions, isLong ? random.between(7, 12) : random.between(20, 80));
  const deployment = random.pick(["one_machine", "one_machine", "replicas", "replicas", "shared"] as const);
  const lanesByPartition = random.chance(750);
  // Which record is late depends on what else its lane reads: only of one partition it is known beforehand.
  const isTimed = (lanesByPartition || partitions === 1) && random.chance(500);
  const chosen = random.pick(SINK_SETS);
  const sinks = new Set((wanted ?? chosen).filter((kind) => isPossible(kind, deployment)));
  return {
    seed,
    deployment,
    processes: deployment === "shared" ? random.between(2, 3) : 1,
    operators: isLong ? "by_hand" : random.pick(["by_hand", "configured"] as const),
    records,
    lanesByPartition,
    latenessMicros: isTimed ? random.pick([0, 2_000_000, 5_000_000]) : null,
    remembered: isLong ? REMEMBERED_LONG : 0,
    sinks,
    windowTokens: random.pick([4, 10_000]),
    epoch: {
      everyMs: random.pick([5, 50, 1_000]),
      recordsMax: isLong ? random.between(5, 8) : random.between(1, 10),
      bytesMax: random.pick([300, 1 << 20]),
    },
    batchRowsMax: random.between(1, 12),
    idlePerMille: random.pick([0, 50, 300]),
    rollMicros: random.pick([1_000, 20_000, 60_000_000]),
    hazards: random.chance(600) ? ROUGH : { ...NO_HAZARDS, orphanApplied: 300, lateMicrosMax: 30_000 },
    faults: planFaults(random, FAULTS_MAX, sinks.has("files") || sinks.has("topic") ? DISK_FAULTS : ALL_FAULTS),
  };
}

/**
 * A topic of the embedded log has one writing process: it lives on one machine's disk, under its kernel's locks. Files are published at the
 * end of the input, which a shared source has not.
 */
function isPossible(kind: SinkKind, deployment: Setup["deployment"]): boolean {
  if (kind === "topic") return deployment === "one_machine";
  return kind !== "files" || deployment !== "shared";
}

export function lanesOf(setup: Setup): number {
  return setup.lanesByPartition ? setup.records.length : 1;
}
