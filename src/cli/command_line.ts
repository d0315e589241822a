/**
 * From words to an exit code: 0 done, 1 failed, 2 usage or configuration, 3 another owner, 130 interrupted. The commands'
 * code is loaded on demand, so that `--help` costs nothing.
 */
import { ConfigurationError, MillraceError } from "../data/fault.ts";
import { type CommandContext, EXIT } from "./context.ts";
import type { Command } from "./grammar.ts";
import { readPlainWords } from "./plain_words.ts";
import { renderError } from "./render/error.ts";
import { DASHBOARD_DEFAULT, withDefaultAddress } from "./dashboard_address.ts";

class Exit extends Error {
  constructor(readonly code: number) {
    super();
  }
}

/** Nothing was started; other words, or another configuration, are wanted. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  "usage",
  "unknown_pipeline",
  "unknown_node",
  "prove_server",
  "prove_unbounded",
  "prove_input",
]);

/** Never throws. */
export async function runCommandLine(args: readonly string[], version: string, context: CommandContext): Promise<number> {
  const { terminal } = context;
  try {
    const exit = (code: number): never => {
      throw new Exit(code);
    };
    const words = withDefaultAddress(args, DASHBOARD_DEFAULT);
    const command = readPlainWords(words) ?? (await import("./all_words.ts")).readAllWords(words, version, terminal, exit);
    return await dispatch(command, context);
  } catch (error) {
    if (error instanceof Exit) return error.code;
    terminal.err(renderError(error));
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigurationError) return EXIT.usage;
  if (error instanceof MillraceError) {
    if (error.code === "owned" || error.code === "fenced" || error.code === "locked" || error.code === "slot_owned") return EXIT.owned;
    if (USAGE_CODES.has(error.code)) return EXIT.usage;
  }
  return EXIT.failed;
}

async function dispatch(command: Command, context: CommandContext): Promise<number> {
  if ("log" in command && context.logging) {
    context.logging.format = command.log ?? context.logging.format;
    context.logging.level = command.logLevel ?? context.logging.level;
  }
  switch (command.command) {
    case "run":
    case "layer":
      return await (await import("./commands/run.ts")).run(command, context);
    case "serve":
      return await (await import("./commands/serve.ts")).serve(command, context);
    case "client":
      return await (await import("./commands/client.ts")).client(command, context);
    case "top":
      return await (await import("./commands/top.ts")).top(command, context);
    case "check":
      return await (await import("./commands/check.ts")).check(command, context);
    case "plan":
      return await (await import("./commands/plan.ts")).plan(command, context);
    case "state":
      return await (await import("./commands/state.ts")).state(command, context);
    case "redrive":
      return await (await import("./commands/redrive.ts")).redrive(command, context);
    case "rejects":
      return await (await import("./commands/rejects.ts")).rejects(command, context);
    case "test":
      return await (await import("./commands/test.ts")).test(command, context);
    case "prove":
      return await (await import("./commands/prove.ts")).prove(command, context);
    case "generate":
      return await (await import("./commands/generate.ts")).generate(command, context);
    case "schema":
      return await (await import("./commands/schema.ts")).schema(context);
  }
}
