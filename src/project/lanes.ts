/**
 * Whether each partition of the source can be a lane of its own. Invariant: "yes" only when every record that shares state
 * with another comes from the same partition.
 */
import type { PlannedSource } from "./plan_sources.ts";
import type { PlannedTransform } from "./plan_transforms.ts";

/** The answer and, in one sentence, why. */
export interface LaneDecision {
  readonly byPartition: boolean;
  readonly reason: string;
}

/** Hidden transforms do not count: their results are added up over the lanes at the end. */
export function decideLanes(sources: readonly PlannedSource[], transforms: readonly PlannedTransform[]): LaneDecision {
  const oneLane = (reason: string): LaneDecision => ({ byPartition: false, reason: `one lane: ${reason}` });
  const partitioned = sources.filter(({ plan }) => plan?.partitioned);
  if (partitioned.length === 0) return oneLane("no source has partitions");
  if (sources.length > 1) return oneLane(`it reads several sources, and "${partitioned[0].name}" has partitions`);
  const [source] = partitioned;
  const key = source.plan!.partitionedBy;
  const changers: string[] = [];
  for (const { name, plan, settings } of transforms) {
    if (plan.needsEnd) return oneLane(`"${name}" gives its result only when all input has been read`);
    const { keyedBy } = plan;
    if (keyedBy === "*") return oneLane(`"${name}" must see all records together`);
    if (keyedBy !== null) {
      const by = typeof keyedBy === "string" ? [keyedBy] : keyedBy;
      const names = by.map((field) => `"${field}"`).join(" and ");
      if (key === null) {
        return oneLane(`"${name}" keeps state by ${names}, and "${source.name}" does not say what its partitions are keyed by`);
      }
      if (!by.includes(key)) return oneLane(`"${name}" keeps state by ${names}, and "${source.name}" is partitioned by "${key}"`);
      if (changers.length > 0) return oneLane(`"${name}" keeps state by "${key}", which "${changers[0]}" may change`);
    }
    if (key !== null && setsField(settings.celTables(), key)) changers.push(name);
  }
  const by = key === null ? "" : `, keyed by "${key}"`;
  return { byPartition: true, reason: `a lane per partition of "${source.name}"${by}` };
}

type CelTables = ReturnType<PlannedTransform["settings"]["celTables"]>;

/** A table of expressions that names the field and does not just copy it. Which tables write is the component's affair: any counts. */
function setsField(tables: CelTables, field: string): boolean {
  for (const { entries } of tables) {
    if (entries.some(({ path, value }) => path[0] === field && (path.length > 1 || value.text.trim() !== field))) return true;
  }
  return false;
}
