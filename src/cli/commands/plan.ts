/** `plan`: what the next start does with what was run before, and what has changed. Changes nothing. */
import { choosePipelines, openProject } from "../../app/open_project.ts";
import { planChange, type PlannedStart, type PlanVerdict } from "../../app/state/plan_change.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { PlanCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";

const VERDICTS: Readonly<Record<PlanVerdict, string>> = {
  begins: "begins",
  goes_on: "goes on",
  already_done: "is done",
  starts_over: "starts over",
  refused: "would be refused",
};
const FATES = { kept: "kept", new: "new", dropped: "dropped", does_not_fit: "does not fit" } as const;

/** Exits with 1 where a start would be refused. */
export async function plan(command: PlanCommand, { world, terminal }: CommandContext): Promise<number> {
  const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
  const planned: PlannedStart[] = [];
  for (const blueprint of choosePipelines(project, command.pipelines)) planned.push(...await planChange(blueprint, world));
  terminal.out(command.json ? JSON.stringify(planned, null, 2) + "\n" : planned.map(planText).join("\n"));
  return planned.some(({ verdict }) => verdict === "refused") ? EXIT.failed : EXIT.done;
}

function planText({ pipeline, verdict, why, hint, run, changes, state, notes }: PlannedStart): string {
  const lines = [`${pipeline} ${VERDICTS[verdict]}: ${why}`];
  if (hint) lines.push(`  hint: ${hint}`);
  if (run) {
    const epochs = run.lanes.map(({ epoch, open }) => open === "none" ? `${epoch}` : `${epoch} (the next one is begun, ${open})`);
    const where = run.lanes.length === 0 ? "no epoch" : `${run.lanes.length === 1 ? "epoch" : "lanes at epochs"} ${epochs.join(", ")}`;
    lines.push(`  run      ${run.id}, ${run.status}, ${where}`);
  }
  if (changes === null) lines.push("  changed  the plan differs from the one that was run, which was not kept");
  for (const { node, change, parts } of changes ?? []) {
    lines.push(`  ${change.padEnd(8)} ${node}${parts.length > 0 ? `: ${parts.join(", ")}` : ""}`);
  }
  if (run) {
    if (changes?.length === 0) lines.push("  changed  nothing that could change outputs");
    for (const { table, fate, why } of state) lines.push(`  state    ${table}: ${FATES[fate]}${why ? `, ${why}` : ""}`);
  }
  return [...lines, ...notes.map((note) => `  note     ${note}`)].join("\n") + "\n";
}
