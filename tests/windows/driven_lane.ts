/**
 * One lane of a compiled pipeline, driven as the engine drives it: what is due leaves before input is taken, epochs end in checkpoints, and
 * a killed epoch is done again from the checkpoint before, call by call. Kills of the whole protocol are tests/sim's affair.
 */
import assert from "node:assert/strict";
import { buildGraph } from "../../src/app/build_plan.ts";
import type { Batch } from "../../src/data/batch.ts";
import { cell, columnOf, makeMeta } from "../../src/data/columns.ts";
import type { NodeTally } from "../../src/engine/counters.ts";
import { type GraphPlan, LaneGraph } from "../../src/engine/lane_graph.ts";
import type { PartitionTime, TableLayout } from "../../src/engine/head.ts";
import { createStateStore, type LaneState, type StateEntry } from "../../src/engine/state/store.ts";
import type { PipelineBlueprint } from "../../src/project/contracts.ts";
import type { Happening, Row } from "../oracle/windows.ts";
import type { Random } from "./random_stream.ts";

/** What left, by sink: a row as its cells. */
export type Left = ReadonlyMap<string, readonly string[]>;

type Action =
  | { readonly does: "feed"; readonly rows: readonly Row[]; readonly position: number }
  | { readonly does: "idle" | "end"; readonly partition: number }
  | { readonly does: "stop" }
  | { readonly does: "drain"; readonly operator: string; readonly rows: number };

/** As the head keeps it. */
interface Saved {
  readonly drains: ReadonlyMap<string, number>;
  readonly tallies: ReadonlyMap<string, NodeTally>;
  readonly times: readonly PartitionTime[];
  readonly watermarks: ReadonlyMap<string, number>;
  readonly tables: readonly TableLayout[];
  readonly ended: ReadonlySet<number>;
}

/** The graph of a blueprint with an observer instead of each sink. */
export function observed(blueprint: PipelineBlueprint): GraphPlan {
  return { pipeline: blueprint.name, ...buildGraph(blueprint), sinks: blueprint.sinks.map(({ name, inputs }) => ({ name, inputs })) };
}

export class DrivenLane {
  readonly #plan: GraphPlan;
  readonly #blueprint: PipelineBlueprint;
  readonly #partitions: readonly number[];
  readonly #entries = new Map<string, StateEntry>();
  #saved: Saved | null = null;
  #epoch = 0;
  #state: LaneState;
  #graph: LaneGraph;
  #ended = new Set<number>();
  #position = 0;
  readonly #left = new Map<string, string[]>();
  /** Only then are there checkpoints. */
  #killed = false;
  /** Of the open epoch. */
  #leaving: [string, string][] = [];

  constructor(blueprint: PipelineBlueprint, plan: GraphPlan, partitions: readonly number[]) {
    this.#blueprint = blueprint;
    this.#plan = plan;
    this.#partitions = partitions;
    [this.#state, this.#graph] = this.#open();
  }

  /** Everything that happens, cut at random into batches and epochs; `kills`: epochs are lost and processes start again. */
  run(happenings: readonly Happening[], random: Random, kills: "straight" | "killed"): Left {
    const killed = this.#killed = kills === "killed";
    for (let from = 0; from <= happenings.length;) {
      const stop = happenings.findIndex(({ what }, i) => i >= from && what === "stop");
      const to = stop < 0 ? happenings.length : stop;
      this.#live(happenings.slice(from, to), random, killed);
      if (stop >= 0) this.#stop(random, killed);
      from = to + 1;
    }
    return this.#left;
  }

  #live(happenings: readonly Happening[], random: Random, killed: boolean): void {
    let next = 0;
    for (;;) {
      const actions: Action[] = [];
      for (let left = 1 + random.below(12); left > 0; left--) {
        const drain = this.#graph.nextDrain();
        let action: Action;
        if (drain) action = { does: "drain", operator: drain.operator, rows: 1 + random.below(4) };
        else if (next === happenings.length) break;
        else {
          const taken = take(happenings, next, random);
          next += taken.count;
          action = taken.action === null ? this.#feeding(taken.rows) : taken.action;
        }
        this.#do(action);
        actions.push(action);
      }
      if (actions.length === 0) break;
      this.#complete(actions, killed && random.chance(0.2), killed && random.chance(0.15));
    }
  }

  /** What is to leave leaves, and the next process goes on. Or the last epoch of it is lost, and whoever does it again goes on. */
  #stop(random: Random, killed: boolean): void {
    while (this.#graph.stop()) {
      const lost = killed && random.chance(0.4);
      const most = lost ? Infinity : 1 + random.below(3);
      const actions: Action[] = [{ does: "stop" }];
      for (let drain = this.#graph.nextDrain(); drain && actions.length <= most; drain = this.#graph.nextDrain()) {
        const action: Action = { does: "drain", operator: drain.operator, rows: 1 + random.below(4) };
        this.#do(action);
        actions.push(action);
      }
      this.#complete(actions, lost, false);
      if (lost) return;
    }
    if (killed) [this.#state, this.#graph] = this.#open();
    else this.#graph.endEpoch();
  }

