/** `prove`: kills a project again and again, in a folder of its own, and says whether every row came once. */
import { type Proof, type ProofOptions, proveProject } from "../../app/prove/prove_project.ts";
import { type Failing, shrink } from "../../app/prove/shrink.ts";
import type { Terminal, World } from "../../ports/mod.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { ProveCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { proofText } from "../render/proof.ts";

export async function prove(command: ProveCommand, { world, terminal, signal }: CommandContext): Promise<number> {
  const { path, envFile, seed, records, minutes, kills } = command;
  const tell = (line: string): void => command.quiet ? undefined : terminal.err(`  ${line}\n`);
  const until = minutes === undefined ? { kills } : { elapsedMs: minutes * 60_000 };
  const options = { subject: { path, overrides: parseOverrides(command.set), envFile, seed, records }, until, signal, tell };
  try {
    return await report(command, world, options, terminal);
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  }
}

async function report(command: ProveCommand, world: World, options: ProofOptions, terminal: Terminal): Promise<number> {
  const proof: Proof = await proveProject(world, options);
  const isWrong = !proof.isProved && proof.unjudged.every(({ weight }) => weight === "told");
  const failing: Failing | null = isWrong ? await shrink(world, options, proof) : null;
  terminal.out(command.json ? JSON.stringify({ ...proof, failing }, null, 2) + "\n" : proofText(command.path, proof, failing));
  return proof.isProved ? EXIT.done : EXIT.failed;
}
