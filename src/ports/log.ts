/** Structured events. Names are `noun_verbed`; fields never hold a secret or a tagged value. Per batch or epoch, never per record. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;
export type LogLevel = "debug" | "info" | "warning" | "error";
/** How events are written. */
export interface LogSettings {
  /** Events below it are dropped. */
  level: LogLevel;
  format: "text" | "json";
}
export interface Log {
  event(level: LogLevel, name: string, fields: LogFields): void;
}
