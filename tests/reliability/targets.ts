/** The sinks, by the names of the command line. */
import { filesTarget, s3Target } from "./targets/files.ts";
import { kafka } from "./targets/kafka.ts";
import { clickhouse, mysql, postgres } from "./targets/tables.ts";
import type { OpenTarget } from "./target.ts";

export const SINKS = ["kafka", "mysql", "postgres", "clickhouse", "files", "s3"] as const;
export type SinkName = (typeof SINKS)[number];

/** "bounded": the input ends. "endless": it does not. */
export function openerOf(sink: SinkName, input: "bounded" | "endless"): OpenTarget {
  return { kafka, mysql, postgres, clickhouse, files: filesTarget(input), s3: s3Target(input) }[sink];
}
