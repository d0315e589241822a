/** The binary's composition root: the real world on one side, the command line on the other. */
import { runCommandLine } from "./cli/command_line.ts";
import { VERSION } from "./cli/version.ts";
import type { LogOptions } from "./platform/log.ts";
import { stopSignal } from "./platform/signals.ts";
import { denoTerminal } from "./platform/terminal.ts";
import { denoWorld } from "./platform/world.ts";

/** MILLRACE_LOG=debug|info|warning|error, with ",json" for machines. Default: warnings, as text. */
function logOptions(setting: string): LogOptions {
  const [level, format] = setting.split(",");
  const known = level === "debug" || level === "info" || level === "error" ? level : "warning";
  return { level: known, format: format === "json" ? "json" : "text" };
}

const terminal = denoTerminal();
const world = denoWorld({ terminal, log: logOptions(Deno.env.get("MILLRACE_LOG") ?? "") });
Deno.exit(await runCommandLine(Deno.args, VERSION, { world, terminal, signal: stopSignal() }));
