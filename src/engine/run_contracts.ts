/** The engine's entry and what it tells while it runs. Implemented in run.ts. */
import type { Kv, World } from "../ports/mod.ts";
import type { Batch, Rejected } from "../data/batch.ts";
import type { Edge, Operator, PartitionShare, PipelinePlan, Position } from "./contracts.ts";

export interface EngineOptions {
  readonly world: World;
  readonly plan: PipelinePlan;
  /** The pipeline's KV file; the caller holds the ownership lock. */
  readonly kv: Kv;
  /** Names this run; another run of the same pipeline starts from nothing. */
  readonly run: string;
  /** Whether the checkpoint's past has a run; then sinks that hold one of no such past are refused. Absent: they are not asked. */
  readonly knowsRun?: (run: string) => boolean;
  /** Aborted: stop at the next batch, finish the epoch, flip, return. */
  readonly signal: AbortSignal;
  readonly observer?: EngineObserver;
  /** Replicas share the partitions of the source that can be shared: lanes come and go while the run lasts. */
  readonly replicas?: Replicas;
  /** Other threads run the other lanes; the sinks were opened before, and what earlier runs left is cleared. */
  readonly part?: { readonly lanes: readonly number[] };
}
/** What replicas of a run agree upon beside their lanes. */
export interface Replicas {
  /** The part in the shared source; absent: the source's own. */
  readonly share?: PartitionShare;
  /** Asked before the sinks are opened: whether what earlier runs left may be cleared, or other replicas may have begun. */
  mayClear(): Promise<"nobody has begun" | "others have begun">;
  /** The sinks are open. */
  opened(): Promise<void>;
  /** Throws when another run was begun; asked before a lane is taken over. */
  requireRun(): Promise<void>;
}
/** Called per batch or per epoch, never per record. */
export interface EngineObserver {
  /** The lanes are owned and the sinks open: from here on readers of what this run writes meet this run. */
  opened?(): void;
  progress?(progress: Progress): void;
  epochFlipped?(lane: number, epoch: number, durationMs: number): void;
  /** After every epoch, as the source is told too. */
  covered?(source: string, partition: number, position: Position): void;
  /** What those see who look at the rows themselves. */
  readonly spectator?: Spectator;
}
/** A record that never was in a batch, or a row of one. */
export type RefusedRecord = Rejected | { readonly batch: Batch; readonly row: number };
/**
 * Watches lanes from within, without a say in anything. What it is told between two epochs counts only once the epoch is complete: a
 * lane that is dropped meanwhile tells the same again.
 */
export interface Spectator {
  /** Edges whose batches are shown. Sinks' own are shown by their names. */
  readonly edges: readonly Edge[];
  /** The lane is held by this process; `view` may be read between any two of its batches until `letGo`. */
  held(lane: number, view: LaneView): void;
  letGo(lane: number): void;
  /** Valid during the call only. */
  passed(lane: number, edge: Edge, batch: Batch): void;
  /** A batch goes into a sink. Valid during the call only. */
  written(lane: number, sink: string, batch: Batch): void;
  /** `node` refused them, all for one reason. */
  rejected(lane: number, node: string, reason: string, records: readonly RefusedRecord[]): void;
  completed(lane: number, epoch: EpochTimes): void;
}
/** One complete epoch. */
export interface EpochTimes {
  readonly epoch: number;
  readonly timeMicros: number;
  /** Records read and held rows given out. */
  readonly records: number;
  /** From its beginning to its flip. */
  readonly durationMs: number;
  /** Of that, what the checkpoint store took: intent, state and flip. */
  readonly checkpointMs: number;
  /** By sink, what its delivery took. */
  readonly deliveryMs: ReadonlyMap<string, number>;
}
/** A lane as it is seen from outside. */
export interface LaneView {
  read(): LaneReading;
}
/** Plain data: it may be posted to another thread. Counters are those of complete epochs. */
export interface LaneReading {
  readonly epoch: number;
  /** The epoch under way; null where there is none. */
  readonly open: { readonly ageMs: number; readonly records: number; readonly bytesHeld: number } | null;
  readonly counters: ReadonlyMap<string, NodeCounters>;
  /** Rows by node and port; "rejected" among the ports. */
  readonly ports: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly inputs: readonly InputReading[];
  /** Greatest event time seen (µs, -Infinity: none) of each partition that has event time. */
  readonly times: readonly {
    readonly source: string;
    readonly partition: number;
    readonly greatestMicros: number;
    readonly idle: boolean;
  }[];
  /** How far event time has come, µs, by source and operator. */
  readonly watermarks: ReadonlyMap<string, number>;
  /** Rows of every state table, and what they take in memory. */
  readonly state: readonly { readonly table: string; readonly rows: number; readonly bytes: number }[];
}
export interface InputReading {
  readonly source: string;
  readonly partition: number;
  readonly position: Position;
  readonly ended: boolean;
  /** Records that are there and not read yet, where that can be told. */
  readonly behind: number | null;
}
export interface Progress {
  /** Records read in this run, by earlier processes too. */
  readonly read: number;
  /** Records read since this process began. */
  readonly readNow: number;
  /** By source: positions of its partitions in partition order, as of this call; to be asked only by who shows them. */
  positions(): ReadonlyMap<string, readonly Position[]>;
}
/** Counters of one node over all lanes; they live in the heads, so they survive a crash. */
export interface NodeCounters {
  /** Sources: records read. Operators and sinks: rows that came in. */
  readonly in: number;
  /** Rows emitted at any port but `rejected`, counted once per row accepted (a source) or emitted (an operator). */
  readonly out: number;
  readonly filtered: number;
  readonly duplicates: number;
  readonly folded: number;
  /** Rows that came too late for event time: they left through the port `late`. */
  readonly late: number;
  readonly rejected: number;
  /** Records that said of a row that it is no more: a source did not pass them on, or a table took the row out. */
  readonly deletes: number;
}
export interface EngineResult {
  /** All sources ended and everything was drained and delivered; false when stopped by the signal. */
  readonly ended: boolean;
  readonly counters: ReadonlyMap<string, NodeCounters>;
  /** The operators of each lane with their state, for reports and checks. */
  readonly lanes: readonly ReadonlyMap<string, Operator>[];
  readonly epochs: number;
}
/** Thrown when another owner took a lane over. The command line exits with 3. */
export class FencedError extends Error {}
