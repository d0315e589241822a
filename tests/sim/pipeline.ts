/** The simulated pipeline and the servers that outlive its processes. */
import { createHash } from "node:crypto";
import type { EventTime, Marker, OperatorNode, PipelinePlan, SinkNode } from "../../src/engine/contracts.ts";
import { SimGroup } from "../../src/sim/group.ts";
import { SeededRandom } from "../../src/sim/seeded_random.ts";
import { simSource } from "../../src/sim/source.ts";
import { simSqlSink, SimSqlTable } from "../../src/sim/sql_sink.ts";
import type { Booted, SimWorld } from "../../src/sim/world.ts";
import { ClickhouseServer } from "./clickhouse/server.ts";
import { clickhouseSink, COLUMN_FORMS, markerOf } from "./clickhouse/sinks.ts";
import type { Configured } from "./configured.ts";
import { Database } from "./database/server.ts";
import { databaseKey, databaseSink } from "./database/sink.ts";
import { fileSinks } from "./file_sinks.ts";
import { Broker } from "./kafka/broker.ts";
import { type ModelRecord, textOf } from "./model.ts";
import { createLedger, createOnce, createTotals, RECORD_TYPE } from "./operators.ts";
import type { Setup } from "./setup.ts";

export const PIPELINE = "accounts";
export const RUN = "run-1";
export const KV_PATH = "state/checkpoint.kv";
export const STREAM = "ledger";
/** Short, so that frozen members are given up while they are frozen. */
const SESSION_MS = 200;
const BROKER_ADDRESS = { host: "kafka", port: 9092 };

/** What a sink says it holds, read past everything that may go wrong. */
export interface MarkedSink {
  readonly name: string;
  marker(lane: number): Marker | null;
}

export class Servers {
  readonly tables = {
    ledger: new SimSqlTable(),
    rejects: new SimSqlTable(),
    totals: new SimSqlTable(),
    late: new SimSqlTable(),
  };
  readonly broker: Broker;
  readonly warehouse: ClickhouseServer;
  readonly database: Database;
  /** Settles who reads what, where processes share the partitions. */
  readonly group: SimGroup;
  /** Those that are exactly-once and keep their markers where anybody can see them. */
  readonly marked: readonly MarkedSink[];

  constructor(world: SimWorld, { seed, windowTokens, records, lanesByPartition }: Setup) {
    const spread = lanesByPartition ? "each" : "whole";
    this.group = new SimGroup({ scheduler: world.scheduler, partitions: records.length, spread, sessionMs: SESSION_MS });
    this.broker = new Broker(BROKER_ADDRESS, world.scheduler, new SeededRandom(seed ^ 0xb40c));
    this.warehouse = new ClickhouseServer(COLUMN_FORMS, windowTokens);
    this.database = new Database(world.scheduler);
    world.serve(BROKER_ADDRESS, this.broker);
    this.marked = [
      ...Object.entries(this.tables).map(([name, table]) => ({
        name: `${name}_table`,
        marker: (lane: number) => table.marker(`${PIPELINE}#${RUN}`, lane),
      })),
      { name: "database", marker: (lane) => markerOfDatabase(this.database, lane) },
      { name: "stream", marker: (lane) => this.#streamMarker(lane) },
      { name: "warehouse", marker: (lane) => markerOf(this.warehouse, PIPELINE, RUN, "warehouse", lane) },
    ];
  }

  /** As docs/protocol.md has it: the offset is the epoch, the text beside it says the rest. */
  #streamMarker(lane: number): Marker | null {
    const found = this.broker.coordinator.committedOffset(`millrace.epochs.${PIPELINE}.stream.${lane}`, `${STREAM}/0`);
    return found && { epoch: found.offset, digest: JSON.parse(found.metadata).digest };
  }
}

/** The row of a lane that was taken and has not delivered says so by an epoch below 0. */
function markerOfDatabase(database: Database, lane: number): Marker | null {
  const row = database.marker(databaseKey(`${PIPELINE}#${RUN}`, "database", lane));
  return row === null || row.epoch < 0 ? null : row;
}

