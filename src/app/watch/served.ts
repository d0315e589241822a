/** A generator behind a server as the board sees it: what was made is what was sent, or dropped for slow readers. */
import type { ServeSummary } from "../../component/serving.ts";
import type { LaneReading, NodeCounters } from "../../engine/run_contracts.ts";
import type { Collected } from "../../observe/collector.ts";
import { emptyHistogram } from "../../observe/histogram.ts";
import type { PipelineBlueprint } from "../../project/contracts.ts";
import { sinkName } from "../../project/hidden.ts";

export function servedAsCollected({ sources, sinks }: PipelineBlueprint, { records, dropped }: ServeSummary): Collected {
  const made = records + dropped;
  const counters = new Map<string, NodeCounters>([[sources[0].name, counted(made, made)]]);
  for (const { name, inputs } of sinks) {
    if (inputs.some(({ port }) => port !== "rejected")) counters.set(sinkName(name), counted(records, 0));
  }
  const lane: LaneReading = {
    epoch: 0,
    open: null,
    counters,
    ports: new Map([[sources[0].name, new Map([["out", made]])]]),
    inputs: [],
    times: [],
    watermarks: new Map(),
    state: [],
  };
  return {
    lanes: new Map([[0, lane]]),
    gone: new Map(),
    epochs: 0,
    records: 0,
    epochTimes: emptyHistogram(),
    checkpointTimes: emptyHistogram(),
    deliveryTimes: new Map(),
    newest: null,
    reasons: new Map(),
    samples: [],
    rows: [],
    gains: new Map(),
  };
}

const counted = (came: number, out: number): NodeCounters => (
  { in: came, out, filtered: 0, duplicates: 0, folded: 0, late: 0, rejected: 0, deletes: 0 }
);
