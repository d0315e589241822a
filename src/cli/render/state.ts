/** What `state` prints for people. */
import type { LaneReport, StateReport } from "../../app/state/inspect_state.ts";
import type { PlannedReset } from "../../app/state/reset_state.ts";
import { plainText, type StoredRow } from "../../app/state/stored_rows.ts";
import { timestampText } from "../../data/time_text.ts";
import { withThousands } from "./text_table.ts";

/** `ls` of one pipeline. */
export function stateListText(report: StateReport): string {
  const { pipeline, run, lanes } = report;
  if (!run) return `${pipeline}  was never run here\n`;
  const lines = [`${pipeline}  run ${run.id}, ${run.status}, begun with ${run.plan}`, ...lanes.flatMap(laneLines), ...faultLines(report)];
  return lines.join("\n") + "\n";
}

function laneLines({ lane, epoch, timeMicros, generation, openEpoch, positions, watermarks, storedBytes, tables }: LaneReport): string[] {
  const open = openEpoch ? `, epoch ${epoch + 1} is begun` : "";
  const at = epoch === 0 ? "" : ` of ${timeText(timeMicros)}`;
  const times = Object.entries(watermarks).map(([node, micros]) => `    watermark  ${node}: ${timeText(micros)}`);
  return [
    `  lane ${lane}  epoch ${epoch}${at}, generation ${generation}, ${withThousands(storedBytes)} bytes of state${open}`,
    ...positions.map(({ source, partition, position, ended }) =>
      `    read       ${source}/${partition} up to ${position}${ended ? ", ended" : ""}`
    ),
    ...times,
    ...tables.map(({ table, rows }) =>
      `    table      ${table}: ${rows === null ? "cannot be read by this plan" : `${withThousands(rows)} rows`}`
    ),
  ];
}

/** `check` of one pipeline. */
export function stateCheckText(report: StateReport): string {
  const { pipeline, run, lanes } = report;
  if (!run) return `${pipeline}  was never run here\n`;
  if (report.faults.length > 0) return [`${pipeline}  is not whole`, ...faultLines(report)].join("\n") + "\n";
  return `${pipeline}  is whole: ${lanes.length} lane${lanes.length === 1 ? "" : "s"}, every stored value reads and fits this plan\n`;
}

const faultLines = ({ faults }: StateReport): string[] =>
  faults.map(({ lane, code, message }) => `  fault  ${lane === null ? "" : `lane ${lane}: `}${code}: ${message}`);

/** `show` of one row. */
export function stateRowText({ node, table, lane, key, values, lists }: StoredRow): string {
  const width = Math.max(0, ...[...values, ...lists].map(([name]) => name.length));
  return [
    `${node}.${table}  ${key.map(plainText).join(", ")}  (lane ${lane})`,
    ...values.map(([name, text]) => `  ${name.padEnd(width)}  ${plainText(text)}`),
    ...lists.flatMap(([name, items]) =>
      items.length === 0
        ? [`  ${name.padEnd(width)}  nothing`]
        : items.map((item, at) => `  ${(at === 0 ? name : "").padEnd(width)}  ${plainText(item)}`)
    ),
  ].join("\n") + "\n";
}

/** What a reset means, or has meant. */
export function stateResetText(planned: readonly PlannedReset[], done: "done" | "asked"): string {
  const lines = planned.flatMap(({ pipeline, run, lanes, sinks }) => {
    if (run === null) return [`${pipeline}  was never run here: there is nothing to forget`];
    const epochs = lanes.map(({ lane, epoch, openEpoch }) =>
      `  lane ${lane}  epoch ${epoch} and its state${openEpoch ? `; epoch ${epoch + 1}, begun and never completed,` : ""} ${
        done === "done" ? "forgotten" : "would be forgotten"
      }`
    );
    return [
      `${pipeline}  run ${run}`,
      ...epochs,
      "  next start  begins another run, from the beginning of the input, as with --rerun; outputs stay as they are until then",
      ...sinks.map(({ sink, anew }) => `  sink ${sink}  ${anewText(anew)}`),
    ];
  });
  const last = done === "done" ? [] : ["Nothing was changed. To do it, say --yes."];
  return [...lines, ...last].join("\n") + "\n";
}

function anewText(anew: PlannedReset["sinks"][number]["anew"]): string {
  switch (anew) {
    case "replaced":
      return "what it holds is replaced by that run's";
    case "overwritten":
      return "rows are written over where that run writes their key, and others stay";
    case "repeated":
      return "keeps what it holds and gets all of it again behind that: its readers meet the records twice";
    case "refused":
      return "refuses that run (rerun_append) as long as the rows are there: remove them first";
    case null:
      return "has no marker: it is written to again";
  }
}

const ISO = timestampText();
function timeText(micros: number): string {
  if (micros === Infinity) return "the end";
  return micros === -Infinity ? "none yet" : ISO.format(micros);
}
