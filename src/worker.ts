/** A worker thread's composition root: the real world on one side, a part of a pipeline's lanes on the other. */
import { serveMainThread } from "./app/threads/run_worker.ts";
import { logOptions } from "./platform/log.ts";
import { denoTerminal } from "./platform/terminal.ts";
import { parentThread } from "./platform/threads.ts";
import { denoWorld } from "./platform/world.ts";

serveMainThread(parentThread(), denoWorld({ terminal: denoTerminal(), log: logOptions(Deno.env.get("MILLRACE_LOG") ?? "") }));
