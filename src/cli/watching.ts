/** What `--dashboard`, `--stay` and `--log` do, for every command that runs pipelines. */
import { openWatch } from "../app/watch/open_watch.ts";
import type { Watch } from "../app/watch/watch.ts";
import type { World } from "../ports/mod.ts";
import type { PipelineBlueprint, Project } from "../project/contracts.ts";
import type { CommandContext } from "./context.ts";
import { VERSION } from "./version.ts";

/** The words of the command line that are about watching. */
export interface WatchWords {
  readonly dashboard?: string;
  readonly dashboardTokenFile?: string;
  readonly stay: boolean;
  readonly quiet: boolean;
}

/** Runs `work` under watch. The page, where there is one, is there as long as the work lasts, or until the signal with `--stay`. */
export async function underWatch<T>(
  words: WatchWords,
  { project, chosen, stopping }: {
    readonly project: Project;
    readonly chosen: readonly PipelineBlueprint[];
    readonly stopping: AbortSignal;
  },
  { world, terminal, signal }: CommandContext,
  work: (world: World, watch: Watch) => Promise<T>,
): Promise<T> {
  const wishes = { dashboard: words.dashboard, tokenFile: words.dashboardTokenFile };
  const opened = await openWatch(chosen, wishes, { world, version: VERSION, stopping, mask: (text) => project.mask(text) });
  try {
    if (opened.address && !words.quiet) {
      const { host, port } = opened.address;
      terminal.err(`  ${"dashboard".padEnd(16)} http://${host.includes(":") ? `[${host}]` : host}:${port}/\n`);
    }
    const result = await work(opened.world, opened.watch);
    if (opened.address && words.stay && !signal.aborted) await untilAborted(signal);
    return result;
  } finally {
    await opened.close();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
