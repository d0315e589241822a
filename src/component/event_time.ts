/** `time` of a source: where records get their event time. One setting for all sources; the project reads it, the engine does the rest. */
import type { GroupSetting } from "./settings.ts";

/** Checked settings, for the engine. */
export interface EventTimePlan {
  /** The timestamp field; null: time of arrival. */
  readonly field: string | null;
  readonly latenessMs: number;
  readonly idleMs: number;
  readonly late: "window" | "record";
  /** Times come with the rows, and how far time has come is told by those who write them. */
  readonly carried?: true;
}

export const TIME_SETTINGS: GroupSetting = {
  kind: "group",
  optional: true,
  doc: "When records happened, and how far back one may be: for windows and for whatever remembers for a time.",
  fields: {
    field: { kind: "text", optional: true, doc: "The timestamp field. Needed unless `clock` is arrival." },
    clock: {
      kind: "choice",
      default: "event",
      doc: "What counts.",
      choices: { event: "The field.", arrival: "When the record came in, as its source kept it, else as the epoch recorded it." },
    },
    lateness: {
      kind: "duration",
      default: "0s",
      doc: "How far a record may be behind the newest of its partition. The watermark is the greatest time seen less this.",
    },
    idle: { kind: "duration", default: "30s", doc: "A partition without records for so long is not waited for until it has some again." },
    late: {
      kind: "choice",
      default: "window",
      doc: "What a record behind the watermark does.",
      choices: {
        window: "It goes on; a window gives it up, to its port `late`, only when all its windows have closed.",
        record: "It leaves through the source's port `late`, and no window sees it.",
      },
    },
  },
};
