/** When the input from a topic ends: `end`, `idle 10s`, `count N` or `never`. */
import { unreachable } from "../../data/fault.ts";

export type Until =
  | { readonly kind: "end" | "never" }
  | { readonly kind: "idle"; readonly idleMs: number }
  | { readonly kind: "count"; readonly count: number };

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** null where the text says none of them. */
export function parseUntil(text: string): Until | null {
  if (text === "end" || text === "never") return { kind: text };
  const idle = /^idle\s+(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  if (idle) return { kind: "idle", idleMs: Number(idle[1]) * UNIT_MS[idle[2]] };
  const count = /^count\s+(\d{1,15})$/.exec(text);
  return count ? { kind: "count", count: Number(count[1]) } : null;
}

export interface ReadState {
  /** Records of this partition read since its first one. */
  readonly read: number;
  readonly caughtUp: boolean;
  readonly sealed: boolean;
  /** Since a record last came. */
  readonly quietMs: number;
}

/** Whether the input has ended. A sealed topic that is read ends for everything but `never`. */
export function hasEnded(until: Until, { read, caughtUp, sealed, quietMs }: ReadState): boolean {
  switch (until.kind) {
    case "never":
      return false;
    case "end":
      return caughtUp && sealed;
    case "idle":
      return caughtUp && (sealed || quietMs >= until.idleMs);
    case "count":
      return read >= until.count || caughtUp && sealed;
    default:
      return unreachable(until);
  }
}
