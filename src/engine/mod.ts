/** The engine's public face: transforms and connectors import contracts.ts instead. */
export { collectRun, isUntouched } from "./collect.ts";
export { LaneGraph } from "./lane_graph.ts";
export type { GraphPlan, LaneGraphOptions } from "./lane_graph.ts";
export { countLanes, nothingRead, runPipeline } from "./run.ts";
export { decodeHead } from "./head.ts";
export type { Head, TableLayout } from "./head.ts";
export { requireKnownRuns, shownSink } from "./known_runs.ts";
export { requireOneLane, requireSamePlan } from "./same_plan.ts";
export { FencedError } from "./run_contracts.ts";
export { createStateStore, LaneState } from "./state/store.ts";
export type { OpenedTable, StateEntry, StoredState } from "./state/store.ts";
