/** Event time as generated code reads it. */
import type { Batch } from "../../data/batch.ts";
import { assert } from "../../data/fault.ts";

/** The times of a batch that comes to a node which needs them; `check` has made sure that they are there. */
export function timesOf(batch: Batch): Float64Array {
  assert(batch.meta.time !== null, "rows that come to a node of event time have it");
  return batch.meta.time;
}
