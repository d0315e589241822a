/** `rejects ls` and `rejects show`: which records were refused, why, and what they are. Changes nothing. */
import { choosePipelines, openProject } from "../../app/open_project.ts";
import { countRejects, type KeptReject, type KeptRejects, readRejects, rejectShower } from "../../app/rejects/kept_rejects.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { RejectsCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { rejectCountsText, rejectsElsewhereText, shownRejectText } from "../render/rejects.ts";

export async function rejects(command: RejectsCommand, { world, terminal }: CommandContext): Promise<number> {
  const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
  for (const blueprint of choosePipelines(project, command.pipelines)) {
    const kept = await readRejects(blueprint, world);
    const chosen = kept.rejects.filter((one) => isWanted(one, command));
    if (command.action === "ls") {
      const counts = countRejects(chosen);
      if (command.json) terminal.out(counts.map((count) => JSON.stringify(count) + "\n").join(""));
      else terminal.out(rejectCountsText(blueprint.name, counts));
    } else {
      const newest = command.last === undefined ? chosen : chosen.slice(-command.last);
      const shown = newest.map(rejectShower(blueprint));
      terminal.out(shown.map((one) => command.json ? JSON.stringify(one) + "\n" : shownRejectText(one)).join(""));
    }
    tellElsewhere(kept, terminal);
  }
  return EXIT.done;
}

const isWanted = ({ reason, source }: KeptReject, wanted: RejectsCommand): boolean =>
  (wanted.reason === undefined || reason === wanted.reason) && (wanted.source === undefined || source === wanted.source);

/** On standard error: what is on standard output is complete but for these. */
function tellElsewhere({ elsewhere }: KeptRejects, terminal: CommandContext["terminal"]): void {
  if (elsewhere.length > 0) terminal.err(rejectsElsewhereText(elsewhere));
}
