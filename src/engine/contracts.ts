/**
 * What the engine asks of sources, operators and sinks. Transforms and connectors import this file and nothing else of
 * the engine. The rules behind it: DESIGN.md section 1 (epochs, lanes, commit protocol).
 */
import type { Batch, Rejected } from "../data/batch.ts";
import type { RecordType } from "../data/types.ts";
import type { Anew, HeldRun } from "./held_run_contracts.ts";
import type { History, HistorySpec } from "./history_contracts.ts";
import type { Marker, RefusedRow } from "./marker_contracts.ts";

export type * from "./held_run_contracts.ts";
export type * from "./history_contracts.ts";
export type * from "./marker_contracts.ts";

/** Opaque to the engine, compared with `===`, at most 200 characters, versioned by its owner. */
export type Position = string;

// ---- sources ------------------------------------------------------------------------------------------------------

export interface PollLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
  /** Replay: stop exactly here, never beyond. Also the bound of a bounded read. */
  readonly until?: Position;
}
export type Polled =
  /** `next` is where the row after this batch starts. `read` counts records, those that were rejected or dropped included. */
  | {
    readonly kind: "batch";
    readonly batch: Batch;
    readonly rejected: readonly Rejected[];
    readonly read: number;
    readonly next: Position;
    /** Records that said of a row that it is no more, and are not passed on: read = rows + rejected + deletes. Absent: none. */
    readonly deletes?: number;
    /** What lanes of the pipeline that writes the source said behind these rows about their event time. */
    readonly told?: readonly LaneTime[];
    /** Called at most once, when nobody reads the batch any more: its memory may be used again. Who keeps batches does not call it. */
    release?(): void;
  }
  /** Nothing now; ask again after `retryAfterMs`, or when `arrived` resolves: then something may be there. It never rejects. */
  | { readonly kind: "idle"; readonly retryAfterMs: number; readonly arrived?: Promise<void> }
  | { readonly kind: "end" };

/** How far event time had come in one lane of the pipeline that wrote what is read here. */
export interface LaneTime {
  readonly lane: number;
  /** How many there are. */
  readonly lanes: number;
  /** µs; -Infinity before any row, Infinity at the end. */
  readonly watermark: number;
  /** It is not waited for. */
  readonly idle: boolean;
}

/** Reads one partition of one source. The same range gives the same rows and rejects, however it is cut into batches. */
export interface SourceReader {
  readonly start: Position;
  /** It reads ahead by itself, so it is polled when a batch is wanted, tables apart: rows are made right before they are worked on. */
  readonly readsAhead?: boolean;
  poll(from: Position, limits: PollLimits): Promise<Polled>;
  /** A checkpoint covers everything before `position`: it will not be asked for again. */
  released?(position: Position): void;
  /** Records from `position` on that are there, as far as the newest answer told; null where nobody knows. For those who watch. */
  behind?(position: Position): number | null;
  /** Whether everything that was there when this was first asked lies before `position`. For sources that can fill a table: what they
   * have is read before others' records look into it. Never so for one with an end of its own, which is then waited for. */
  hasCaughtUp?(position: Position): Promise<boolean>;
  /**
   * The run is to stop. For sources that take in what they cannot ask for again: takes in nothing more; what was taken in is still
   * given out, behind which every poll is idle.
   */
  stopIntake?(): Promise<void>;
  close(): void;
}
/** A source of a running pipeline. */
export interface Source {
  /** Number of partitions, fixed for a run. May wait until the source exists (for example a topic made by a producer). */
  partitions(): Promise<number>;
  reader(partition: number): Promise<SourceReader>;
  /** The input of a bounded run (size and digest of a file, ...): equal text, equal input. "" for an endless one, and "before" it is read
   * (the default) for one that may still grow; "behind": as far as it was read, or would be now. */
  identity(asked?: "before" | "behind"): Promise<string>;
  /** Fraction read in [0, 1] for progress bars, where it can be told. */
  progress?(positions: readonly Position[]): number;
  /**
   * Replicas of the pipeline share the partitions: each to one of them, or "whole": all to one. Absent where the source cannot be
   * shared. Asked once.
   */
  share?(spread: "each" | "whole"): PartitionShare;
  /** Checkpoints cover the partition up to here: for those who watch from outside. Does not wait, and may be late. */
  covered?(partition: number, position: Position): void;
}

