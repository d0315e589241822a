/** Short names, of fixed length, that a run or a lane has to itself. */
import { createHash } from "node:crypto";
import type { MarkerWriter } from "./epoch_marker.ts";

/** What the staging tables of a pipeline's sink begin with: one per run, so that a late owner of an old run meets none of a new one. */
export const stagingPrefix = (pipeline: string, sink: string): string => `millrace_staging_${shortDigest(`${pipeline}\0${sink}`)}_`;
/** The staging table of one run; names of pipelines may be longer than a table's. */
export const stagingTable = (pipeline: string, sink: string, run: string): string => stagingPrefix(pipeline, sink) + shortDigest(run);

/** What a lane of a run, and no other, calls its connections. */
export const laneClaim = ({ name, sink }: MarkerWriter, lane: number): string => shortDigest(`${name}\0${sink}\0${lane}`);

const shortDigest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
