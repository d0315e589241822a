/** Bugs that are put into a copy of the shipped files, one at a time; the simulation must find each within its number of seeds. */
import type { SinkKind } from "../setup.ts";

export interface PlantedEdit {
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  readonly edits: readonly PlantedEdit[];
  readonly seedsMax: number;
  /** Looked for in runs with these sinks; absent: in those that seeds choose. */
  readonly sinks?: readonly SinkKind[];
}

const HELD_LANE = "src/engine/held_lane.ts";
const LANE_INPUTS = "src/engine/lane_inputs.ts";
const LANE_STORE = "src/engine/lane_store.ts";
const CLICKHOUSE_LANE = "src/connectors/clickhouse/sink_lane.ts";
const SQL_LANE = "src/connectors/sql/sink_lane.ts";
const TRANSACTIONS = "src/connectors/kafka/transactional_producer.ts";
const BATCH_WRITER = "src/connectors/kafka/batch_writer.ts";

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: "head is flipped before delivery",
    file: HELD_LANE,
    edits: [{
      find: "    const deliveries = this.#sinks.map(",
      replace:
        "    await this.#store.decide(this.#flipped(intent, epoch, digest), groups.at(-1), deletes);\n    const deliveries = this.#sinks.map(",
    }],
    seedsMax: 60,
  },
  {
    name: "the start of a batch is stored as the next position",
    file: LANE_INPUTS,
    edits: [
      {
        find: "    cursor.position = next;",
        replace: "    Object.assign(cursor, { begin: cursor.position });\n    cursor.position = next;",
      },
      {
        find: "({ input, position, ended }) => ({ source: input.node.name, partition: input.partition, position, ended })",
        replace:
          "({ input, begin, position, ended }) => ({ source: input.node.name, partition: input.partition, position: begin ?? position, ended })",
      },
    ],
    seedsMax: 60,
  },
  {
    name: "the state change of a rejected record is kept",
    file: "src/transforms/decide/compile.ts",
    edits: [{
      find: '    emitCode(writing, outcome),\n    records === "new" ? storeStates(writing) : "",\n',
      replace: '    records === "new" ? storeStates(writing) : "",\n    emitCode(writing, outcome),\n',
    }],
    seedsMax: 60,
  },
  {
    name: "remembered records that a base holds already are taken in again from changes",
    file: "src/engine/state/history.ts",
    edits: [{ find: "        if (epoch <= this.foldedAt[own]) continue;\n", replace: "" }],
    seedsMax: 60,
  },
  {
    name: "a remembered record is not among the changes of its epoch",
    file: "src/engine/state/history.ts",
    edits: [{ find: "if (at >= first) this.#note(slot, page, at);", replace: "if (at < first) this.#note(slot, page, at);" }],
    seedsMax: 60,
  },
  {
    name: "a replay decides at a time of its own",
    file: HELD_LANE,
    edits: [{ find: "this.#begin(intent.timeMicros)", replace: "this.#begin(this.#epochTime())" }],
    seedsMax: 60,
  },
  {
    name: "the position of held rows is not stored",
    file: HELD_LANE,
    edits: [{ find: "drains: this.graph.drainPositions(),", replace: "drains: this.head.drains," }],
    seedsMax: 60,
  },
  {
    name: "the state of an epoch is not written with its flip",
    file: HELD_LANE,
    edits: [{
      find: "refusedParts }, groups.at(-1), deletes)",
      replace: "refusedParts }, [], deletes)",
    }],
    seedsMax: 60,
  },
  {
    name: "writes do not check who owns the lane",
    file: LANE_STORE,
    edits: [{ find: "return [{ key: this.#headKey, versionstamp: this.#versionstamp }];", replace: "return [];" }],
    seedsMax: 60,
  },
  {
    name: "a file is renamed into place before it is durable",
    file: "src/ports/durable.ts",
    edits: [{ find: "    await handle.sync();\n", replace: "" }],
    seedsMax: 60,
    sinks: ["files"],
  },
  {
    name: "a rename into place is not made durable",
    file: "src/ports/durable.ts",
    edits: [{ find: "  await files.syncFolder(target.folder);\n", replace: "" }],
    seedsMax: 100,
    sinks: ["files"],
  },
  {
    name: "an epoch of a topic is committed before its records are durable",
    file: "src/connectors/log/topic_writer.ts",
    edits: [{
      find: "    await Promise.all(spans.map(({ partition }) => session.segments.get(partition)!.handle.sync()));\n",
      replace: "",
    }],
    seedsMax: 200,
    sinks: ["topic"],
  },
  {
    name: "a new owner trusts a part that a dead one renamed and never made durable",
    file: "src/connectors/files/file_sink.ts",
    edits: [{ find: "    await this.store.settle();\n", replace: "" }],
    seedsMax: 1_000,
    sinks: ["files"],
  },
  {
    name: "rows of an open file are delivered before they are on the disk",
    file: "src/connectors/files/parts/journal.ts",
    edits: [{ find: "    await this.#handle!.sync();\n", replace: "" }],
    seedsMax: 60,
    sinks: ["files"],
  },
  {
    name: "the marker of a topic is committed outside the transaction of its rows",
    file: TRANSACTIONS,
    edits: [
      {
        find:
          "        await this.#requests.addMarkers(identity);\n        await this.#requests.commitMarker(identity, name, formatMarker(stamp));\n",
        replace: "",
      },
      {
        find: '    await this.#requests.end(identity, "commit");\n',
        replace: '    await this.#requests.end(identity, "commit");\n' +
          "    await this.options.cluster.commitOffsets(markerGroup(this.options.marked), this.options.name, [formatMarker(stamp)]);\n",
      },
    ],
    seedsMax: 60,
    sinks: ["stream"],
  },
  {
    name: "an end of a transaction that was not answered is taken for a commit",
    file: TRANSACTIONS,
    edits: [{
      find: '    await this.#requests.end(identity, "commit");\n',
      replace: '    await this.#requests.end(identity, "commit").catch(() => {});\n',
    }],
    seedsMax: 400,
    sinks: ["stream"],
  },
  {
    name: "a watermark is not restored",
    file: "src/engine/lane_graph.ts",
    edits: [{
      find: "partitions?.get(spec.source) ?? [0], from?.times ?? [], before)",
      replace: "partitions?.get(spec.source) ?? [0], [], -Infinity)",
    }],
    seedsMax: 60,
  },
  {
    name: "a stale change of state of a dead owner is read",
    file: "src/engine/state/store.ts",
    edits: [{ find: "      if (epoch > headEpoch) continue;\n      if (pieces.at(-1)", replace: "      if (pieces.at(-1)" }],
    seedsMax: 1_000,
  },
  {
    name: "a token for ClickHouse does not name its lane",
    file: CLICKHOUSE_LANE,
    edits: [{ find: "/${lane}/${stamp.epoch}/${block}`", replace: "/${stamp.epoch}/${block}`" }],
    seedsMax: 60,
    sinks: ["warehouse"],
  },
  {
    name: "the marker of ClickHouse is written before the rows",
    file: CLICKHOUSE_LANE,
    edits: [
      { find: '      if (mode !== "token") await writeMarker(session, writer, lane, stamp);\n', replace: "" },
      {
        find: "      let block = 0;\n",
        replace: '      if (mode !== "token") await writeMarker(session, writer, lane, stamp);\n      let block = 0;\n',
      },
    ],
    seedsMax: 60,
    sinks: ["warehouse"],
  },
  {
    name: "the intent is skipped when input waits",
    file: HELD_LANE,
    edits: [
      {
        find: "    await this.#store.decide({ ...this.head, intent, ids: [] });\n",
        replace: "    if (collected.records < plan.epoch.recordsMax) await this.#store.decide({ ...this.head, intent, ids: [] });\n",
      },
      { find: '    assert(before.intent === intent, "only what head announces is delivered");\n', replace: "" },
    ],
    seedsMax: 60,
  },
  {
    name: "the marker of a database is moved outside the transaction of its rows",
    file: SQL_LANE,
    edits: [{
      find:
        '      await inTransaction(session, async () => {\n        if (await this.markers.advanceLane(session, this.writer, stamp) === "done") return;\n',
      replace: "      const advanced = await inTransaction(session, () => this.markers.advanceLane(session, this.writer, stamp));\n" +
        '      await inTransaction(session, async () => {\n        if (advanced === "done") return;\n',
    }],
    seedsMax: 100,
    sinks: ["database"],
  },
  {
    name: "a commit that was not answered is taken for done",
    file: SQL_LANE,
    edits: [{
      find: "    if (!(await this.markers.holdsEpoch(session, this.writer, stamp))) throw lost;\n",
      replace: "    void [session, lost];\n",
    }],
    seedsMax: 200,
    sinks: ["database"],
  },
  {
    name: "kafka: a batch is closed behind the record that made it too long",
    file: BATCH_WRITER,
    edits: [{
      find: "    if (this.#wrapper.records === 1) return this.#close();",
      replace: "    return this.#close();",
    }],
    seedsMax: 60,
    sinks: ["stream"],
  },
];
