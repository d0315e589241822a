/**
 * What the rows of `millrace_epochs` mean, in whatever database they lie: per pipeline run, sink and lane the newest epoch, the lane's
 * owner and the digest. The row is changed in the transaction of the epoch's rows, by
 *
 *     UPDATE millrace_epochs SET epoch = e, digest = d WHERE pipeline, sink, lane AND epoch < e AND owner = g
 *
 * which must change one row; a take-over sets `owner = g` where it is lower. Only when no row changed is the marker read, and judged
 * here. Invariant: an owner that was superseded changes no row, and therefore writes nothing.
 */
import { MillraceError } from "../../data/fault.ts";
import type { Anew, EpochStamp, HeldRun, Marker } from "../../engine/contracts.ts";
import type { TableTarget } from "./table_target.ts";

/** The epoch of a lane that was taken and has not delivered. */
export const NO_EPOCH = -1;
/** Not a lane: its row says that the run's staged rows were published. */
export const FINISHED_LANE = -1;

/** Who writes: one run of a pipeline, through one sink. */
export interface MarkerWriter {
  /** As it stands in the column `pipeline`. */
  readonly name: string;
  /** What the names of the pipeline's runs begin with. */
  readonly prefix: string;
  readonly sink: string;
}
export interface MarkerRow {
  readonly epoch: number;
  readonly owner: number;
  readonly digest: string;
}

/** Run ids hold no "#": a pipeline whose name begins with another's is told apart. */
export function markerWriter(pipeline: string, run: string, sink: string): MarkerWriter {
  return { name: `${pipeline}#${run}`, prefix: `${pipeline}#`, sink };
}

/** The row of a run, by the column `pipeline`, and the greatest epoch of its lanes. */
export const heldRun = ({ prefix }: Pick<MarkerWriter, "prefix">, name: string, epoch: number): HeldRun => ({
  run: name.slice(prefix.length),
  epoch: epoch > 0 ? epoch : null,
});

/** What a new run does to the rows of an earlier one. */
export function anewOf({ mode, create }: Pick<TableTarget, "mode" | "create">): Anew {
  if (mode === "upsert" || mode === "ignore") return "overwritten";
  return mode === "append" && create === "must_exist" ? "refused" : "replaced";
}

/** What a take-over by `owner` found, the row having been taken where it was lower. Throws when a newer owner had the lane. */
export function takenMarker({ sink }: MarkerWriter, lane: number, owner: number, row: MarkerRow): Marker | null {
  if (row.owner > owner) throw takenBefore(sink, lane);
  return row.epoch === NO_EPOCH ? null : { epoch: row.epoch, digest: row.digest };
}

/** The update changed no row: either this very epoch is there already ("done"), or the lane has a newer owner. */
export function judgeUnchanged({ sink }: MarkerWriter, { lane, epoch, digest }: EpochStamp, row: MarkerRow | null): "done" {
  if (row && row.epoch === epoch && row.digest === digest) return "done";
  throw superseded(sink, lane);
}

/** The engine looks into the checkpoint whether there is a newer owner; where there is none, this is what people read. */
function takenBefore(sink: string, lane: number): MillraceError {
  return new MillraceError("fenced", `lane ${lane} of sink "${sink}" was taken over more often than the checkpoint knows`, {
    hint:
      "another process has this pipeline; or the checkpoint was restored from an older copy: bring back the state folder and the sink " +
      "from one moment, or start over with --rerun",
  });
}

function superseded(sink: string, lane: number): MillraceError {
  return new MillraceError("fenced", `lane ${lane} of sink "${sink}" has a newer owner`, {
    hint: "another process took this pipeline over; this one stops",
  });
}
