/** `state`: what the checkpoints hold, whether they are whole, what is kept for a key; and forgetting all of it. */
import { choosePipelines, openProject } from "../../app/open_project.ts";
import { exportState } from "../../app/state/export_state.ts";
import { inspectState, type StateReport } from "../../app/state/inspect_state.ts";
import { type PlannedReset, planReset, resetState } from "../../app/state/reset_state.ts";
import { isOfKey, rowLine, type StoredRow } from "../../app/state/stored_rows.ts";
import { MillraceError } from "../../data/fault.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { StateCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { stateCheckText, stateListText, stateResetText, stateRowText } from "../render/state.ts";

/** Lines are handed to the terminal in pieces of about so many characters. */
const PIECE_CHARACTERS = 1 << 16;

export async function state(command: StateCommand, context: CommandContext): Promise<number> {
  const { world } = context;
  const project = await openProject(world, { path: command.path, overrides: parseOverrides(command.set), envFile: command.envFile });
  const chosen = choosePipelines(project, command.pipelines);
  switch (command.action) {
    case "ls":
    case "check":
      return await inspect(chosen, command, context);
    case "show":
      return await show(only(chosen, command), command, context);
    case "export":
      return await exportRows(only(chosen, command), command, context);
    case "reset":
      return await reset(chosen, command, context);
  }
}

async function inspect(chosen: readonly PipelineBlueprint[], command: StateCommand, { world, terminal }: CommandContext): Promise<number> {
  const reports: StateReport[] = [];
  for (const blueprint of chosen) reports.push(...await inspectState(blueprint, world));
  const text = command.action === "ls" ? stateListText : stateCheckText;
  terminal.out(command.json ? JSON.stringify(reports, null, 2) + "\n" : reports.map(text).join(""));
  return command.action === "check" && reports.some(({ faults }) => faults.length > 0) ? EXIT.failed : EXIT.done;
}

/** Exits with 1 where nothing is kept for the key. */
async function show(blueprint: PipelineBlueprint, command: StateCommand, { world, terminal }: CommandContext): Promise<number> {
  if (command.key.length === 0) {
    throw new MillraceError("usage", "show wants the key whose state is to be shown", {
      hint: "millrace state show PATH PIPELINE --node NODE --key KEY; export shows all keys",
    });
  }
  const found: StoredRow[] = [];
  await exportState(blueprint, world, command.node ?? null, (row) => {
    if (isOfKey(row, command.key)) found.push(row);
  });
  if (command.json) terminal.out(found.map((row) => `${rowLine(row)}\n`).join(""));
  else if (found.length === 0) terminal.err(`nothing is kept for ${command.key.join(", ")}\n`);
  else terminal.out(found.map(stateRowText).join(""));
  return found.length === 0 ? EXIT.failed : EXIT.done;
}

async function exportRows(blueprint: PipelineBlueprint, command: StateCommand, { world, terminal }: CommandContext): Promise<number> {
  let piece = "";
  await exportState(blueprint, world, command.node ?? null, (row) => {
    piece += `${rowLine(row)}\n`;
    if (piece.length < PIECE_CHARACTERS) return;
    terminal.out(piece);
    piece = "";
  });
  if (piece !== "") terminal.out(piece);
  return EXIT.done;
}

async function reset(chosen: readonly PipelineBlueprint[], command: StateCommand, { world, terminal }: CommandContext): Promise<number> {
  if (command.pipelines.length === 0) {
    throw new MillraceError("usage", "reset wants the names of the pipelines that are to forget their runs", {
      hint: `there are: ${chosen.map(({ name }) => name).join(", ")}`,
    });
  }
  const planned: PlannedReset[] = [];
  for (const blueprint of chosen) planned.push(...await planReset(blueprint, world));
  if (command.yes) { for (const blueprint of chosen) await resetState(blueprint, world); }
  const done = command.yes ? "done" : "asked";
  terminal.out(command.json ? JSON.stringify({ done: command.yes, pipelines: planned }, null, 2) + "\n" : stateResetText(planned, done));
  return command.yes ? EXIT.done : EXIT.failed;
}

function only(chosen: readonly PipelineBlueprint[], { action }: StateCommand): PipelineBlueprint {
  if (chosen.length === 1) return chosen[0];
  throw new MillraceError("usage", `${action} is of one pipeline`, { hint: `name it: ${chosen.map(({ name }) => name).join(", ")}` });
}