/** This process's part in reading a source that replicas share. Who reads what is settled among them; generations keep owners apart. */
export interface PartitionShare {
  /** Takes part until `leave`. What it tells, it tells between two tasks, never from within a call of this interface. */
  join(told: ShareListener): void;
  /** A partition that was taken away is finished and let go of: another replica may be given it now. */
  released(partition: number): void;
  /** Resolves when the replicas have been heard to count this process in since the call, or the signal comes. */
  confirmed(signal: AbortSignal): Promise<void>;
  /** After it the other replicas share what this one had. Does not fail: who is not heard is missed soon. */
  leave(): Promise<void>;
}
export interface ShareListener {
  /** The partitions to read from now on; those missing from it are to be finished and released. */
  assigned(partitions: readonly number[]): void;
  /** It cannot take part any more. */
  failed(error: unknown): void;
}

// ---- event time ---------------------------------------------------------------------------------------------------

/**
 * How the records of a source get their event time. The watermark of a partition is the greatest time seen less the lateness; that of
 * the lane the least over its partitions that are neither idle nor at their end. It never goes back.
 */
export interface EventTime {
  readonly source: string;
  /** The node whose port "out" gives rows their time: the source, or the intake behind it. */
  readonly node: string;
  /** Its timestamp field; null: time of arrival, as the source kept it, else the recorded time of the epoch. */
  readonly field: number | null;
  /** Time of arrival: how far the watermark is behind the recorded time of each epoch, rows or none; null: only rows move it. */
  readonly clockLagMicros: number | null;
  readonly latenessMicros: number;
  /** A partition that gave nothing for so long is not waited for. */
  readonly idleMs: number;
  /** Rows bring their times along, and the lanes that wrote them tell how far time has come: nothing is judged here again. */
  readonly carried?: true;
  /** "record": what is older than the watermark leaves through the node's port "late". "window": operators decide. */
  readonly late: "window" | "record";
}

// ---- operators ----------------------------------------------------------------------------------------------------

export type Counted = "filtered" | "duplicates" | "folded" | "deletes" | "again";
/** Where an operator's results go. Valid only during the call it was given to. */
export interface Output {
  /** Hands a batch to everything connected to the port ("out" unless the operator documents others). */
  emit(port: string, batch: Batch): void;
  /** Row `row` of `batch` (an input of the current call) is refused; it goes to the node's `rejected` port with its bytes. */
  reject(batch: Batch, row: number, reason: string): void;
  /**
   * Rows that ended here on purpose. `folded`: into an aggregate or a table; `deletes`: they took a key out of a table.
   * `again`: rows that are drained though they have left before. In + again = out + filtered + duplicates + folded + deletes + rejected.
   */
  count(what: Counted, rows: number): void;
  /** Recorded time of the epoch, µs: the only clock an operator may read. */
  readonly epochTimeMicros: number;
}

/** One node of the graph, in one lane. Synchronous and deterministic: no clock, randomness or outside world. */
export interface Operator {
  /** Must not keep the batch or its columns beyond the call. */
  process(input: number, batch: Batch, out: Output): void;
  /**
   * No older row than `micros` is to be expected on any input, but for late ones; Infinity at the end. Must not emit: what is due is
   * emitted by `drain`. Only grows. Called again after a recovery.
   */
  watermark?(micros: number): void;
  /** An epoch of this recorded time (µs) begins; never before that of an earlier one. Must not emit: what is due is drained. */
  epochBegan?(micros: number): void;
  /** An epoch is complete, or the state was restored as one left it. What is told once an epoch becomes due. Must not emit. */
  epochEnded?(): void;
  /** The pipeline stops: what is to leave unfinished becomes due. Called once more for every epoch that gives it out. Must not emit. */
  stopping?(): void;
  /** The input has ended for good. Must not emit: what is due is emitted by `drain`. Called again after a recovery. */
  inputEnded?(input: number): void;
  /**
   * Operators that hold rows back (a bounded aggregate, a join's left side) give them out here, like a source: from row
   * `at` on, at most `rowsMax` of them; returns the next position. The engine records the positions in the schedule.
   * Only called while `backlog(at)` is above 0.
   */
  drain?(at: number, rowsMax: number, out: Output): number;
  /** Rows that `drain` could give out from `at` on, now. */
  backlog?(at: number): number;
  /** The recorded time (µs) of an epoch that makes something due; Infinity where nothing waits for one. */
  epochDueMicros?(): number;
  /** How far the watermark may be passed on to those who read this node: not beyond what held rows met. Infinity: it may. */
  heldBackMicros?(): number;
  /** The watermark (µs) that makes something due; Infinity where nothing waits. Where time is the clock's, an epoch is begun for it. */
  dueMicros?(): number;
  /** The result so far as rows, without changing anything: for reports and checks. */
  peek?(): Batch;
  /** Adds another lane's result into this one; for reports and checks after a run. */
  absorb?(other: Operator): void;
}

