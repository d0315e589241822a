/** Structured events. Names are `noun_verbed`; fields never hold a secret or a tagged value. Per batch or epoch, never per record. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;
export interface Log {
  event(level: "debug" | "info" | "warning" | "error", name: string, fields: LogFields): void;
}
