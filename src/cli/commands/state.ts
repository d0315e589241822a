/** `state ls` and `state check`: what the checkpoints hold, and whether they are whole. Changes nothing. */
import { choosePipelines, openProject } from "../../app/open_project.ts";
import { inspectState, type LaneReport, type StateReport } from "../../app/state/inspect_state.ts";
import { timestampText } from "../../data/time_text.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { StateCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { withThousands } from "../render/text_table.ts";

/** `check` exits with 1 where something is wrong. */
export async function state(command: StateCommand, { world, terminal }: CommandContext): Promise<number> {
  const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
  const reports: StateReport[] = [];
  for (const blueprint of choosePipelines(project, command.pipelines)) reports.push(...await inspectState(blueprint, world));
  const text = command.action === "ls" ? listText : checkText;
  terminal.out(command.json ? JSON.stringify(reports, null, 2) + "\n" : reports.map(text).join(""));
  return command.action === "check" && reports.some(({ faults }) => faults.length > 0) ? EXIT.failed : EXIT.done;
}

function listText(report: StateReport): string {
  const { pipeline, run, lanes } = report;
  if (!run) return `${pipeline}  was never run here\n`;
  return [`${pipeline}  run ${run.id}, ${run.status}, begun with ${run.plan}`, ...lanes.flatMap(laneLines), ...faultLines(report)].join(
    "\n",
  ) + "\n";
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

function checkText(report: StateReport): string {
  const { pipeline, run, lanes, faults } = report;
  if (!run) return `${pipeline}  was never run here\n`;
  if (faults.length > 0) return [`${pipeline}  is not whole`, ...faultLines(report)].join("\n") + "\n";
  return `${pipeline}  is whole: ${lanes.length} lane${lanes.length === 1 ? "" : "s"}, every stored value reads and fits this plan\n`;
}

const faultLines = ({ faults }: StateReport): string[] =>
  faults.map(({ lane, code, message }) => `  fault  ${lane === null ? "" : `lane ${lane}: `}${code}: ${message}`);

const ISO = timestampText();
function timeText(micros: number): string {
  if (micros === Infinity) return "the end";
  return micros === -Infinity ? "none yet" : ISO.format(micros);
}
