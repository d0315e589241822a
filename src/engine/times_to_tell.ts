/**
 * What a lane tells those who read its sinks about event time: to each sink that carries it, where it has come further in an epoch.
 * Invariant: it follows from the head and the schedule alone, so that a replay tells the same.
 */
import type { EpochStamp, PipelinePlan } from "./contracts.ts";
import type { Head } from "./head.ts";
import type { LaneGraph } from "./lane_graph.ts";

type Told = Required<Pick<EpochStamp, "time">>;

export class TimesToTell {
  readonly #graph: LaneGraph;
  readonly #carrying: PipelinePlan["sinks"];
  /** When the open epoch began. */
  #before: ReadonlyMap<string, Told> = new Map();

  constructor(graph: LaneGraph, { sinks }: PipelinePlan) {
    this.#graph = graph;
    this.#carrying = sinks.filter(({ sink }) => sink.carriesTime);
  }

  /** An epoch begins. */
  begin(): void {
    this.#before = this.#now();
  }

  /** At its end: by sink, where there is something new. A lane's first epoch says that the lane is there. */
  changed(head: Head): ReadonlyMap<string, Told> {
    const now = this.#now();
    if (head.epoch === 0) return now;
    return new Map([...now].filter(([sink, { time }]) => {
      const before = this.#before.get(sink)!.time;
      return before.watermark !== time.watermark || before.idle !== time.idle;
    }));
  }

  #now(): ReadonlyMap<string, Told> {
    return new Map(this.#carrying.map(({ name, inputs }) => [name, { time: this.#graph.timeAt(inputs) }]));
  }
}