  /** Rows behind what was fed before. */
  #feeding(rows: readonly Row[]): Action {
    this.#position += rows.length;
    return { does: "feed", rows, position: this.#position - rows.length };
  }

  #do(action: Action): void {
    const [source] = this.#plan.sources;
    switch (action.does) {
      case "feed":
        return this.#graph.feed(source.name, this.#batchOf(action.rows, action.position), [], action.rows.length);
      case "idle":
        return this.#graph.idle(source.name, action.partition);
      case "end":
        this.#graph.endPartition(source.name, action.partition);
        this.#ended.add(action.partition);
        if (this.#ended.size === this.#partitions.length) this.#graph.endSource(source.name);
        return;
      case "stop":
        this.#graph.stop();
        return;
      case "drain":
        this.#graph.drain(action.operator, action.rows);
    }
  }

  #complete(actions: readonly Action[], lost: boolean, restarts: boolean): void {
    if (lost) {
      const before = this.#leaving;
      [this.#state, this.#graph] = this.#open();
      actions.forEach((action) => this.#do(action));
      assert.deepEqual(this.#leaving, before, "a replayed epoch gives the same rows in the same order");
    }
    if (this.#killed) this.#checkpoint();
    for (const [sink, text] of this.#leaving) {
      const rows = this.#left.get(sink);
      if (rows) rows.push(text);
      else this.#left.set(sink, [text]);
    }
    this.#leaving = [];
    if (restarts) [this.#state, this.#graph] = this.#open();
    else this.#graph.endEpoch();
  }

  #checkpoint(): void {
    const { sets, deletes } = this.#state.checkpoint(++this.#epoch);
    for (const key of deletes) this.#entries.delete(JSON.stringify(key));
    for (const { key, value } of sets) this.#entries.set(JSON.stringify(key), { key, value: value.slice() });
    this.#saved = {
      drains: this.#graph.drainPositions(),
      tallies: this.#graph.counters(),
      times: this.#graph.partitionTimes(),
      watermarks: this.#graph.watermarks(),
      tables: this.#state.layouts,
      ended: new Set(this.#ended),
    };
  }

  #open(): [LaneState, LaneGraph] {
    const entries = [...this.#entries.values()].sort((a, b) => compareKeys(a.key, b.key));
    const state = createStateStore({ epoch: this.#epoch, tables: this.#saved?.tables ?? [], entries });
    this.#leaving = [];
    const [source] = this.#plan.sources;
    const graph = new LaneGraph({
      plan: this.#plan,
      lane: 0,
      state,
      partitions: new Map([[source.name, this.#partitions]]),
      ...(this.#saved ? { from: this.#saved } : {}),
      write: (sink, batch) => {
        for (let row = 0; row < batch.rows; row++) this.#leaving.push([sink, textOf(batch, row)]);
      },
    });
    this.#ended = new Set(this.#saved?.ended ?? []);
    for (const partition of this.#ended) graph.endPartition(source.name, partition);
    if (this.#ended.size === this.#partitions.length) graph.endSource(source.name);
    return [state, graph];
  }

  #batchOf(rows: readonly Row[], from: number): Batch {
    const { type } = this.#blueprint.sources[0].schema;
    const values: Readonly<Record<string, readonly unknown[]>> = {
      id: rows.map(({ id }) => id),
      part: rows.map(({ partition }) => partition),
      at: rows.map(({ at }) => at),
      key: rows.map(({ key }) => key),
      n: rows.map(({ n }) => n),
    };
    const columns = type.fields.map((field) => columnOf(field.type, values[field.name]));
    const position = Float64Array.from(rows, (_, row) => from + row);
    return { rows: rows.length, type, columns, meta: makeMeta("s", rows[0].partition, position) };
  }
}

/** A single happening, or some rows of one partition that came one behind the other. */
function take(
  happenings: readonly Happening[],
  from: number,
  random: Random,
): { readonly count: number; readonly action: Action; readonly rows: null } | {
  readonly count: number;
  readonly action: null;
  readonly rows: Row[];
} {
  const first = happenings[from];
  if (first.what === "stop") return { count: 1, action: { does: "stop" }, rows: null };
  if (first.what !== "row") return { count: 1, action: { does: first.what, partition: first.partition }, rows: null };
  const rows = [first.row];
  for (let most = random.below(8); rows.length <= most; most--) {
    const next = happenings[from + rows.length];
    if (next?.what !== "row" || next.row.partition !== first.row.partition) break;
    rows.push(next.row);
  }
  return { count: rows.length, action: null, rows };
}

function textOf(batch: Batch, row: number): string {
  return batch.type.fields.map((field, i) => {
    const column = batch.columns[i];
    return column === null ? "-" : String(cell(column, field.type, row));
  }).join(" ");
}

function compareKeys(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
  return a.length - b.length;
}
