/** The difference between two plans, by the things that a person wrote. */
import type { PlanParts } from "../../project/hash.ts";

export interface PartChange {
  /** "sink alerts", "parameter limit" and the like. */
  readonly node: string;
  readonly change: "added" | "removed" | "changed";
  /** The settings that differ, of a node that is in both. */
  readonly parts: readonly string[];
}

/** Removed and changed nodes in the order of the old plan, then those that were added. */
export function diffParts(before: PlanParts, now: PlanParts): PartChange[] {
  const changes: PartChange[] = [];
  for (const [node, old] of Object.entries(before)) {
    const own = now[node];
    if (!own) {
      changes.push({ node, change: "removed", parts: [] });
      continue;
    }
    const parts = [...new Set([...Object.keys(old), ...Object.keys(own)])].filter((part) => old[part] !== own[part]).sort();
    if (parts.length > 0) changes.push({ node, change: "changed", parts });
  }
  for (const node of Object.keys(now)) if (!before[node]) changes.push({ node, change: "added", parts: [] });
  return changes;
}
