/** What a sink holds of a lane, and what of it its target did not take. Re-exported by contracts.ts. */

/** A row of an epoch that a sink's target did not take, for what it holds. */
export interface RefusedRow {
  /** Its number among the rows that the sink was given in the epoch, from 0. */
  readonly row: number;
  /** Why: a uniform code, with the column or the constraint behind it where the target names one ("missing:amount", "duplicate"). */
  readonly code: string;
  /** What the target said of it, without any value. */
  readonly message: string;
}
/** The newest epoch a sink holds of a lane; null when none. */
export interface Marker {
  readonly epoch: number;
  readonly digest: string;
  /** The rows of that epoch that the target refused, as they were recorded with it; absent: none. */
  readonly refused?: readonly RefusedRow[];
}
