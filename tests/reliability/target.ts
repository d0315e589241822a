/** A sink that is killed at: how a project names it, and how somebody who knows nothing of the product reads what stands there. */
import type { Skipped } from "../services/mod.ts";
import type { Content, Row } from "./ledger.ts";

/** What one sink of the project should hold, and its reader. */
export interface Shelf {
  readonly sink: string;
  readonly content: Content;
  rows(): Promise<readonly Row[]>;
}
/** A fresh place at the target, for one round. */
export interface Place {
  /** [connections.*] and [sinks.*] fed from the node "balances". */
  readonly toml: string;
  /** Secrets and addresses that the TOML refers to. */
  readonly env: Readonly<Record<string, string>>;
  readonly shelves: readonly Shelf[];
  /** Payments that a reader sees while the run goes on; 0 before there is anything. */
  visible(): Promise<number>;
  remove(): Promise<void>;
}
export interface Target {
  readonly name: string;
  /** Rows may be delivered for good and not be visible yet: so many at most. */
  readonly heldBackMax: number;
  /** `folder`: of this round, removed after it. */
  place(folder: string): Promise<Place>;
}
/** Starts what it needs. */
export type OpenTarget = () => Promise<Target | Skipped>;

/** A name that nobody else has. */
export const freshName = (): string => `millrace_kills_${crypto.randomUUID().slice(0, 8)}`;
