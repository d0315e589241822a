/** `check`: every fault at once (thrown by the loading), else what each path guarantees. */
import { openProject } from "../../app/open_project.ts";
import { describeGuarantees } from "../../app/guarantees.ts";
import { type CommandContext, EXIT } from "../command_line.ts";
import type { CheckCommand } from "../grammar.ts";
import { ConfigurationError } from "../../data/fault.ts";
import { parseOverrides } from "../overrides.ts";
import { textTable } from "../render/text_table.ts";

export async function check(command: CheckCommand, { world, terminal }: CommandContext): Promise<number> {
  try {
    const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
    const paths = describeGuarantees(project);
    if (command.json) {
      terminal.out(JSON.stringify({ faults: [], paths }, null, 2) + "\n");
      return EXIT.done;
    }
    const rows = paths.map(({ pipeline, source, sink, guarantee, note }) => [`${pipeline}: ${source} → ${sink}`, guarantee, note]);
    terminal.out(textTable(["path", "guarantee", "why"], rows, 0).join("\n") + "\n");
    for (const warning of new Set(project.pipelines.flatMap((pipeline) => pipeline.warnings))) terminal.out(`\nWarning: ${warning}\n`);
    terminal.out(`\n${project.pipelines.length} pipeline${project.pipelines.length === 1 ? "" : "s"}, no faults\n`);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof ConfigurationError) || !command.json) throw error;
    terminal.out(JSON.stringify({ faults: error.faults, paths: [] }, null, 2) + "\n");
    return EXIT.usage;
  }
}
