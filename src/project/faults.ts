/**
 * Collecting and showing faults. Invariant: a fault is kept once, however many pipelines meet it, and no secret leaves.
 */
import type { Fault, Span } from "../data/fault.ts";
import type { Secrets } from "./secrets.ts";

/** All faults of a project, in the order of their places. */
export class Faults {
  readonly #byIdentity = new Map<string, Fault>();
  readonly #secrets: Secrets;
  #reported = 0;

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  /** How often something was reported, repeats included: a reader compares it before and after to learn whether it went well. */
  get reported(): number {
    return this.#reported;
  }

  add(code: string, span: Span | null, message: string, hint?: string): void {
    this.report({ code, span, message, hint });
  }

  readonly report = (fault: Fault): void => {
    this.#reported++;
    const message = this.#secrets.mask(fault.message);
    const hint = fault.hint === undefined ? undefined : this.#secrets.mask(fault.hint);
    const place = fault.span ? `${fault.span.file}:${fault.span.line}:${fault.span.column}` : "";
    const identity = `${place}\n${message}`;
    if (this.#byIdentity.has(identity)) return;
    const { code, span } = fault;
    this.#byIdentity.set(identity, hint === undefined ? { code, span, message } : { code, span, message, hint });
  };

  /** Something cannot be read because of a fault that is told already: counted, so that nobody takes it for good. */
  followed(): void {
    this.#reported++;
  }

  /** Sorted by file, then place; faults without one come first. */
  sorted(): readonly Fault[] {
    return [...this.#byIdentity.values()].sort((a, b) => comparePlaces(a.span, b.span));
  }
}

function comparePlaces(a: Span | null, b: Span | null): number {
  if (!a || !b) return Number(a !== null) - Number(b !== null);
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}

/** Faults as text: `file:line:column: message`, the hint indented below. Ends with a line end unless empty. */
export function renderFaults(faults: readonly Fault[]): string {
  return faults.map((fault) => {
    const hint = fault.hint === undefined ? "" : `  hint: ${fault.hint.replaceAll("\n", "\n        ")}\n`;
    return `${placeText(fault.span)}${fault.message}\n${hint}`;
  }).join("");
}

function placeText(span: Span | null): string {
  if (!span) return "";
  return span.line === 0 ? `${span.file}: ` : `${span.file}:${span.line}:${span.column}: `;
}

/** "file:line:column" of a place, for messages that name a second one. */
export function placeOf(span: Span): string {
  return span.line === 0 ? span.file : `${span.file}:${span.line}:${span.column}`;
}
