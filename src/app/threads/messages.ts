/** What the main thread and its workers say to one another. Plain data: it is copied. */
import { MillraceError, type Retry } from "../../data/fault.ts";
import { FencedError, type NodeCounters, type Progress } from "../../engine/run_contracts.ts";
import type { Collected } from "../../observe/collector.ts";
import type { ReadFrom } from "../../project/contracts.ts";
import type { KvCommit, KvEntry, KvKey } from "../../ports/mod.ts";

export interface StartMessage {
  readonly kind: "start";
  /** The worker reads the project itself. */
  readonly project: ReadFrom;
  readonly pipeline: string;
  /** Of the plan, which the worker's own must equal. */
  readonly hash: string;
  readonly run: string;
  /** Digests of the kept snapshots of reference tables. */
  readonly tables: Readonly<Record<string, string>>;
  /** The lanes to run; "assigned": those whose partitions are assigned while the run lasts. */
  readonly lanes: readonly number[] | "assigned";
  /** What is to be told of what the lanes do; absent: nothing. */
  readonly show?: "rows" | "counts";
}
export type ProgressMessage = Omit<Progress, "positions"> & { readonly positions: ReturnType<Progress["positions"]> };
export type ToWorker =
  | StartMessage
  | { readonly kind: "assigned"; readonly partitions: readonly number[] }
  | { readonly kind: "told"; readonly id: number; readonly fault: FaultMessage | null }
  | { readonly kind: "kv"; readonly id: number; readonly answer: KvAnswer }
  | { readonly kind: "stop" };
export type FromWorker =
  | { readonly kind: "kv"; readonly id: number; readonly request: KvRequest }
  | { readonly kind: "progress"; readonly progress: ProgressMessage }
  | { readonly kind: "gathered"; readonly collected: Collected }
  | { readonly kind: "covered"; readonly source: string; readonly partition: number; readonly position: string }
  | { readonly kind: "released"; readonly partition: number }
  /** Whether replicas count this process in (answered when they have), or whether the run is still the one to take part in. */
  | { readonly kind: "ask"; readonly id: number; readonly what: "confirmed" | "require_run" }
  | {
    readonly kind: "ended";
    readonly ended: boolean;
    readonly counters: ReadonlyMap<string, NodeCounters>;
    readonly epochs: number;
  }
  | { readonly kind: "failed"; readonly fault: FaultMessage };

export type KvRequest =
  | { readonly kind: "get"; readonly key: KvKey }
  | { readonly kind: "commit"; readonly operation: KvCommit }
  /** Begins a list, or goes on with the one of this number. */
  | { readonly kind: "list"; readonly list: number; readonly prefix: KvKey }
  | { readonly kind: "drop_list"; readonly list: number };
export type KvAnswer =
  | { readonly kind: "entry"; readonly entry: KvEntry | null }
  | { readonly kind: "committed"; readonly result: { readonly ok: true; readonly versionstamp: string } | { readonly ok: false } }
  | { readonly kind: "page"; readonly entries: readonly KvEntry[]; readonly isLast: boolean }
  | { readonly kind: "failed"; readonly fault: FaultMessage };

/** An error as data. */
export interface FaultMessage {
  readonly kind: "millrace" | "fenced" | "other";
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly retry: Retry;
}

export function faultMessage(error: unknown): FaultMessage {
  if (error instanceof MillraceError) {
    const { code, message, hint, retry } = error;
    return { kind: "millrace", code, message, hint, retry };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: error instanceof FencedError ? "fenced" : "other", code: "", message, hint: undefined, retry: "never" };
}

export function faultOf({ kind, code, message, hint, retry }: FaultMessage): Error {
  if (kind === "millrace") return new MillraceError(code, message, { hint, retry });
  return kind === "fenced" ? new FencedError(message) : new Error(message);
}
