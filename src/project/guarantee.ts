/** What a user may rely on between each source and each sink, and the link that decides it. */
import type { PathGuarantee } from "./contracts.ts";
import type { PlannedSink } from "./plan_sinks.ts";
import type { PlannedSource } from "./plan_sources.ts";
import type { PlannedTransform } from "./plan_transforms.ts";

/** One entry for each source and sink that are connected, rejects apart. Sources here are all replayable, so the sink decides. */
export function guaranteesOf(
  sources: readonly PlannedSource[],
  transforms: readonly PlannedTransform[],
  sinks: readonly PlannedSink[],
): readonly PathGuarantee[] {
  const upstream = new Map<string, ReadonlySet<string>>(sources.map(({ name }) => [name, new Set([name])]));
  for (const { name, edges } of transforms) {
    upstream.set(name, new Set(edges.flatMap(({ from }) => [...upstream.get(from) ?? []])));
  }
  return sinks.flatMap(({ name, edges, plan }) => {
    const reached = new Set(edges.flatMap(({ from, port }) => port === "rejected" ? [] : [...upstream.get(from) ?? []]));
    return [...reached].map((source): PathGuarantee => {
      const { guarantee, guaranteeNote } = plan;
      const path = { source, sink: name, guarantee, note: guaranteeNote };
      if (guarantee === "exactly-once") return path;
      return { ...path, hint: `after a crash "${name}" may get records again; a file or table sink beside it holds each one once` };
    });
  });
}
