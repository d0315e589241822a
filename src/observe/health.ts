/** The three questions of an orchestrator: does it live, may it be given work, has it come up. */
import type { Board } from "./board.ts";
import { CHECKPOINT_AGE_MAX_MS } from "./limits.ts";

export interface Health {
  readonly ok: boolean;
  /** What is missing, in words. */
  readonly why: readonly string[];
}

/** Connected, not draining, checkpoints young enough. */
export function readiness(board: Board): Health {
  const why: string[] = [];
  if (board.isDraining) why.push("it is stopping");
  if (board.pipelines.size === 0) why.push("no pipeline has begun");
  for (const [name, pipeline] of board.pipelines) {
    if (pipeline.state === "waiting") why.push(`"${name}" is not connected yet`);
    if (pipeline.state === "failed") why.push(`"${name}" has failed`);
    const ageMs = pipeline.openAgeMs();
    if (ageMs > Math.max(CHECKPOINT_AGE_MAX_MS, 20 * pipeline.shape.epochEveryMs)) {
      why.push(`the newest checkpoint of "${name}" is ${Math.round(ageMs / 1000)} s overdue`);
    }
  }
  return { ok: why.length === 0, why };
}

/** Every pipeline has begun, or has had nothing to do. */
export function startup(board: Board): Health {
  const waiting = [...board.pipelines].filter(([, { state }]) => state === "waiting").map(([name]) => `"${name}" is not connected yet`);
  return { ok: board.pipelines.size > 0 && waiting.length === 0, why: board.pipelines.size > 0 ? waiting : ["no pipeline has begun"] };
}
