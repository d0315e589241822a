/** Names of the tables in which `mode = "replace"` stages a run's rows. */
import { createHash } from "node:crypto";

/** What the staging tables of a pipeline's sink begin with: one per run, so that a late owner of an old run meets none of a new one. */
export const stagingPrefix = (pipeline: string, sink: string): string => `millrace_staging_${shortDigest(`${pipeline}\0${sink}`)}_`;
/** The staging table of one run; names of pipelines may be longer than a table's. */
export const stagingTable = (pipeline: string, sink: string, run: string): string => stagingPrefix(pipeline, sink) + shortDigest(run);

const shortDigest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
