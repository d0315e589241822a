/** What `check` tells of the tables that lanes keep from changes. */
import { formatDuration } from "../data/duration.ts";
import type { ChangelogBlueprint, Project } from "../project/contracts.ts";

export interface TableDescription {
  readonly pipeline: string;
  readonly table: string;
  /** Rows are input of the lane: replayed with it, so a look-up sees after a crash what it saw before. */
  readonly guarantee: "exactly-once";
  /** What every lane keeps. */
  readonly holds: string;
  /** What a record does whose row is not there, and when the first one looks. */
  readonly missing: string;
}

/** Of all pipelines, in the order of their files. */
export function describeTables(project: Project): TableDescription[] {
  return project.pipelines.flatMap(({ name: pipeline, changelogs, lanesByPartition }) =>
    changelogs.map((table): TableDescription => {
      const { name, key, kept } = table;
      const fields = [...kept].filter((field) => field !== key);
      const of = fields.length === 0 ? "" : `: ${fields.join(", ")}`;
      const where = lanesByPartition ? "each lane reads all of it and keeps" : "the lane keeps";
      return {
        pipeline,
        table: name,
        guarantee: "exactly-once",
        holds: `${where} the newest row by ${key}${of}`,
        missing: missingText(table),
      };
    })
  );
}

function missingText({ missing, ready }: ChangelogBlueprint): string {
  const first = ready === "caught_up" ? "records wait until it has caught up at the start" : "records do not wait for it at the start";
  switch (missing.kind) {
    case "null":
      return `${first}, and go on with null where a row is missing`;
    case "wait":
      return `${first}, then up to ${formatDuration(missing.waitMicros)} for a missing row`;
    case "emit_again":
      return `${first}, go on with null where a row is missing, and come out again with it`;
  }
}
