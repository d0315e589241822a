/**
 * A small pipeline for protocol tests: numbers in, a running sum per key in state, an aggregate that is drained at the end; a
 * sink that keeps rows and marker together as a database would.
 */
import type { Batch, Rejected } from "../../../src/data/batch.ts";
import { cell, columnOf, makeMeta } from "../../../src/data/columns.ts";
import { INT, type RecordType, STRING } from "../../../src/data/types.ts";
import type {
  EpochStamp,
  Marker,
  Operator,
  OperatorContext,
  OperatorNode,
  Output,
  PipelinePlan,
  Polled,
  PollLimits,
  Sink,
  SinkLane,
  SinkNode,
  Source,
  SourceReader,
} from "../../../src/engine/contracts.ts";
import { MillraceError } from "../../../src/data/fault.ts";

export const INPUT: RecordType = { fields: [{ name: "key", type: STRING }, { name: "amount", type: INT }] };
export const SUMS: RecordType = { fields: [{ name: "key", type: STRING }, { name: "amount", type: INT }, { name: "sum", type: INT }] };

export interface TestRecord {
  readonly key: string;
  /** Below zero: the source rejects it. 13: the operator rejects it. */
  readonly amount: number;
}

/** Rows as plain objects. */
export function rowsOf(batch: Batch): Record<string, unknown>[] {
  return Array.from(
    { length: batch.rows },
    (_, row) => Object.fromEntries(batch.type.fields.map(({ name, type }, i) => [name, cell(batch.columns[i]!, type, row)])),
  );
}
export function batchOf(
  type: RecordType,
  rows: readonly Record<string, unknown>[],
  source: string,
  positions: readonly number[],
  partition = 0,
): Batch {
  const columns = type.fields.map((field) => columnOf(field.type, rows.map((row) => row[field.name])));
  return { rows: rows.length, type, columns, meta: makeMeta(source, partition, Float64Array.from(positions)) };
}

