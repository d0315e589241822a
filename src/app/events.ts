/** What a running project tells its caller; the command line draws it, tests collect it. */
import type { NodeCounters } from "../engine/run_contracts.ts";

export interface PipelineProgress {
  readonly pipeline: string;
  readonly records: number;
  /** Of those, read since this process began. */
  readonly recordsNow: number;
  /** In [0, 1], or null where the end cannot be told; as of this call, and to be asked only by who shows it. */
  fraction(): number | null;
}
/** A [[reports]] table, as text. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}
export interface CheckOutcome {
  readonly name: string;
  readonly passed: boolean;
  /** "opening 22271.17, approved 73894.87, closing 96166.04" */
  readonly values: string;
  readonly text: string;
}
export type PipelineStatus =
  /** Ended and published. */
  | "done"
  /** Nothing to do: the same run ended before. */
  | "already_done"
  /** Stopped by a signal; the next start goes on. */
  | "stopped";
export interface PipelineOutcome {
  readonly pipeline: string;
  readonly kind: string;
  readonly status: PipelineStatus;
  readonly run: string;
  readonly records: number;
  readonly rejected: number;
  readonly epochs: number;
  readonly durationMs: number;
  readonly counters: Readonly<Record<string, NodeCounters>>;
  readonly reports: readonly ReportTable[];
  readonly checks: readonly CheckOutcome[];
  readonly warnings: readonly string[];
  /** Sink name to the path or table where its result is. */
  readonly places: Readonly<Record<string, string>>;
}
export interface RunEvents {
  started(pipeline: string, resumed: boolean): void;
  progress(progress: PipelineProgress): void;
  finished(outcome: PipelineOutcome): void;
  notice(pipeline: string, text: string): void;
}