// ---- keyed state --------------------------------------------------------------------------------------------------

/** "wide": a sum that may pass 2^53. "value": anything JSON can hold. */
export type StateColumnKind = "number" | "text" | "wide" | "value";
export interface StateTableSpec {
  readonly name: string;
  /** Kinds of the key's parts, at most 4. A part may be null. bool keys are numbers. */
  readonly key: readonly ("number" | "text")[];
  readonly columns: readonly { readonly name: string; readonly kind: StateColumnKind }[];
  /** Stated by the operator; a stored table of another version is refused, never misread. */
  readonly version: number;
}
/** Arrays grow by being replaced: always go through the property, never keep the array across an `insert`. */
export interface NumberState {
  values: Float64Array;
  /** 1 where a value is there. New slots hold null (0). */
  valid: Uint8Array;
}
export interface TextState {
  values: (string | null)[];
}
export interface ValueState {
  values: unknown[];
}
/** value = hi * 2^52 + lo, both exact; |lo| < 2^52. */
export interface WideState {
  hi: Float64Array;
  lo: Float64Array;
}
export type KeyPart = number | string | null;

/** Rows behind a hash index. Slots count from 0 in order of insertion, as long as nothing is removed; a removed row's slot is used again. */
export interface StateTable {
  /** Slots that were ever used: all rows have slots below. */
  readonly size: number;
  /** Rows there. */
  readonly live: number;
  find(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number;
  /** The slot of the key, made (all columns null, sums 0) when it is not there; it then counts as touched. */
  insert(a: KeyPart, b?: KeyPart, c?: KeyPart, d?: KeyPart): number;
  /** As `find` and `insert`, of a table whose key is one text: the UTF-8 bytes[from, to), which may lie in a batch. */
  findText(bytes: DataView, from: number, to: number): number;
  insertText(bytes: DataView, from: number, to: number): number;
  /** Say so after writing into a slot: it belongs to this epoch's changes. */
  touch(slot: number): void;
  /** Takes the row out. Other rows keep their slots. Costs what one insert costs. */
  remove(slot: number): void;
  /** Whether a slot below `size` holds a row. */
  isLive(slot: number): boolean;
  /**
   * Announces that the number keys of rows [from, to), one array per part, will be looked for soon. Changes nothing: many keys at once
   * are fetched from memory side by side, one after the other each would be waited for. Some hundred rows at a time.
   */
  warm(keys: readonly Float64Array[], from: number, to: number): void;
  keyOf(slot: number): readonly KeyPart[];
  number(column: string): NumberState;
  text(column: string): TextState;
  value(column: string): ValueState;
  wide(column: string): WideState;
}
export interface StateStore {
  table(spec: StateTableSpec): StateTable;
  history(spec: HistorySpec): History;
}

/** A table of a lane that one operator keeps and others look into, as it is now. Its rows change between calls, never within one. */
export interface KeptTable {
  /** Finds rows: a slot, or -1. */
  readonly state: StateTable;
  /** By slot, in the order of the table's fields; null for those that nobody reads. As state columns: go through the property. */
  readonly columns: readonly (KeptColumn | null)[];
  /** Told of the slots of rows whose keys had none, in the call that brought them. Must not emit: what that makes due is drained. */
  readonly followers: ((slots: readonly number[]) => void)[];
}
export type KeptColumn =
  | { readonly kind: "number"; readonly values: Float64Array; readonly valid: Uint8Array }
  | { readonly kind: "value"; readonly values: readonly unknown[] };

/** What an operator gets when a lane makes it. */
export interface OperatorContext {
  readonly lane: number;
  readonly state: StateStore;
  /** By name. A keeper puts its table here; those who look into it are made behind it. Absent: there are none. */
  readonly tables?: Map<string, KeptTable>;
}

// ---- sinks --------------------------------------------------------------------------------------------------------

/** Names an epoch of a lane, for markers. */
export interface EpochStamp {
  readonly pipeline: string;
  readonly run: string;
  readonly lane: number;
  readonly epoch: number;
  /** The owner's generation; only grows. */
  readonly owner: number;
  /** Digest of the epoch's intent. */
  readonly digest: string;
  /** Recorded time of the epoch, µs: the same however often it is delivered, and never before that of an earlier one. */
  readonly timeMicros: number;
  /** Said where the pipeline was told to stop with this epoch, however often it is delivered. */
  readonly stopping?: true;
  /** How far event time had come at what the sink reads: to a sink that carries it, where it has changed. */
  readonly time?: Pick<LaneTime, "watermark" | "idle">;
}
export type Guarantee = "exactly-once" | "at-least-once";

/** Rows of the run so far, for one lane. */
export interface SinkLane {
  /** After it returns, nothing of an older owner takes effect; then it tells the marker. Drops rows collected before. */
  fence(owner: number): Promise<Marker | null>;
  /** Collects rows of the open epoch. Must not keep the batch. Synchronous; big spills wait in `deliver`. */
  write(batch: Batch): void;
  /** Makes the collected rows visible with the marker: all or nothing, at most once per epoch. May have no rows. Returns what was refused. */
  deliver(stamp: EpochStamp): Promise<void | readonly RefusedRow[]>;
  /** Forgets the collected rows (the epoch was already delivered, or the lane is dropped). */
  discard(): void;
  /** Bytes collected and not yet delivered, to close big epochs early. */
  bytesHeld(): number;
  /** The lane goes to another replica: closes what only it needed. Nothing is asked of this object afterwards. */
  release?(): Promise<void>;
  /**
   * The recorded time (µs) from which on this lane wants an epoch even where no input comes, for example to close a file in
   * time; null for never. Only an epoch may decide such things: its time is replayed, a clock is not.
   */
  dueMicros?(): number | null;
  /** Whether a planned stop should give this lane one more epoch, stamped `stopping`, to show what it would else keep open. */
  holdsOpen?(): boolean;
}
export interface Sink {
  readonly guarantee: Guarantee;
  /** Writes for another pipeline that goes on with the rows' event time: its lanes are delivered epochs in which only time went on. */
  readonly carriesTime?: true;
  /** Of one with markers. */
  readonly anew?: Anew;
  /**
   * The runs of the pipeline of which it holds something. May be asked before `open`; nothing that is there is changed by it, and what is
   * not there holds nothing. Absent: it has no markers.
   */
  heldRuns?(of: { readonly pipeline: string; readonly shownAs?: string; readonly lanes: number }): Promise<readonly HeldRun[]>;
  /** Rows that the target does not take leave through the sink's port `rejected` in the epoch behind theirs; else they are faults. */
  readonly refuses?: true | undefined;
  /** Called once per start, before any lane. `fresh`: no epoch of this run was ever committed, so what an earlier run left may be cleared. */
  open(run: {
    readonly pipeline: string;
    /** What people call it, where that is another name: whose the sink's place is. */
    readonly shownAs?: string;
    readonly run: string;
    readonly lanes: number;
    readonly fresh: boolean;
    /** How long an epoch is open as a rule; absent: nobody knows. */
    readonly epochMs?: number;
  }): Promise<void>;
  lane(lane: number): SinkLane;
  /** Returns when readers see all that was delivered, where `deliver` may return before. */
  settle?(): Promise<void>;
  /** End of a bounded run, after every lane's last flip: publish. Idempotent: a crashed publish is done again. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

// ---- the plan that the engine runs ----------------------------------------------------------------------------------

export interface Edge {
  /** A source's or operator's name. */
  readonly from: string;
  /** "out" or another port the node documents, "rejected" included. */
  readonly port: string;
}
export interface SourceNode {
  readonly name: string;
  readonly type: RecordType;
  readonly source: Source;
  /** Sources of a lower rank are read to their end first; a join's right side comes before its left. */
  readonly rank: number;
  /**
   * Set where its records fill a table: every lane reads all of its partitions, beside those of the other sources and as long as these
   * go on. "caught_up": the others are read when everything that is there at the start has been. Event time does not wait for it.
   */
  readonly table?: { readonly ready: "caught_up" | "at_once" };
}
export interface OperatorNode {
  readonly name: string;
  /** inputs[i] are the edges of input number i. */
  readonly inputs: readonly (readonly Edge[])[];
  /** The operators whose tables it looks into: they stand before it, and no end is told to it before theirs. */
  readonly tables?: readonly string[];
  create(context: OperatorContext): Operator;
}
export interface SinkNode {
  readonly name: string;
  readonly inputs: readonly Edge[];
  readonly sink: Sink;
}
/** Nodes stand in topological order. */
export interface PipelinePlan {
  readonly pipeline: string;
  /** As its rejects say it, where that is another name. */
  readonly shownAs?: string;
  /** Changes when anything changes that could change outputs. */
  readonly hash: string;
  readonly sources: readonly SourceNode[];
  readonly operators: readonly OperatorNode[];
  readonly sinks: readonly SinkNode[];
  /** Of the sources that have event time. */
  readonly times?: readonly EventTime[];
  readonly epoch: { readonly everyMs: number; readonly recordsMax: number; readonly bytesMax: number };
  /** true: each partition of the source is a lane. false: one lane reads everything. */
  readonly lanesByPartition: boolean;
}
