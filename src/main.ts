/** The binary's composition root: the real world on one side, the command line on the other. */
import { runCommandLine } from "./cli/command_line.ts";
import { VERSION } from "./cli/version.ts";
import { logOptions } from "./platform/log.ts";
import { stopSignal } from "./platform/signals.ts";
import { denoTerminal } from "./platform/terminal.ts";
import { denoThreads } from "./platform/threads.ts";
import { denoWorld } from "./platform/world.ts";

const terminal = denoTerminal();
const logging = logOptions(Deno.env.get("MILLRACE_LOG") ?? "");
// It lies beside this file, as source and as a bundle.
const worker = import.meta.url.replace(/main(\.[jt]s)$/, "worker$1");
const world = { ...denoWorld({ terminal, log: logging }), threads: denoThreads(worker) };
Deno.exit(await runCommandLine(Deno.args, VERSION, { world, terminal, logging, signal: stopSignal() }));