/** The pipeline by hand. */
const operatorsByHand = (remembered: number): readonly OperatorNode[] => [
  { name: "once", inputs: [[{ from: "records", port: "out" }]], create: createOnce(remembered) },
  { name: "ledger", inputs: [[{ from: "once", port: "out" }]], create: createLedger },
  { name: "totals", inputs: [[{ from: "ledger", port: "out" }]], create: createTotals },
];
const REJECTED = ["records", "once", "ledger", "totals"].map((from) => ({ from, port: "rejected" }));
const DECISIONS = [{ from: "ledger", port: "out" }];

/** The plan as one process runs it. */
export function planFor(booted: Booted, setup: Setup, configured: Configured, servers: Servers): PipelinePlan {
  const { process, world } = booted;
  const { tables } = servers;
  const random = new SeededRandom(world.random.uint32());
  const isShared = setup.deployment === "shared";
  const source = simSource(process, random, {
    name: "records",
    type: RECORD_TYPE,
    partitions: setup.records.map((records) => records.map(simRecord)),
    batchRowsMax: setup.batchRowsMax,
    idlePerMille: setup.idlePerMille,
    ...(isShared ? { behind: "waits" } : {}),
  });
  const tableSink = (name: keyof Servers["tables"], inputs: SinkNode["inputs"]): SinkNode => ({
    name: `${name}_table`,
    inputs,
    sink: simSqlSink(process, `${name}_table`, tables[name]),
  });
  const isTimed = setup.latenessMicros !== null;
  return {
    pipeline: PIPELINE,
    hash: createHash("sha256").update(String(setup.seed)).digest("hex"),
    sources: [{
      name: "records",
      type: RECORD_TYPE,
      source: isShared ? { ...source, share: () => servers.group.share(process) } : source,
      rank: 0,
    }],
    operators: setup.operators === "by_hand" ? operatorsByHand(setup.remembered) : configured.operators,
    sinks: [
      tableSink("ledger", DECISIONS),
      tableSink("rejects", REJECTED),
      tableSink("totals", [{ from: "totals", port: "out" }]),
      ...(isTimed ? [tableSink("late", [{ from: "records", port: "late" }])] : []),
      ...chosenSinks(booted, setup, configured, servers),
    ],
    times: timesOf(setup),
    epoch: setup.epoch,
    lanesByPartition: setup.lanesByPartition,
  };
}

function chosenSinks(booted: Booted, setup: Setup, configured: Configured, { warehouse, database }: Servers): SinkNode[] {
  const { world } = booted;
  const nodes: SinkNode[] = [];
  if (setup.sinks.has("files")) nodes.push(...fileSinks(world, setup));
  if (setup.sinks.has("topic")) nodes.push({ name: "topic", inputs: DECISIONS, sink: configured.topicSink(world) });
  if (setup.sinks.has("database")) nodes.push({ name: "database", inputs: DECISIONS, sink: databaseSink(booted, "database", database) });
  if (setup.sinks.has("stream")) nodes.push({ name: "stream", inputs: DECISIONS, sink: configured.streamSink(world) });
  if (setup.sinks.has("warehouse")) {
    for (const [name, mode] of [["warehouse", "append"], ["tokens", "token"]] as const) {
      nodes.push({ name, inputs: DECISIONS, sink: clickhouseSink(booted, name, mode, warehouse) });
    }
  }
  return nodes;
}

function timesOf({ latenessMicros }: Setup): readonly EventTime[] {
  if (latenessMicros === null) return [];
  const field = RECORD_TYPE.fields.findIndex(({ name }) => name === "made_at");
  return [{ source: "records", node: "records", field, clockLagMicros: null, latenessMicros, idleMs: 60_000, late: "record" }];
}

function simRecord(record: ModelRecord) {
  const { id, account, amountCents, parts, note, madeAtMicros, flaw } = record;
  return { text: textOf(record), values: [id, account, amountCents, parts, note, madeAtMicros], reason: flaw };
}
