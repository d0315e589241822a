/**
 * Log events on standard error: one readable line, or one line of JSON, per event. Invariant: of one event, at most EVENTS_MAX are
 * written within WINDOW_MS; the next one says how many were left out.
 */
import type { Clock } from "../ports/clock.ts";
import type { Log, LogFields, LogLevel, LogSettings } from "../ports/log.ts";
import { writeWhole } from "./terminal.ts";

export type { LogLevel, LogSettings as LogOptions } from "../ports/log.ts";
const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 };

/** Of one event and level, within WINDOW_MS. */
const EVENTS_MAX = 20;
const WINDOW_MS = 10_000;
/** Events that are told apart; names are a part of the program, so there are never so many. */
const NAMES_MAX = 1_000;

/** MILLRACE_LOG=debug|info|warning|error, with ",json" for machines. Default: warnings, as text. */
export function logOptions(setting: string): LogSettings {
  const [level, format] = setting.split(",");
  const known = level === "debug" || level === "info" || level === "error" ? level : "warning";
  return { level: known, format: format === "json" ? "json" : "text" };
}

/** `settings` may change while the log is used. `write` is for tests; by default lines go to standard error. */
export function denoLog(settings: LogSettings, clock: Clock, write: (line: string) => void = (line) => writeWhole(Deno.stderr, line)): Log {
  const limit = new RateLimit(clock);
  return {
    event(level, name, fields) {
      if (RANK[level] < RANK[settings.level]) return;
      const leftOut = limit.pass(`${level} ${name}`);
      if (leftOut === null) return;
      const render = settings.format === "json" ? jsonLine : textLine;
      write(render(new Date(clock.nowMicros() / 1000).toISOString(), level, name, leftOut > 0 ? { ...fields, leftOut } : fields));
    },
  };
}

/** Counts by name within a window that begins with the first event. */
class RateLimit {
  readonly #windows = new Map<string, { sinceMs: number; count: number }>();
  constructor(private readonly clock: Clock) {}

  /** How many of this name were left out since the last one that passed; null: this one is left out too. */
  pass(name: string): number | null {
    const nowMs = this.clock.monotonicMs();
    const window = this.#windows.get(name);
    if (!window || nowMs - window.sinceMs >= WINDOW_MS) {
      if (!window && this.#windows.size >= NAMES_MAX) return null;
      const leftOut = window ? Math.max(0, window.count - EVENTS_MAX) : 0;
      this.#windows.set(name, { sinceMs: nowMs, count: 1 });
      return leftOut;
    }
    return ++window.count <= EVENTS_MAX ? 0 : null;
  }
}

function jsonLine(time: string, level: LogLevel, name: string, fields: LogFields): string {
  return JSON.stringify({ time, level, event: name, ...fields }) + "\n";
}

function textLine(time: string, level: LogLevel, name: string, fields: LogFields): string {
  const pairs = Object.entries(fields).map(([key, value]) =>
    `${key}=${typeof value === "string" && !/^[\w./:+-]+$/.test(value) ? JSON.stringify(value) : value}`
  );
  return `${time.slice(11, 23)} ${level.padEnd(7)} ${[name, ...pairs].join(" ")}\n`;
}
