/** What components get to plan with. Faults of one component are held back until its plan is known to deserve them. */
import type { PlanContext } from "../component/component.ts";
import type { Connection } from "./connections.ts";
import type { SettingGroup } from "../component/settings.ts";
import type { Fault, Span } from "../data/fault.ts";
import type { Expressions } from "../expr/contracts.ts";
import type { Params } from "./params.ts";
import type { StatePlace } from "./pipeline_settings.ts";
import type { SettingContext } from "./settings.ts";

/** One pipeline's surroundings, the same for all of its nodes. */
export interface Planning {
  readonly pipeline: string;
  readonly stateFolder: string;
  readonly state: StatePlace;
  readonly expressions: Expressions;
  readonly params: Params;
  readonly settings: SettingContext;
}

/** The context of one node; its faults go to `report`, at once or through a buffer of the caller's. */
export function planContext(
  planning: Planning,
  name: string,
  settings: SettingGroup,
  connection: Connection | null,
  report: (fault: Fault) => void,
): PlanContext {
  return {
    pipeline: planning.pipeline,
    name,
    settings,
    connection: connection?.settings ?? null,
    expressions: planning.expressions,
    params: planning.params,
    stateFolder: planning.stateFolder,
    replicas: planning.state.shared === null ? "one" : "several",
    connectionName: connection?.name,
    proof: planning.settings.proof,
    fault: (span: Span, message: string, hint?: string) => report({ code: "configuration", span, message, hint }),
    report,
  };
}