/** Reads records from memory. A position is "n:index". */
export class MemorySource implements Source {
  readonly #partitions: readonly (readonly TestRecord[])[];
  readonly #name: string;
  /** Polls give at most so many rows, whatever was asked. */
  readonly #rowsPerPoll: number;
  /** Before the record of this index, one poll finds nothing. */
  readonly #idleBefore = new Set<number>();
  constructor(name: string, partitions: readonly (readonly TestRecord[])[], rowsPerPoll = 5, idleBefore: readonly number[] = []) {
    this.#name = name;
    this.#partitions = partitions;
    this.#rowsPerPoll = rowsPerPoll;
    for (const index of idleBefore) this.#idleBefore.add(index);
  }
  partitions(): Promise<number> {
    return Promise.resolve(this.#partitions.length);
  }
  identity(): Promise<string> {
    return Promise.resolve("");
  }
  reader(partition: number): Promise<SourceReader> {
    const records = this.#partitions[partition];
    return Promise.resolve({
      start: "n:0",
      close: () => {},
      poll: (from: string, limits: PollLimits): Promise<Polled> =>
        Promise.resolve(this.#poll(records, partition, Number(from.slice(2)), limits)),
    });
  }
  #poll(records: readonly TestRecord[], partition: number, at: number, { rowsMax, until }: PollLimits): Polled {
    if (at >= records.length) return { kind: "end" };
    if (this.#idleBefore.delete(at)) return { kind: "idle", retryAfterMs: 5 };
    const to = Math.min(records.length, at + Math.min(rowsMax, this.#rowsPerPoll), until ? Number(until.slice(2)) : Infinity);
    const good: TestRecord[] = [];
    const positions: number[] = [];
    const rejected: Rejected[] = [];
    for (let i = at; i < to; i++) {
      if (records[i].amount >= 0) {
        good.push(records[i]);
        positions.push(i);
        continue;
      }
      const raw = new TextEncoder().encode(JSON.stringify(records[i]));
      rejected.push({ source: this.#name, partition, position: i, origin: i, step: this.#name, reason: "range:amount", raw });
    }
    const batch = batchOf(INPUT, good as unknown as Record<string, unknown>[], this.#name, positions, partition);
    return { kind: "batch", batch, rejected, read: to - at, next: `n:${to}` };
  }
}

/** Adds up per key; rejects 13. */
export function sumNode(name: string, from: string): OperatorNode {
  return {
    name,
    inputs: [[{ from, port: "out" }]],
    create: ({ state }: OperatorContext): Operator => {
      const table = state.table({ name: "sums", key: ["text"], columns: [{ name: "sum", kind: "number" }], version: 1 });
      const sums = table.number("sum");
      return {
        process(_input: number, batch: Batch, out: Output): void {
          const rows: Record<string, unknown>[] = [];
          const positions: number[] = [];
          for (const [i, row] of rowsOf(batch).entries()) {
            if (row.amount === 13) {
              out.reject(batch, i, "unlucky");
              continue;
            }
            const slot = table.insert(row.key as string);
            sums.values[slot] += row.amount as number;
            sums.valid[slot] = 1;
            table.touch(slot);
            rows.push({ ...row, sum: sums.values[slot] });
            positions.push(batch.meta.position[i]);
          }
          out.emit("out", batchOf(SUMS, rows, batch.meta.source, positions, batch.meta.partition));
        },
      };
    },
  };
}

/** Counts rows per key and gives the counts out when its input has ended. */
export function countNode(name: string, from: string): OperatorNode {
  const type: RecordType = { fields: [{ name: "key", type: STRING }, { name: "count", type: INT }] };
  return {
    name,
    inputs: [[{ from, port: "out" }]],
    create: ({ state }: OperatorContext): Operator => {
      const table = state.table({ name: "counts", key: ["text"], columns: [{ name: "count", kind: "number" }], version: 1 });
      const counts = table.number("count");
      let ended = false;
      return {
        process(_input: number, batch: Batch, out: Output): void {
          for (const row of rowsOf(batch)) {
            const slot = table.insert(row.key as string);
            counts.values[slot]++;
            counts.valid[slot] = 1;
            table.touch(slot);
          }
          out.count("folded", batch.rows);
        },
        inputEnded: () => void (ended = true),
        backlog: (at: number) => ended ? table.size - at : 0,
        drain(at: number, rowsMax: number, out: Output): number {
          const to = Math.min(table.size, at + rowsMax);
          const slots = Array.from({ length: to - at }, (_, i) => at + i);
          out.emit("out", batchOf(type, slots.map((slot) => ({ key: table.keyOf(slot)[0], count: counts.values[slot] })), name, slots));
          return to;
        },
      };
    },
  };
}

/** What a database would hold: survives the crash of the engine. */
export class TestDatabase {
  /** By lane: rows in the order of their epochs. */
  readonly rows = new Map<number, Record<string, unknown>[]>();
  readonly markers = new Map<number, Marker & { readonly owner: number }>();
  delivered = 0;
  finished = 0;
}

/** Fenced by owner and epoch in the rows' own transaction. */
export class DatabaseSink implements Sink {
  readonly guarantee = "exactly-once";
  readonly #database: TestDatabase;
  closed = false;
  /** Throw instead of delivering, or after it. */
  fault: (stamp: EpochStamp) => "before" | "after" | null = () => null;
  constructor(database: TestDatabase) {
    this.#database = database;
  }
  open(run: { readonly fresh: boolean }): Promise<void> {
    if (run.fresh) {
      this.#database.rows.clear();
      this.#database.markers.clear();
    }
    return Promise.resolve();
  }
  lane(lane: number): SinkLane {
    const database = this.#database;
    let held: Record<string, unknown>[] = [];
    return {
      fence: (owner) => {
        held = [];
        const marker = database.markers.get(lane) ?? { epoch: 0, digest: "", owner: 0 };
        if (marker.owner > owner) return Promise.reject(refused(lane));
        database.markers.set(lane, { ...marker, owner });
        return Promise.resolve(marker.epoch === 0 ? null : marker);
      },
      write: (batch) => void held.push(...rowsOf(batch)),
      deliver: async (stamp) => {
        await Promise.resolve();
        const fault = this.fault(stamp);
        if (fault === "before") throw lost();
        const marker = database.markers.get(lane)!;
        if (marker.owner !== stamp.owner || marker.epoch >= stamp.epoch) throw refused(lane);
        database.rows.set(lane, [...(database.rows.get(lane) ?? []), ...held]);
        database.markers.set(lane, { epoch: stamp.epoch, digest: stamp.digest, owner: stamp.owner });
        database.delivered++;
        held = [];
        if (fault === "after") throw lost();
      },
      discard: () => void (held = []),
      bytesHeld: () => held.length * 32,
    };
  }
  finish(): Promise<void> {
    this.#database.finished++;
    return Promise.resolve();
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
const refused = (lane: number): MillraceError => new MillraceError("sink_refused", `lane ${lane} has a newer owner or epoch`);
const lost = (): MillraceError => new MillraceError("sink_unanswered", "connection lost", { retry: "backoff" });

export interface TestPipeline {
  readonly plan: PipelinePlan;
  readonly sinks: readonly DatabaseSink[];
}
export interface Databases {
  readonly sums: TestDatabase;
  readonly counts: TestDatabase;
  readonly rejects: TestDatabase;
}
export const databases = (): Databases => ({ sums: new TestDatabase(), counts: new TestDatabase(), rejects: new TestDatabase() });

/** input -> sum -> sink "sums"; sum -> count -> sink "counts"; every reject -> sink "rejects". */
export function testPipeline(
  source: Source,
  into: Databases,
  options: { readonly recordsMax?: number; readonly lanesByPartition?: true; readonly hash?: string } = {},
): TestPipeline {
  const sinks = [new DatabaseSink(into.sums), new DatabaseSink(into.counts), new DatabaseSink(into.rejects)];
  const sinkNodes: SinkNode[] = [
    { name: "sums", inputs: [{ from: "sum", port: "out" }], sink: sinks[0] },
    { name: "counts", inputs: [{ from: "count", port: "out" }], sink: sinks[1] },
    { name: "rejects", inputs: [{ from: "input", port: "rejected" }, { from: "sum", port: "rejected" }], sink: sinks[2] },
  ];
  const plan: PipelinePlan = {
    pipeline: "test",
    hash: options.hash ?? "plan-1",
    sources: [{ name: "input", type: INPUT, source, rank: 0 }],
    operators: [sumNode("sum", "input"), countNode("count", "sum")],
    sinks: sinkNodes,
    epoch: { everyMs: 1000, recordsMax: options.recordsMax ?? 10, bytesMax: 1 << 20 },
    lanesByPartition: options.lanesByPartition ?? false,
  };
  return { plan, sinks };
}

/** Records with all the cases, from nothing but their index. */
export const testRecords = (count: number, salt = 0): TestRecord[] =>
  Array.from({ length: count }, (_, i) => ({ key: `k${(i * 7 + salt) % 5}`, amount: i % 11 === 3 ? -1 : i % 9 === 4 ? 13 : i }));
