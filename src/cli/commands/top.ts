/** `top`: what running pipelines do, in a terminal. Each frame is one write, between the marks of a synchronized update. */
import { openProject } from "../../app/open_project.ts";
import { parseAddress } from "../../app/watch/open_watch.ts";
import { askTop, remoteProcess, runningProcesses, TopFollower, type TopSource, type TopView } from "../../app/watch/top_view.ts";
import { MillraceError } from "../../data/fault.ts";
import type { Screen } from "../../ports/mod.ts";
import { type CommandContext, EXIT } from "../context.ts";
import type { TopCommand } from "../grammar.ts";
import { parseOverrides } from "../overrides.ts";
import { topFrame } from "../render/top_frame.ts";

const ASK_EVERY_MS = 1_000;
const BEGIN = "\x1b[?2026h\x1b[H";
const END = "\x1b[J\x1b[?2026l";

export async function top(command: TopCommand, context: CommandContext): Promise<number> {
  const sources = await findSources(command, context);
  const screen = command.json ? null : context.terminal.openScreen?.() ?? null;
  if (!screen) return await printOnce(command, sources, context);
  try {
    await new Top(screen, sources, context).run();
    return EXIT.done;
  } finally {
    screen.close();
  }
}

async function findSources(command: TopCommand, { world }: CommandContext): Promise<readonly TopSource[]> {
  const address = parseAddress(command.target);
  if (address) return [await remoteProcess(address, command.tokenFile, world)];
  const project = await openProject(world, { path: command.target, overrides: parseOverrides(command.set), envFile: command.envFile });
  return await runningProcesses(project, world);
}

const PRINTED_ROWS_MAX = 60;

async function printOnce({ json }: TopCommand, sources: readonly TopSource[], { world, terminal }: CommandContext): Promise<number> {
  for (const source of sources) {
    const snapshot = await askTop(source, world);
    if (json) terminal.out(JSON.stringify(snapshot, null, 2) + "\n");
    else {
      const frame = topFrame(new TopFollower().follow(snapshot), {
        columns: terminal.width,
        rows: PRINTED_ROWS_MAX,
        colors: false,
        chosen: 0,
      });
      terminal.out(frame.slice(0, -1).join("\n").trimEnd() + "\n");
    }
  }
  return EXIT.done;
}

class Top {
  #chosen = 0;
  #source = 0;
  #view: TopView | null = null;
  #fault: string | undefined;
  #follower = new TopFollower();
  readonly #quit = new AbortController();
  readonly #stop: AbortSignal;

  constructor(private readonly screen: Screen, private readonly sources: readonly TopSource[], private readonly context: CommandContext) {
    this.#stop = AbortSignal.any([context.signal, this.#quit.signal]);
  }

  /** Until q, Ctrl+C or a signal. */
  async run(): Promise<void> {
    this.screen.resized(() => this.#draw());
    void this.#listen();
    while (!this.#stop.aborted) {
      await this.#ask();
      this.#draw();
      await this.context.world.clock.sleep(ASK_EVERY_MS, this.#stop);
    }
  }

  async #ask(): Promise<void> {
    try {
      this.#view = this.#follower.follow(await askTop(this.sources[this.#source], this.context.world));
      this.#fault = undefined;
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      if (this.#view === null) throw error;
      this.#fault = `it does not answer any more (${error.code}); q quits`;
    }
  }

  async #listen(): Promise<void> {
    for await (const typed of this.screen.keys()) {
      if (typed === "q" || typed === "Q" || typed === "\x03" || typed === "\x1b") this.#quit.abort();
      else if (typed === "\x1b[C" || typed === "\t" || typed === "l") this.#move(1);
      else if (typed === "\x1b[D" || typed === "\x1b[Z" || typed === "h") this.#move(-1);
    }
    this.#quit.abort(); // Nobody types any more.
  }

  /** To the next pipeline, and behind a process's last one to the next process. */
  #move(by: 1 | -1): void {
    const count = this.#view?.snapshot.pipelines.length ?? 1;
    this.#chosen += by;
    if (this.#chosen >= 0 && this.#chosen < count) return this.#draw();
    this.#chosen = 0;
    if (this.sources.length === 1) {
      this.#chosen = by > 0 ? 0 : count - 1;
      return this.#draw();
    }
    this.#source = (this.#source + by + this.sources.length) % this.sources.length;
    this.#follower = new TopFollower();
  }

  #draw(): void {
    if (!this.#view || this.#stop.aborted) return;
    const { columns, rows } = this.screen.size();
    const { colors } = this.context.terminal;
    const frame = topFrame(this.#view, { columns, rows, colors, chosen: this.#chosen, fault: this.#fault });
    this.screen.draw(BEGIN + frame.map((line) => `${line}\x1b[K`).join("\r\n") + END);
  }
}
