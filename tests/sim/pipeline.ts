/** The simulated pipeline and the servers that outlive its processes. */
import { createHash } from "node:crypto";
import type { OperatorNode, PipelinePlan } from "../../src/engine/contracts.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { simSource } from "../../src/sim/source.ts";
import { simSqlSink, SimSqlTable } from "../../src/sim/sql_sink.ts";
import type { Booted } from "../../src/sim/world.ts";
import type { Configured } from "./configured.ts";
import { fileSinks } from "./file_sinks.ts";
import { type ModelRecord, textOf } from "./model.ts";
import { createLedger, createOnce, createTotals, RECORD_TYPE } from "./operators.ts";
import { hasLocalSinks, type Setup } from "./setup.ts";

export const PIPELINE = "accounts";
export const RUN = "run-1";
export const KV_PATH = "state/checkpoint.kv";

export class Servers {
  readonly ledger = new SimSqlTable();
  readonly rejects = new SimSqlTable();
  readonly totals = new SimSqlTable();
}

/** The pipeline by hand. */
const OPERATORS_BY_HAND: readonly OperatorNode[] = [
  { name: "once", inputs: [[{ from: "records", port: "out" }]], create: createOnce },
  { name: "ledger", inputs: [[{ from: "once", port: "out" }]], create: createLedger },
  { name: "totals", inputs: [[{ from: "ledger", port: "out" }]], create: createTotals },
];
const REJECTED = ["records", "once", "ledger", "totals"].map((from) => ({ from, port: "rejected" }));

/** The plan as one process runs it. */
export function planFor({ process, world }: Booted, setup: Setup, configured: Configured, servers: Servers): PipelinePlan {
  const random = new SeededRandom(world.random.uint32());
  const source = simSource(process, random, {
    name: "records",
    type: RECORD_TYPE,
    partitions: setup.records.map((records) => records.map(simRecord)),
    batchRowsMax: setup.batchRowsMax,
    idlePerMille: setup.idlePerMille,
  });
  const decisions = [{ from: "ledger", port: "out" }];
  const topic = hasLocalSinks(setup) ? [{ name: "topic", inputs: decisions, sink: configured.topicSink(world) }] : [];
  return {
    pipeline: PIPELINE,
    hash: createHash("sha256").update(String(setup.seed)).digest("hex"),
    sources: [{ name: "records", type: RECORD_TYPE, source, rank: 0 }],
    operators: setup.operators === "by_hand" ? OPERATORS_BY_HAND : configured.operators,
    sinks: [
      { name: "ledger_table", inputs: decisions, sink: simSqlSink(process, "ledger_table", servers.ledger) },
      { name: "rejects_table", inputs: REJECTED, sink: simSqlSink(process, "rejects_table", servers.rejects) },
      { name: "totals_table", inputs: [{ from: "totals", port: "out" }], sink: simSqlSink(process, "totals_table", servers.totals) },
      ...fileSinks(world, setup),
      ...topic,
    ],
    epoch: setup.epoch,
    lanesByPartition: setup.lanesByPartition,
  };
}

function simRecord(record: ModelRecord) {
  const { id, account, amountCents, parts, note, flaw } = record;
  return { text: textOf(record), values: [id, account, amountCents, parts, note], reason: flaw };
}
