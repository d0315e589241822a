/** A lane as those see it who watch. Reads, and changes nothing. */
import type { SinkLane } from "./contracts.ts";
import { summarize } from "./counters.ts";
import type { Head } from "./head.ts";
import type { LaneGraph } from "./lane_graph.ts";
import type { LaneInputs } from "./lane_inputs.ts";
import type { LaneReading } from "./run_contracts.ts";
import type { LaneState } from "./state/store.ts";

/** What a held lane consists of. */
export interface LaneParts {
  readonly head: Head;
  readonly graph: LaneGraph;
  readonly inputs: LaneInputs;
  readonly state: LaneState;
  readonly sinks: readonly { readonly lane: SinkLane }[];
  /** The epoch under way. */
  readonly open: { readonly startedMs: number; readonly records: number } | null;
  readonly nowMs: number;
}

/** Counters as of the newest complete epoch, positions as they are now. */
export function readLane({ head, graph, inputs, state, sinks, open, nowMs }: LaneParts): LaneReading {
  let bytesHeld = 0;
  for (const { lane } of sinks) bytesHeld += lane.bytesHeld();
  return {
    epoch: head.epoch,
    open: open && { ageMs: nowMs - open.startedMs, records: open.records, bytesHeld },
    counters: new Map([...head.tallies].map(([name, tally]) => [name, summarize(tally)])),
    ports: new Map([...head.tallies].map(([name, { ports }]) => [name, ports])),
    inputs: inputs.readings(),
    times: graph.partitionTimes(),
    watermarks: graph.watermarks(),
    state: state.sizes(),
  };
}
