/** Whether what a lane left can be gone on with by the plan at hand. */
import { MillraceError } from "../data/fault.ts";
import type { PipelinePlan } from "./contracts.ts";
import type { Head } from "./head.ts";
import type { LaneInput } from "./lane_inputs.ts";

/** Throws when an open epoch, or the positions of earlier ones, are another plan's. */
export function requireSamePlan(plan: PipelinePlan, inputs: readonly LaneInput[], head: Head): void {
  if (head.intent && head.intent.planHash !== plan.hash) {
    throw new MillraceError(
      "plan_changed",
      `epoch ${head.epoch + 1} of "${plan.pipeline}" was begun with another configuration and is not complete`,
      {
        hint:
          "start once with the configuration that began it, so that it can complete; then change it. Or start over with --rerun. millrace plan shows what changed",
      },
    );
  }
  const lost = head.inputs.find(({ source, partition }) =>
    !inputs.some((input) => input.node.name === source && input.partition === partition)
  );
  if (lost) {
    throw new MillraceError(
      "plan_changed",
      `"${plan.pipeline}" has read partition ${lost.partition} of "${lost.source}", which is no input of it any more`,
      {
        hint: "bring the source back as it was, or start over with --rerun; millrace plan shows what changed",
      },
    );
  }
}

/** Throws when a plan of one lane meets a run of several: what the lanes behind the first have read would be read once more. */
export function requireOneLane(plan: PipelinePlan, second: Head | null): void {
  if (plan.lanesByPartition || second === null || second.epoch === 0 && second.intent === null) return;
  throw new MillraceError("plan_changed", `"${plan.pipeline}" was read lane by lane, and now everything would be read in one`, {
    hint: "bring back what let each partition have a lane of its own, or start over with --rerun; millrace plan shows what changed",
  });
}
