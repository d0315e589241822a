/** What `rejects` prints for people. */
import type { KeptReject, KeptRejects, RejectCount, ShownReject } from "../../app/rejects/kept_rejects.ts";
import { withThousands } from "./text_table.ts";

/** `ls` of one pipeline. */
export function rejectCountsText(pipeline: string, counts: readonly RejectCount[]): string {
  if (counts.length === 0) return `${pipeline}  has no rejects\n`;
  const width = Math.max(...counts.map(({ reason }) => reason.length));
  const total = counts.reduce((sum, { records }) => sum + records, 0);
  const lines = counts.map(({ reason, source, step, records, newest }) =>
    `  ${withThousands(records).padStart(9)}  ${reason.padEnd(width)}  from ${source}${step === source ? "" : `, at ${step}`}, newest at ${
      placeText(source, newest)
    }`
  );
  return [`${pipeline}  ${withThousands(total)} record${total === 1 ? "" : "s"} refused`, ...lines].join("\n") + "\n";
}

/** `show` of one reject. */
export function shownRejectText(reject: ShownReject): string {
  const { source, step, reason, message, raw } = reject;
  const at = step === source ? "" : `  at ${step}`;
  const said = message === null ? "" : `  (${message})`;
  return `${placeText(source, reject)}  ${reason}${at}${said}\n  ${raw ?? "(its sink does not keep the record)"}\n`;
}

const placeText = (source: string, { partition, position }: Pick<KeptReject, "partition" | "position">): string =>
  `${source}/${partition}@${position}`;

export function rejectsElsewhereText(elsewhere: KeptRejects["elsewhere"]): string {
  return elsewhere.map(({ sink, type, place }) => `note: sink "${sink}" (${type}) keeps rejects too: look at ${place || "its server"}\n`)
    .join(
      "",
    );
}
