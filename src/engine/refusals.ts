/**
 * What the targets of a lane's sinks refuse, from their delivery to the epoch behind it, which begins by giving it out. Invariant: what
 * a flipped epoch's sinks refused lies in the checkpoint, and is given out exactly once (docs/decisions/dead-letters.md).
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { assert, MillraceError } from "../data/fault.ts";
import type { KvKey } from "../ports/mod.ts";
import type { RefusedRow, SinkNode } from "./contracts.ts";
import { DeliveredRows } from "./delivered_rows.ts";
import type { Head } from "./head.ts";
import type { LaneGraph } from "./lane_graph.ts";
import { groupForCommits, type LaneStore } from "./lane_store.ts";
import { readRefused, refusedEntries } from "./refused_rows.ts";

export class Refusals {
  /** By sink, what it was given in the open epoch; of those alone whose targets may refuse rows. */
  readonly #delivered: ReadonlyMap<string, DeliveredRows>;

  private constructor(
    sinks: readonly SinkNode[],
    /** Of the newest epoch. */
    private waiting: readonly Rejected[],
    private readonly stale: readonly KvKey[],
  ) {
    this.#delivered = new Map(sinks.filter(({ sink }) => sink.refuses).map(({ name }) => [name, new DeliveredRows()]));
  }

  /** As the newest epoch left them. */
  static async read(store: LaneStore, sinks: readonly SinkNode[]): Promise<Refusals> {
    if (store.head.refusedParts === 0 && !sinks.some(({ sink }) => sink.refuses)) return new Refusals(sinks, [], []);
    const { rows, stale } = readRefused(await store.readRefused(), store.head);
    const lost = rows.find(({ step }) => !sinks.some(({ name, sink }) => name === step && sink.refuses));
    if (lost) throw noWayOut(lost.step, rows.length);
    return new Refusals(sinks, rows, stale);
  }

  /** Removes what `read` found that no head counts. */
  async collect(store: LaneStore): Promise<void> {
    await store.remove(this.stale);
  }

  /** Bytes kept of the open epoch. */
  get bytes(): number {
    let bytes = 0;
    for (const rows of this.#delivered.values()) bytes += rows.bytes;
    return bytes;
  }
  /** Rows that the next epoch is to begin with. */
  get rows(): number {
    return this.waiting.length;
  }

  /** A batch of the open epoch for a sink. */
  given(sink: string, batch: Batch): void {
    this.#delivered.get(sink)?.add(batch);
  }

  /** As an epoch's first step, `rows` being what its schedule says. */
  giveOut(graph: LaneGraph, rows: number): void {
    assert(rows === this.waiting.length, "the rows that targets refused are those of the schedule");
    graph.refused(this.waiting);
  }

  /** Rows of the open epoch as rejects. */
  rejected(sink: string, refused: readonly RefusedRow[]): readonly Rejected[] {
    if (refused.length === 0) return [];
    const delivered = this.#delivered.get(sink);
    assert(delivered, `"${sink}" may refuse rows`);
    return delivered.rejected(sink, refused);
  }

  /** Before the flip of `epoch`: writes what its sinks refused; returns the number of values for the head. */
  async write(store: LaneStore, run: string, epoch: number, refused: readonly Rejected[]): Promise<number> {
    const entries = refusedEntries(epoch, refused);
    if (entries.length === 0) return 0;
    for (const group of groupForCommits(entries, run)) await store.writeState(group);
    return entries.length;
  }

  /** Behind the flip: what the epoch gave out is not needed any more. */
  async flipped(store: LaneStore, before: Head, refused: readonly Rejected[]): Promise<void> {
    for (const rows of this.#delivered.values()) rows.clear();
    this.waiting = refused;
    const { epoch, refusedParts } = before;
    await store.remove(Array.from({ length: refusedParts }, (_, part) => ["refused", epoch, part]));
  }
}

function noWayOut(sink: string, rows: number): MillraceError {
  const message = `${rows} row${
    rows === 1 ? "" : "s"
  } that targets refused are still to be rejected, and "${sink}" rejects no rows any more`;
  return new MillraceError("plan_changed", message, {
    hint: "start once with the configuration as it was, so that they can leave; then change it. Or start over with --rerun",
  });
}
