/** One line per running pipeline, redrawn in place on a terminal at most ten times a second; silent elsewhere. */
import type { PipelineProgress } from "../../app/events.ts";
import type { Clock, Terminal } from "../../ports/mod.ts";
import { withThousands } from "./text_table.ts";

const REDRAW_EVERY_MS = 100;
const BAR_WIDTH = 24;

export class ProgressLines {
  readonly #running = new Map<string, PipelineProgress & { readonly startedMs: number }>();
  #drawnLines = 0;
  #drawnMs = -Infinity;

  constructor(private readonly terminal: Terminal, private readonly clock: Clock) {}

  update(progress: PipelineProgress): void {
    if (!this.terminal.isTerminal) return;
    const startedMs = this.#running.get(progress.pipeline)?.startedMs ?? this.clock.monotonicMs();
    this.#running.set(progress.pipeline, { ...progress, startedMs });
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#drawnMs < REDRAW_EVERY_MS) return;
    this.#drawnMs = nowMs;
    this.#draw();
  }

  /** Removes the pipeline's line and prints `lines` above those that go on. */
  finish(pipeline: string, lines: readonly string[]): void {
    this.#running.delete(pipeline);
    this.#erase();
    for (const line of lines) this.terminal.err(line + "\n");
    if (this.terminal.isTerminal && this.#running.size > 0) this.#draw();
  }

  /** Leaves a clean terminal. */
  clear(): void {
    this.#erase();
    this.#running.clear();
  }

  #erase(): void {
    if (this.#drawnLines > 0) this.terminal.err(`\x1b[${this.#drawnLines}A\x1b[J`);
    this.#drawnLines = 0;
  }

  #draw(): void {
    const lines = [...this.#running.values()].map((progress) => this.#line(progress).slice(0, this.terminal.width - 1));
    const back = this.#drawnLines > 0 ? `\x1b[${this.#drawnLines}A\x1b[J` : "";
    this.terminal.err(back + lines.map((line) => line + "\n").join(""));
    this.#drawnLines = lines.length;
  }

  #line({ pipeline, records, startedMs, ...progress }: PipelineProgress & { readonly startedMs: number }): string {
    const fraction = progress.fraction();
    const seconds = Math.max(0.001, (this.clock.monotonicMs() - startedMs) / 1000);
    const rate = `${withThousands(records)} records, ${withThousands(records / seconds)}/s`;
    if (fraction === null) return `  ${pipeline.padEnd(16)} ${"·".repeat(BAR_WIDTH)}       ${rate}`;
    const filled = Math.round(Math.min(1, fraction) * BAR_WIDTH);
    const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
    return `  ${pipeline.padEnd(16)} ${bar} ${String(Math.round(fraction * 100)).padStart(3)} %  ${rate}`;
  }
}
