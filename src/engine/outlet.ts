/**
 * A node as a place that rows leave: routes its batches and counts them. Invariant: every row that leaves, by whatever port, is counted
 * once; rejects leave with the end of the call that refused them.
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { assert } from "../data/fault.ts";
import type { Counted, Output } from "./contracts.ts";
import { countApart, type NodeTally } from "./counters.ts";
import type { SourceClock } from "./event_time.ts";
import { RejectedRows } from "./rejected_rows.ts";
import type { RefusedRecord } from "./run_contracts.ts";

export type Receiver = (batch: Batch) => void;

/** A node's place. */
export class Outlet implements Output {
  epochTimeMicros = 0;
  /** Where rows get their event time when they leave here. */
  time: SourceClock | null = null;
  readonly name: string;
  readonly tally: NodeTally;
  readonly #receivers = new Map<string, Receiver[]>();
  readonly #rejected: RejectedRows;
  /** Told of every row that is refused here, of those together that one call refuses for one reason. */
  refused: ((reason: string, records: readonly RefusedRecord[]) => void) | null = null;
  /** "mute": another lane counts what this node does, and tells its rejects. */
  readonly #standing: "heard" | "mute";

  constructor(name: string, tally: NodeTally, pipeline: string, standing: "heard" | "mute") {
    this.name = name;
    this.tally = tally;
    this.#standing = standing;
    this.#rejected = new RejectedRows(pipeline);
  }

  connect(port: string, receiver: Receiver): void {
    if (this.#standing === "mute" && port === "rejected") return;
    const receivers = this.#receivers.get(port);
    if (receivers) receivers.push(receiver);
    else this.#receivers.set(port, [receiver]);
  }

  /** Whether anybody gets what leaves by the port. */
  isRead(port: string): boolean {
    return this.#receivers.has(port);
  }

  emit(port: string, batch: Batch): void {
    if (batch.rows === 0) return;
    assert(port !== "rejected", "rejected rows leave through reject");
    if (this.time !== null && port === "out") {
      const { fine, late } = this.time.stamp(batch, this.epochTimeMicros);
      if (late !== null) this.#leave("late", late);
      if (fine.rows > 0) this.#leave(port, fine);
    } else this.#leave(port, batch);
  }

  reject(batch: Batch, row: number, reason: string): void {
    this.#count("rejected", 1);
    this.refused?.(reason, [{ batch, row }]);
    if (this.#receivers.has("rejected")) this.#rejected.addRow(batch, row, this.name, reason);
  }

  /** A source's rejects, which never were in a batch. */
  rejectAll(rejected: readonly Rejected[]): void {
    if (rejected.length === 0) return;
    this.#count("rejected", rejected.length);
    if (this.refused) this.#tell(rejected, this.refused);
    if (!this.#receivers.has("rejected")) return;
    for (const one of rejected) this.#rejected.add(one);
  }

  #tell(rejected: readonly Rejected[], refused: (reason: string, records: readonly RefusedRecord[]) => void): void {
    let from = 0;
    for (let to = 1; to <= rejected.length; to++) {
      const { reason } = rejected[from];
      if (to < rejected.length && rejected[to].reason === reason) continue;
      refused(reason, rejected.slice(from, to));
      from = to;
    }
  }

  count(what: Counted, rows: number): void {
    if (what === "deletes" || what === "again") countApart(this.tally, what, rows);
    else this.tally[what] += rows;
  }

  /** Ends a call of the node. */
  flush(): void {
    this.#rejected.flush(this.epochTimeMicros, (batch) => this.#hand("rejected", batch));
  }

  #leave(port: string, batch: Batch): void {
    this.#count(port, batch.rows);
    this.#hand(port, batch);
  }

  #hand(port: string, batch: Batch): void {
    const receivers = this.#receivers.get(port);
    if (receivers) { for (const receive of receivers) receive(batch); }
  }

  #count(port: string, rows: number): void {
    this.tally.ports.set(port, (this.tally.ports.get(port) ?? 0) + rows);
  }
}
