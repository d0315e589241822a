/**
 * A lane's graph of a pipeline as text, driven by hand: records and table rows in any order, crashes between calls, what is held back
 * given out as the engine does, before anything else comes in.
 */
import assert from "node:assert/strict";
import { buildGraph, tableReaderName } from "../../src/app/build_plan.ts";
import type { Batch } from "../../src/data/batch.ts";
import { cell, columnOf, makeMeta } from "../../src/data/columns.ts";
import type { RecordType } from "../../src/data/types.ts";
import { verifyTallies } from "../../src/engine/counters.ts";
import type { PipelinePlan } from "../../src/engine/contracts.ts";
import { createStateStore, type GraphPlan, LaneGraph, type LaneState } from "../../src/engine/mod.ts";
import type { StateEntry } from "../../src/engine/state/store.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";

export type Row = Readonly<Record<string, unknown>>;
/** A change of a table: a row, or a key that is no more. */
export interface Change {
  readonly row: Row;
  readonly deleted?: true;
}

export const START_MICROS = 1_700_000_000_000_000;

export class TestLane {
  readonly #blueprint: PipelineBlueprint;
  readonly #plan: GraphPlan;
  readonly #entries = new Map<string, StateEntry>();
  readonly #positions = new Map<string, number>();
  #state: LaneState;
  #graph: LaneGraph;
  #epoch = 0;
  #timeMicros = START_MICROS;
  /** What has arrived at sinks, by their names. */
  readonly written = new Map<string, Row[]>();
  /** Rows that one drain gives out at most. */
  drainRowsMax = 1000;
  /** Whether to crash now, asked behind every call. */
  crashes: () => boolean = () => false;

  constructor(blueprint: PipelineBlueprint) {
    this.#blueprint = blueprint;
    const { sources, operators, times } = buildGraph(blueprint);
    const rejected = blueprint.sinks.filter(({ inputs }) => inputs.every(({ port }) => port === "rejected")).map(({ name }) => name);
    const sinks = blueprint.sinks.filter(({ name }) => !rejected.includes(name)).map(({ name, inputs }) => ({ name, inputs }));
    const rejects = operators.map(({ name }) => ({ from: name, port: "rejected" }));
    this.#plan = { pipeline: blueprint.name, sources, operators, times, sinks: [...sinks, { name: "rejects", inputs: rejects }] };
    this.#state = createStateStore();
    this.#graph = this.#build(undefined);
  }

  #build(from: ConstructorParameters<typeof LaneGraph>[0]["from"]): LaneGraph {
    const write = (sink: string, batch: Batch): void => {
      const rows = this.written.get(sink) ?? [];
      this.written.set(sink, rows);
      for (let row = 0; row < batch.rows; row++) rows.push(rowOf(batch, row));
    };
    const graph = new LaneGraph({ plan: this.#plan, lane: 0, state: this.#state, write, from });
    graph.beginEpoch(this.#timeMicros);
    return graph;
  }

  rows(sink: string): readonly Row[] {
    return this.written.get(sink) ?? [];
  }

  /** An epoch begins at so many milliseconds from the start. */
  at(ms: number): void {
    this.#timeMicros = START_MICROS + ms * 1000;
    this.#graph.endEpoch();
    this.#graph.beginEpoch(this.#timeMicros);
    this.drain();
  }
  /** When the lane wants an epoch, in milliseconds from the start. */
  get dueMs(): number {
    return (this.#graph.dueMicros() - START_MICROS) / 1000;
  }

  records(source: string, rows: readonly Row[]): void {
    const { schema } = this.#blueprint.sources.find(({ name }) => name === source)!;
    this.#feed(source, batchOf(schema.type, rows, source, this.#next(source, rows.length)));
  }

  changes(table: string, changes: readonly Change[]): void {
    const { schema } = this.#blueprint.changelogs.find(({ name }) => name === table)!;
    const batch = batchOf(schema.type, changes.map(({ row }) => row), table, this.#next(table, changes.length));
    const deleted = Uint8Array.from(changes, (change) => change.deleted ? 1 : 0);
    this.#feed(tableReaderName(table), { ...batch, meta: { ...batch.meta, deleted: deleted.includes(1) ? deleted : null } });
  }

  #next(node: string, count: number): number {
    const before = this.#positions.get(node) ?? 0;
    this.#positions.set(node, before + count);
    return before;
  }

  #feed(source: string, batch: Batch): void {
    this.#graph.feed(source, batch, [], batch.rows);
    this.drain();
  }

  drain(): void {
    if (this.crashes()) this.recover();
    for (let next = this.#graph.nextDrain(); next; next = this.#graph.nextDrain()) {
      this.#graph.drain(next.operator, this.drainRowsMax);
      if (this.crashes()) this.recover();
    }
  }

  /** Checkpoints, forgets everything in memory and goes on from the checkpoint. */
  recover(): void {
    this.#graph.endEpoch();
    const { sets, deletes } = this.#state.checkpoint(++this.#epoch);
    for (const key of deletes) this.#entries.delete(JSON.stringify(key));
    // Copies: the store may write into its buffers again.
    for (const { key, value } of sets) this.#entries.set(JSON.stringify(key), { key, value: value.slice() });
    const from = {
      drains: this.#graph.drainPositions(),
      tallies: this.#graph.counters(),
      times: this.#graph.partitionTimes(),
      watermarks: this.#graph.watermarks(),
    };
    const entries = [...this.#entries.values()].toSorted((a, b) => compareKeys(a.key, b.key));
    this.#state = createStateStore({ epoch: this.#epoch, tables: this.#state.layouts, entries });
    this.#graph = this.#build(from);
  }

  /** The records end, then the tables. */
  end(): void {
    this.crashes = () => false; // Which inputs have ended is the engine's affair.
    for (const { name } of this.#plan.sources.toSorted((a, b) => Number(a.table !== undefined) - Number(b.table !== undefined))) {
      this.#graph.endPartition(name, 0);
      this.#graph.endSource(name);
      this.drain();
    }
  }

  /** Throws where rows were lost or invented. */
  verify(how: "ended" | "stopped"): void {
    verifyTallies(this.#plan as unknown as PipelinePlan, this.#graph.counters(), how);
  }
  counters(node: string) {
    return this.#graph.counters().get(node)!;
  }
}

function batchOf(type: RecordType, rows: readonly Row[], source: string, before: number): Batch {
  const columns = type.fields.map(({ name, type }) => columnOf(type, rows.map((row) => row[name] ?? null)));
  return { rows: rows.length, type, columns, meta: makeMeta(source, 0, Float64Array.from(rows, (_, i) => before + i)) };
}

function rowOf(batch: Batch, row: number): Row {
  return Object.fromEntries(
    batch.type.fields.map(({ name, type }, i) => [name, batch.columns[i] === null ? undefined : cell(batch.columns[i], type, row)]),
  );
}

function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return a.length - b.length;
}

/** Numbers from a seed, below a bound. */
export function draws(seed: number): (bound: number) => number {
  let state = seed * 2654435761 >>> 0;
  return (bound) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5 >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

export function assertRows(rows: readonly Row[], wished: readonly Row[]): void {
  assert.deepEqual(rows.map((row, i) => Object.fromEntries(Object.keys(wished[i] ?? row).map((name) => [name, row[name]]))), wished);
}
