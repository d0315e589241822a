/** Log events on standard error: one readable line, or one line of JSON, per event. */
import type { Clock } from "../ports/clock.ts";
import type { Log, LogFields } from "../ports/log.ts";
import { writeWhole } from "./terminal.ts";

export type LogLevel = Parameters<Log["event"]>[0];
export interface LogOptions {
  /** Events below it are dropped. */
  readonly level: LogLevel;
  readonly format: "text" | "json";
}
const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 };

/** MILLRACE_LOG=debug|info|warning|error, with ",json" for machines. Default: warnings, as text. */
export function logOptions(setting: string): LogOptions {
  const [level, format] = setting.split(",");
  const known = level === "debug" || level === "info" || level === "error" ? level : "warning";
  return { level: known, format: format === "json" ? "json" : "text" };
}

/** `write` is for tests; by default lines go to standard error. */
export function denoLog(
  { level, format }: LogOptions,
  clock: Clock,
  write: (line: string) => void = (line) => writeWhole(Deno.stderr, line),
): Log {
  const render = format === "json" ? jsonLine : textLine;
  return {
    event(eventLevel, name, fields) {
      if (RANK[eventLevel] >= RANK[level]) write(render(new Date(clock.nowMicros() / 1000).toISOString(), eventLevel, name, fields));
    },
  };
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
