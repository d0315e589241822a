/**
 * Errors as people and machines read them: a stable code, what is wrong, where, and what to do. STYLE.md rules 10 and 13.
 */
/** A place in a configuration file; line and column count from 1, columns in UTF-16 units. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}
/** One fault of a configuration. All of them are collected and shown together. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly span: Span | null;
  readonly hint?: string;
}
/** Whether trying again may help: not at all, soon ("backoff": a few times), or once a server is back ("wait": until told to stop). */
export type Retry = "never" | "backoff" | "wait";

/** Thrown for everything a user can meet that is not a bad record. */
export class MillraceError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly retry: Retry;
  constructor(code: string, message: string, options: { hint?: string; retry?: Retry; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "MillraceError";
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? "never";
  }
}
/** Several faults of a configuration at once; the command line exits with 2. */
export class ConfigurationError extends Error {
  readonly faults: readonly Fault[];
  constructor(faults: readonly Fault[]) {
    super(`${faults.length} fault${faults.length === 1 ? "" : "s"} in the configuration`);
    this.name = "ConfigurationError";
    this.faults = faults;
  }
}
/** Our own mistake, never the input's: checked in production too. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
/** Ends an exhaustive switch. */
export function unreachable(value: never): never {
  throw new Error(`unreachable value: ${JSON.stringify(value)}`);
}
