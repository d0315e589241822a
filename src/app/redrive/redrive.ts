/**
 * `millrace redrive`: puts refused records in front of what the pipeline reads next. Invariant: a record is put there once for each time
 * that it was refused, however often the command is given or killed: what was put there before is counted in the files themselves.
 */
import { assert, MillraceError } from "../../data/fault.ts";
import type { World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { type KeptReject, readRejects } from "../rejects/kept_rejects.ts";
import { RunRecords } from "../run_record.ts";
import { withCheckpoint } from "../state/stored_lanes.ts";
import { REDRIVE_RECORDS_MAX } from "./limits.ts";
import { addRedriven, readRedriven, redriveFolder, type RedrivenRecord } from "./redriven_records.ts";
import { redriveObstacle } from "./soundness.ts";

export interface Redriven {
  readonly pipeline: string;
  /** Records that the next start reads again. */
  readonly records: number;
  /** More were left than one command takes. */
  readonly left: number;
  /** Records that cannot go through again, by reason. */
  readonly refused: readonly { readonly records: number; readonly source: string; readonly step: string; readonly why: string }[];
}

/** Throws MillraceError "owned" while the pipeline runs, "redrive_bounded" and others where it cannot be redriven at all. */
export async function redrive(blueprint: PipelineBlueprint, world: World, reason: string | null): Promise<Redriven> {
  requireRedrivable(blueprint);
  return await withCheckpoint(blueprint, world, async (kv) => {
    const record = kv && (await RunRecords.open(kv)).current;
    if (!record || record.status !== "open") {
      throw new MillraceError("redrive_no_run", `"${blueprint.name}" has no run that could go on with its rejects`, {
        hint: "start it: a new run reads its input from the beginning, what was refused included",
      });
    }
    const { rejects } = await readRejects(blueprint, world);
    const folder = redriveFolder(blueprint.stateFolder, record.run);
    const { sound, refused } = divide(blueprint, rejects, reason);
    const total = { records: 0, left: 0 };
    for (const [key, group] of Map.groupBy(sound, ({ source, partition }) => JSON.stringify([source, partition]))) {
      const [source, partition] = JSON.parse(key) as [string, number];
      const before = countBy(await readRedriven(world.files, folder, source, partition), ({ position }) => position);
      const open = openRejects(group, before).filter((one) => reason === null || one.reason === reason);
      const taken = open.slice(0, REDRIVE_RECORDS_MAX - total.records);
      if (taken.length > 0) await addRedriven(world.files, folder, { source, partition }, taken.map(toRecord));
      total.records += taken.length;
      total.left += open.length - taken.length;
    }
    return { pipeline: blueprint.name, ...total, refused };
  });
}

function requireRedrivable({ name, bounded, shared, stages }: PipelineBlueprint): void {
  const refuse = (code: string, why: string, hint: string): never => {
    throw new MillraceError(code, `rejects of "${name}" cannot be redriven: ${why}`, { hint });
  };
  if (bounded) {
    refuse("redrive_bounded", "its input ends", "start it again with --rerun: it reads all of its input, what was refused included");
  }
  if (shared) {
    refuse("redrive_shared", "replicas share its checkpoint, and have no folder in common", "send the records to its source again");
  }
  if (stages.length > 0) refuse("redrive_stages", "it runs in stages", "send the records to its source again");
}

interface Divided {
  readonly sound: readonly KeptReject[];
  readonly refused: Redriven["refused"];
}

/** Of a reason only those that cannot go through are told; how often a record was refused is counted over all reasons. */
function divide(blueprint: PipelineBlueprint, rejects: readonly KeptReject[], reason: string | null): Divided {
  const sound: KeptReject[] = [];
  const refused: Redriven["refused"][number][] = [];
  for (const group of Map.groupBy(rejects, ({ source, step }) => JSON.stringify([source, step])).values()) {
    const { source, step } = group[0];
    const why = redriveObstacle(blueprint, source, step);
    const isWhole = ({ raw, position }: KeptReject): boolean => why === null && raw !== null && Number.isSafeInteger(position);
    sound.push(...group.filter(isWhole));
    const records = group.filter((one) => !isWhole(one) && (reason === null || one.reason === reason)).length;
    const incomplete = "their sink does not keep the records, or not where they came from";
    if (records > 0) refused.push({ records, source, step, why: why ?? incomplete });
  }
  return { sound, refused };
}

/** Of one partition: each record that was refused more often than it was put there, as it was refused last. */
function openRejects(group: readonly KeptReject[], before: ReadonlyMap<number, number>): KeptReject[] {
  const refusals = refusalsOf(group);
  const byPosition = new Map(group.map((one) => [one.position, one]));
  return [...byPosition.values()].filter(({ position }) => refusals.get(position)! > (before.get(position) ?? 0));
}

/** How often each position was refused. Where several sinks keep the same rejects, it was refused no oftener for that. */
function refusalsOf(rejects: readonly KeptReject[]): ReadonlyMap<number, number> {
  const most = new Map<string, { readonly position: number; readonly times: number }>();
  for (const [, kept] of Map.groupBy(rejects, ({ sink, position, step, reason }) => JSON.stringify([sink, position, step, reason]))) {
    const { position, step, reason } = kept[0];
    const key = JSON.stringify([position, step, reason]);
    if (kept.length > (most.get(key)?.times ?? 0)) most.set(key, { position, times: kept.length });
  }
  const refusals = new Map<number, number>();
  for (const { position, times } of most.values()) refusals.set(position, (refusals.get(position) ?? 0) + times);
  return refusals;
}

function countBy<T, K>(items: readonly T[], keyOf: (item: T) => K): ReadonlyMap<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

function toRecord({ position, origin, raw }: KeptReject): RedrivenRecord {
  assert(raw, "a record that goes through again is there");
  return { position, origin, raw };
}
