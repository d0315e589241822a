/**
 * Which epoch of a lane a topic holds, as an offset that is committed in the rows' own transaction: the offset is the epoch, the text
 * beside it says the rest. Invariant: a lane's group and partition depend on nothing that may change between two starts, so that
 * a marker is always found again; the topic being made anew takes its markers with it.
 */
import type { EpochStamp, HeldRun, Marker } from "../../engine/contracts.ts";
import type { CommittedOffset } from "./broker_connection.ts";

export interface MarkedLane {
  readonly pipeline: string;
  /** The sink's name. */
  readonly sink: string;
  readonly lane: number;
  readonly run: string;
}
interface MarkerText {
  readonly version: 1;
  readonly run: string;
  readonly epoch: number;
  readonly digest: string;
}

/** The lanes of all sinks use one partition of the topic, which every topic has, each for a group of its own. */
export const MARKER_PARTITION = 0;

/** Names of pipelines and sinks hold no dots, so no two lanes share one. */
export const markerGroup = ({ pipeline, sink, lane }: MarkedLane): string => `millrace.epochs.${pipeline}.${sink}.${lane}`;
/** Stable over restarts and runs: whoever takes the lane over ends the transactions of whoever had it. */
export const transactionalId = ({ pipeline, sink, lane }: MarkedLane): string => `millrace.${pipeline}.${sink}.${lane}`;

/** The offset to commit with an epoch. */
export function formatMarker({ run, epoch, digest }: EpochStamp): CommittedOffset {
  const text: MarkerText = { version: 1, run, epoch, digest };
  return { partition: MARKER_PARTITION, offset: epoch, metadata: JSON.stringify(text) };
}

/** null where the lane's group has none, or one of another run. */
export function parseMarker(offsets: readonly CommittedOffset[], { run }: MarkedLane): Marker | null {
  const found = offsets.find(({ partition }) => partition === MARKER_PARTITION);
  const text = found && parseText(found.metadata);
  return text && text.run === run ? { epoch: text.epoch, digest: text.digest } : null;
}

/** The run whose marker a lane's group has, whichever it is; null where it has none. */
export function parseHeldRun(offsets: readonly CommittedOffset[]): HeldRun | null {
  const found = offsets.find(({ partition }) => partition === MARKER_PARTITION);
  const text = found && parseText(found.metadata);
  return text ? { run: text.run, epoch: text.epoch } : null;
}

function parseText(metadata: string): MarkerText | null {
  try {
    const text = JSON.parse(metadata);
    const isMarker = text?.version === 1 && typeof text.run === "string" && Number.isSafeInteger(text.epoch) &&
      typeof text.digest === "string";
    return isMarker ? text : null;
  } catch {
    return null; // Somebody else's offset.
  }
}
