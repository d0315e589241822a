/** `redrive`: records that were refused go through again with the pipeline's next start. */
import { choosePipelines, openProject } from "../../app/open_project.ts";
import { redrive as redriveRejects, type Redriven } from "../../app/redrive/redrive.ts";
import { MillraceError } from "../../data/fault.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { RedriveCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { withThousands } from "../render/text_table.ts";

/** Exits with 1 where records were left that cannot go through again. */
export async function redrive(command: RedriveCommand, { world, terminal }: CommandContext): Promise<number> {
  const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
  const chosen = choosePipelines(project, [command.pipeline]);
  if (chosen.length !== 1) throw new MillraceError("usage", "redrive is of one pipeline");
  const redriven = await redriveRejects(chosen[0], world, command.reason ?? null);
  terminal.out(command.json ? JSON.stringify(redriven) + "\n" : redrivenText(redriven));
  return redriven.refused.length > 0 ? EXIT.failed : EXIT.done;
}

function redrivenText({ pipeline, records, left, refused }: Redriven): string {
  const many = (count: number): string => `${withThousands(count)} record${count === 1 ? "" : "s"}`;
  return [
    records === 0
      ? `${pipeline}  has no rejects that are to go through again`
      : `${pipeline}  ${many(records)} go through again with its next start`,
    ...(left > 0 ? [`  ${many(left)} are left for another redrive`] : []),
    ...refused.map(({ records, source, step, why }) =>
      `  ${many(records)} from ${source}${step === source ? "" : `, refused by ${step},`} cannot: ${why}`
    ),
  ].join("\n") + "\n";
}
