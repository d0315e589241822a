/** What every command gets besides its words, and how it may end. */
import type { LogSettings, Terminal, World } from "../ports/mod.ts";

/** The exit codes of the program. */
export const EXIT = { done: 0, failed: 1, usage: 2, owned: 3, interrupted: 130 } as const;

/** What a command gets besides its words. */
export interface CommandContext {
  readonly world: World;
  readonly terminal: Terminal;
  /** What the world's log goes by; a command's options may change it. Absent: it cannot be changed. */
  readonly logging?: LogSettings;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}
