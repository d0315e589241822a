/**
 * Whether each partition of the source can be a lane of its own. Invariant: "yes" only when every record that shares state
 * with another comes from the same partition.
 */
import type { SourcePlan } from "../component/component.ts";
import type { PlannedTransform } from "./plan_transforms.ts";

/** The answer and, in one sentence, why. */
export interface LaneDecision {
  readonly byPartition: boolean;
  readonly reason: string;
}
/** What a source's partitions have in common. `plan` is null with faults. */
export interface LaneSource {
  readonly name: string;
  readonly plan: Pick<SourcePlan, "partitioned" | "partitionedBy"> | null;
}
/** One source that comes to a node, and the transforms on the way that may have changed its key. */
type Reach = ReadonlyMap<LaneSource, readonly string[]>;

/**
 * Hidden transforms do not count: their results are added up over the lanes at the end. Several sources are read "together" where
 * partition N of each belongs to partition N of the others.
 */
export function decideLanes(
  sources: readonly LaneSource[],
  transforms: readonly PlannedTransform[],
  partitions: "apart" | "together" = "apart",
): LaneDecision {
  const oneLane = (reason: string): LaneDecision => ({ byPartition: false, reason: `one lane: ${reason}` });
  const partitioned = sources.filter(({ plan }) => plan?.partitioned);
  if (partitioned.length === 0) return oneLane("no source has partitions");
  const [source] = partitioned;
  if (sources.length > 1 && partitions === "apart") return oneLane(`it reads several sources, and "${source.name}" has partitions`);
  const reaches = new Map<string, Reach>(sources.map((each) => [each.name, new Map([[each, []]])]));
  for (const transform of transforms) {
    if (transform.plan.needsEnd) return oneLane(`"${transform.name}" gives its result only when all input has been read`);
    const reach = joined(transform.edges.map(({ from }) => reaches.get(from) ?? new Map()));
    for (const [from, changers] of reach) {
      const reason = whyNotInItsLane(transform, from, changers);
      if (reason !== null) return oneLane(reason);
    }
    reaches.set(
      transform.name,
      new Map([...reach].map(([from, changers]) => {
        const key = from.plan?.partitionedBy ?? null;
        const changes = key !== null && setsField(transform.settings.celTables(), key);
        return [from, changes ? [...changers, transform.name] : changers];
      })),
    );
  }
  const key = source.plan!.partitionedBy;
  const by = key === null ? "" : `, keyed by "${key}"`;
  return { byPartition: true, reason: `a lane per partition of "${source.name}"${by}` };
}

/** Why rows of the source that share state in the transform may lie in different partitions; null where they cannot. */
function whyNotInItsLane({ name, plan: { keyedBy } }: PlannedTransform, source: LaneSource, changers: readonly string[]): string | null {
  const key = source.plan?.partitionedBy ?? null;
  if (keyedBy === "*") return `"${name}" must see all records together`;
  if (keyedBy === null) return null;
  const by = typeof keyedBy === "string" ? [keyedBy] : keyedBy;
  const names = by.map((field) => `"${field}"`).join(" and ");
  if (key === null) return `"${name}" keeps state by ${names}, and "${source.name}" does not say what its partitions are keyed by`;
  if (!by.includes(key)) return `"${name}" keeps state by ${names}, and "${source.name}" is partitioned by "${key}"`;
  return changers.length > 0 ? `"${name}" keeps state by "${key}", which "${changers[0]}" may change` : null;
}

function joined(reaches: readonly Reach[]): Reach {
  const all = new Map<LaneSource, readonly string[]>();
  for (const reach of reaches) for (const [source, changers] of reach) all.set(source, [...all.get(source) ?? [], ...changers]);
  return all;
}

type CelTables = ReturnType<PlannedTransform["settings"]["celTables"]>;

/** A table of expressions that names the field and does not just copy it. Which tables write is the component's affair: any counts. */
function setsField(tables: CelTables, field: string): boolean {
  for (const { entries } of tables) {
    if (entries.some(({ path, value }) => path[0] === field && (path.length > 1 || value.text.trim() !== field))) return true;
  }
  return false;
}
