/** What sinks tell of the runs that wrote through them, for a start that finds no checkpoint of those. Re-exported by contracts.ts. */

/** A run of the pipeline of which a sink holds something, as its own markers say. */
export interface HeldRun {
  readonly run: string;
  /** Its newest epoch; null: it was begun, more is not known. */
  readonly epoch: number | null;
}
/**
 * What becomes of an earlier run's rows when a new run begins. "replaced": they go. "overwritten": a row goes where the new run writes
 * its key. "repeated": they stay, and the new run's come behind them. "refused": it may not begin before somebody removed them.
 */
export type Anew = "replaced" | "overwritten" | "repeated" | "refused";
