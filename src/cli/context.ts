/** What every command gets besides its words, and how it may end. */
import type { Terminal, World } from "../ports/mod.ts";

/** The exit codes of the program. */
export const EXIT = { done: 0, failed: 1, usage: 2, owned: 3, interrupted: 130 } as const;

/** What a command gets besides its words. */
export interface CommandContext {
  readonly world: World;
  readonly terminal: Terminal;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}
