/** `check`: every fault at once (thrown by the loading), else what each path guarantees and, asked to, what the servers say. */
import { describeGuarantees, type PathGuarantee } from "../../app/guarantees.ts";
import { describeStages } from "../../app/describe_stages.ts";
import { describeTables } from "../../app/describe_tables.ts";
import { inspectServers, type NodeFinding } from "../../app/inspect_servers.ts";
import { openProject } from "../../app/open_project.ts";
import { ConfigurationError } from "../../data/fault.ts";
import type { Project } from "../../project/contracts.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { CheckCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { textTable } from "../render/text_table.ts";

export async function check(command: CheckCommand, { world, terminal }: CommandContext): Promise<number> {
  try {
    const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
    const paths = describeGuarantees(project);
    const servers = command.connect ? await inspectServers(project, world) : null;
    const tables = describeTables(project);
    if (command.json) {
      terminal.out(
        JSON.stringify({ faults: [], paths, ...(tables.length > 0 ? { tables } : {}), ...(servers ? { servers } : {}) }, null, 2) + "\n",
      );
    } else terminal.out(reportText(project, paths, servers));
    return servers?.some(({ level }) => level === "fault") ? EXIT.failed : EXIT.done;
  } catch (error) {
    if (!(error instanceof ConfigurationError) || !command.json) throw error;
    terminal.out(JSON.stringify({ faults: error.faults, paths: [] }, null, 2) + "\n");
    return EXIT.usage;
  }
}

function reportText(project: Project, paths: readonly PathGuarantee[], servers: readonly NodeFinding[] | null): string {
  const rows = paths.map(({ pipeline, source, sink, guarantee, weakest, note }) => {
    return [`${pipeline}: ${source} → ${sink}`, guarantee, guarantee === "exactly-once" ? note : `${weakest}: ${note}`];
  });
  const lines = textTable(["path", "guarantee", "why"], rows, 0);
  for (const { pipeline, source, sink, strengthen } of paths) {
    if (strengthen) lines.push("", `To strengthen ${pipeline}: ${source} → ${sink}`, `  ${strengthen}`);
  }
  if (servers) lines.push(...serverLines(servers));
  for (const warning of new Set(project.pipelines.flatMap((pipeline) => pipeline.warnings))) lines.push("", `Warning: ${warning}`);
  lines.push(...stageLines(project), ...tableLines(project));
  const count = project.pipelines.length;
  return [...lines, "", `${count} pipeline${count === 1 ? "" : "s"}, no faults`].join("\n") + "\n";
}

/** Pipelines whose rows change lanes on the way. */
function stageLines(project: Project): string[] {
  const rows = describeStages(project).map(({ pipeline, stage, reads, lanes }) => [`${pipeline}: ${stage}`, reads, lanes]);
  return rows.length === 0 ? [] : ["", "Stages, run side by side", ...textTable(["stage", "reads", "lanes"], rows, 2)];
}

/** Tables that lanes keep from changes. */
function tableLines(project: Project): string[] {
  const rows = describeTables(project).map(({ pipeline, table, guarantee, holds, missing }) => [
    `${pipeline}: ${table}`,
    guarantee,
    `${holds}; ${missing}`,
  ]);
  return rows.length === 0 ? [] : ["", "Tables kept from changes", ...textTable(["table", "guarantee", "what a lane keeps"], rows, 2)];
}

function serverLines(servers: readonly NodeFinding[]): string[] {
  if (servers.length === 0) return ["", "Servers", "  none: everything this project reads and writes is embedded"];
  const rows = servers.map(({ pipeline, role, node, level, text }) => [`${pipeline}: ${role} "${node}"`, level, text]);
  const lines = ["", "Servers", ...textTable(["node", "state", "what the server says"], rows, 2)];
  for (const hint of new Set(servers.flatMap(({ level, hint }) => hint && level !== "fine" ? [hint] : []))) lines.push(`  hint: ${hint}`);
  return lines;
}
