/**
 * The order in which sources are read: what a transform's first input is joined with is read before it, where that is
 * possible. Invariant: ranks never contradict one another; a wish that would is dropped, earlier transforms first.
 */
import type { PlannedTransform } from "./plan_transforms.ts";

/** A rank for each source, from 0; sources of a lower rank are read to their end first. */
export function rankSources(sources: readonly string[], transforms: readonly PlannedTransform[]): ReadonlyMap<string, number> {
  const upstream = new Map<string, ReadonlySet<string>>(sources.map((name) => [name, new Set([name])]));
  const earlier = new Map<string, Set<string>>(sources.map((name) => [name, new Set()]));
  for (const { name, inputs } of transforms) {
    const byInput = inputs.map((edges) => union(edges.map(({ from }) => upstream.get(from) ?? new Set<string>())));
    upstream.set(name, union(byInput));
    const [first, ...others] = byInput;
    for (const before of union(others)) {
      for (const after of first) {
        if (first.has(before) || byInput.slice(1).some((other) => other.has(after))) continue;
        if (!reaches(earlier, before, after)) earlier.get(after)!.add(before);
      }
    }
  }
  const ranks = new Map<string, number>();
  const rankOf = (name: string): number => {
    const known = ranks.get(name);
    if (known !== undefined) return known;
    const rank = Math.max(-1, ...[...earlier.get(name)!].map(rankOf)) + 1;
    ranks.set(name, rank);
    return rank;
  };
  sources.forEach(rankOf);
  return ranks;
}

function union(sets: Iterable<ReadonlySet<string>>): ReadonlySet<string> {
  const all = new Set<string>();
  for (const set of sets) for (const item of set) all.add(item);
  return all;
}

/** Whether `from` comes after `to` already, directly or through others. */
function reaches(earlier: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  if (from === to) return true;
  for (const before of earlier.get(from) ?? []) if (reaches(earlier, before, to)) return true;
  return false;
}
