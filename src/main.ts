/** The binary's composition root: the real world on one side, the command line on the other. */
import { runCommandLine } from "./cli/command_line.ts";
import { VERSION } from "./cli/version.ts";
import { denoTerminal } from "./platform/terminal.ts";
import { stopSignal } from "./platform/signals.ts";
import { denoWorld } from "./platform/world.ts";

if (import.meta.main) {
  Deno.exitCode = await runCommandLine(Deno.args, VERSION, { world: denoWorld(), terminal: denoTerminal(), signal: stopSignal() });
  Deno.exit();
}
