/** `client`: prints a feed's records as they come, checks them, and says on standard error what it saw. */
import { openProject } from "../../app/open_project.ts";
import { probeFeed, type ProbeReport } from "../../app/probe_feed.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { ClientCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { withThousands } from "../render/text_table.ts";

/** 1 when a record was wrong, the stream broke off, or nothing came at all. */
export async function client(command: ClientCommand, { world, terminal, signal }: CommandContext): Promise<number> {
  const overrides = parseOverrides(command.set);
  const project = command.path === undefined
    ? null
    : await openProject(world, { path: command.path, overrides, envFile: command.envFile, purpose: "test" });
  const decoder = new TextDecoder();
  const prints = !command.check && !command.json;
  const report = await probeFeed({
    world,
    address: command.address,
    project,
    schema: command.schema,
    count: command.count ?? (command.check && command.seconds === undefined ? 1 : undefined),
    seconds: command.seconds,
    signal,
    lines: (bytes) => prints && terminal.out(decoder.decode(bytes, { stream: true })),
  });
  if (command.json) terminal.out(JSON.stringify(report, null, 2) + "\n");
  else for (const line of reportLines(report)) terminal.err(line + "\n");
  return Object.keys(report.faults).length === 0 && report.records > 0 ? EXIT.done : EXIT.failed;
}

function reportLines(report: ProbeReport): string[] {
  const { records, bytes, seconds, firstAfterMs, recordsPerSecond, longestPauseMs, faults, examples, schema } = report;
  const rate = records > 1 ? `, ${withThousands(recordsPerSecond)}/s` : "";
  const lines = [
    `${withThousands(records)} record${records === 1 ? "" : "s"}, ${withThousands(bytes)} bytes in ${seconds.toFixed(1)} s${rate}`,
  ];
  if (firstAfterMs !== null) {
    lines.push(`first record after ${Math.round(firstAfterMs)} ms, longest pause ${Math.round(longestPauseMs)} ms`);
  }
  if (records === 0) lines.push("nothing came");
  for (const [reason, count] of Object.entries(faults)) lines.push(`WRONG  ${reason}: ${withThousands(count)}`);
  for (const { record, reason, text } of examples) lines.push(`       record ${record}, ${reason}: ${text}`);
  if (Object.keys(faults).length === 0 && records > 0) lines.push(`every record is right (${schema})`);
  return lines;
}
