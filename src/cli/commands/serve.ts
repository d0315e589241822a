/** `serve`: pipelines of kind "serve" until Ctrl+C. Standard output stays for data; what people read is on standard error. */
import { openProject } from "../../app/open_project.ts";
import { stopWithin } from "../../app/stop_within.ts";
import { stopAfter } from "../../app/stop_after.ts";
import { type ServedPipeline, serveProject } from "../../app/serve_project.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { ServeCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { underWatch } from "../watching.ts";
import { ProgressLines } from "../render/progress.ts";
import { withThousands } from "../render/text_table.ts";
import { chooseByKind, eventsOf } from "./run.ts";

/** A server that was told to stop has done its work, whichever signal it was. */
export async function serve(command: ServeCommand, context: CommandContext): Promise<number> {
  const { world, terminal, signal } = context;
  const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
  const chosen = chooseByKind(project, command);
  const progress = new ProgressLines(terminal, world.clock);
  const stop = stopAfter({ for: command.for }, signal, eventsOf(progress, command.quiet), world.clock);
  const work = () =>
    underWatch(
      command,
      { project, chosen, stopping: stop.signal },
      context,
      (world, watch) =>
        serveProject(project, chosen, {
          world,
          watch,
          signal: stop.signal,
          rerun: command.rerun,
          listen: command.listen,
          rate: command.rate,
          events: stop.events,
          tell: (pipeline, line) => command.quiet || terminal.err(`  ${pipeline.padEnd(16)} ${line}\n`),
        }),
    );
  const wished = { signal, chosen, wished: command.stopWithin, clock: world.clock };
  const { served, outcomes } = await stopWithin(work, wished);
  stop.release();
  progress.clear();
  if (command.json) terminal.out(JSON.stringify({ served, outcomes }, null, 2) + "\n");
  else if (!command.quiet) { for (const pipeline of served) terminal.err(summaryLine(pipeline) + "\n"); }
  return EXIT.done;
}

function summaryLine({ pipeline, clients, records, dropped, disconnected, refused }: ServedPipeline): string {
  const told = [`${withThousands(records)} records to ${withThousands(clients)} client${clients === 1 ? "" : "s"}`];
  if (dropped > 0) told.push(`${withThousands(dropped)} dropped for slow ones`);
  if (disconnected > 0) told.push(`${withThousands(disconnected)} too slow`);
  if (refused > 0) told.push(`${withThousands(refused)} turned away`);
  return `  ${pipeline.padEnd(16)} stopped: ${told.join(", ")}`;
}
