/** `state export` and `state show`: stored state in the user's names and types. Nothing is changed. */
import type { World } from "../../ports/mod.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { buildPlan } from "../build_plan.ts";
import { RunRecords } from "../run_record.ts";
import { nodesWithState, requireNode, type StoredRow, storedRows } from "./stored_rows.ts";
import { readLanes, runnablesOf, withCheckpoint } from "./stored_lanes.ts";

/**
 * Hands every stored row of a node, or of all nodes, to `take`: nodes in the order of the plan, lane by lane. Throws MillraceError
 * "owned" while the pipeline runs, "unknown_node" where the node keeps no state.
 */
export async function exportState(
  blueprint: PipelineBlueprint,
  world: World,
  node: string | null,
  take: (row: StoredRow) => void,
): Promise<void> {
  const stages = runnablesOf(blueprint).map((stage) => ({ stage, plan: buildPlan(stage, world) }));
  const chosen = node === null ? stages : stages.filter(({ plan }) => nodesWithState(plan).includes(node));
  if (chosen.length === 0 && node !== null) requireNode(stages.at(-1)!.plan, node);
  for (const { stage, plan } of chosen) {
    await withCheckpoint(stage, world, async (kv) => {
      const record = kv && (await RunRecords.open(kv)).current;
      if (!record) return;
      for (const lane of await readLanes(kv, record.run, "state")) {
        for (const row of storedRows(plan, lane, node)) take(row);
      }
    });
  }
}
