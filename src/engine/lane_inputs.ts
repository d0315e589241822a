/**
 * Where a lane's input comes from: one cursor per partition of each source. Invariant: a cursor's position covers exactly what
 * was handed out; what was fetched ahead and not yet handed out is read again by the next owner.
 */
import type { Batch, Rejected } from "../data/batch.ts";
import { concat } from "../data/columns.ts";
import { assert, MillraceError } from "../data/fault.ts";
import { BATCH_BYTES_MAX, BATCH_ROWS_MAX } from "../data/limits.ts";
import type { Clock } from "../ports/mod.ts";
import type { LaneTime, Polled, Position, SourceNode, SourceReader } from "./contracts.ts";
import type { InputPosition } from "./head.ts";
import { IDLE_WAIT_MAX_MS, IDLE_WAIT_MIN_MS, POSITION_LENGTH_MAX, TABLE_WAIT_MS } from "./limits.ts";
import type { InputReading } from "./run_contracts.ts";
import type { ScheduleEntry } from "./schedule.ts";

/** One partition that the lane reads. */
export interface LaneInput {
  readonly node: SourceNode;
  readonly partition: number;
  /** After so long without anything the lane is told that the partition is quiet; absent: never. */
  readonly quietAfterMs?: number;
}
/** The partitions of each source. */
export function partitionsOf(inputs: readonly LaneInput[]): ReadonlyMap<string, readonly number[]> {
  const partitions = new Map<string, number[]>();
  for (const { node, partition } of inputs) partitions.set(node.name, [...partitions.get(node.name) ?? [], partition]);
  return partitions;
}

export type Taken =
  | {
    readonly kind: "batch";
    readonly input: LaneInput;
    readonly batch: Batch;
    readonly rejected: readonly Rejected[];
    readonly read: number;
    readonly deletes: number;
    readonly told: readonly LaneTime[];
    readonly end: Position;
    /** To be called when the batch has gone through the graph. */
    release?(): void;
  }
  | { readonly kind: "end"; readonly input: LaneInput }
  /** The partition has given nothing for as long as its source's event time is waited for; said once until it gives something. */
  | { readonly kind: "quiet"; readonly input: LaneInput }
  /** Nobody has anything now; whoever resolves first of `arrived` may have something then. */
  | { readonly kind: "idle"; readonly retryAfterMs: number; readonly arrived: readonly Promise<void>[] }
  /** Every partition has ended. */
  | { readonly kind: "ended" };

interface Cursor {
  readonly input: LaneInput;
  readonly reader: SourceReader;
  position: Position;
  ended: boolean;
  /** A poll from `position` that is under way. */
  ahead: Promise<Polled> | null;
  /** When it was first found with nothing to give since it last gave something; null: it gave something at the last poll. */
  quietSinceMs: number | null;
  toldQuiet: boolean;
  /** Of a table. */
  readonly table: TablePace | null;
}
/** How far the reading of a table's partition is beside that of the records that look into the table. */
interface TablePace {
  /** What was there when the lane was opened has been read. */
  caughtUp: boolean;
  /** The poll under way has come back. */
  arrived: boolean;
  /** Asked again from then on. */
  askAgainMs: number;
}

/**
 * Records of several sources come roughly in the order of their times, to the length of a batch, if the one that is behind is asked
 * first. Where one of them has no event time they take turns.
 */
function behindFirst(cursors: readonly Cursor[], timeOf: (source: string) => number | null): readonly (readonly Cursor[])[] {
  const bySource = Map.groupBy(cursors, ({ input }) => input.node.name);
  if (bySource.size < 2) return [cursors];
  const times = new Map([...bySource.keys()].map((source) => [source, timeOf(source)]));
  const byTime = Map.groupBy(cursors, ({ input }) => times.get(input.node.name)!);
  if ([...times.values()].includes(null) || byTime.size < 2) return [cursors];
  return [...byTime].sort(([a], [b]) => a < b ? -1 : 1).map(([, of]) => of);
}

export class LaneInputs {
  readonly #cursors: readonly Cursor[];
  readonly #clock: Clock;
  /** Takes turns among the partitions of one rank. */
  #turn = 0;
  #tableTurn = 0;
  #tableWasLast = false;
  /** Only what sources have already taken in is handed out. */
  #stopping = false;

  private constructor(cursors: readonly Cursor[], clock: Clock) {
    this.#cursors = cursors;
    this.#clock = clock;
  }

  /** Opens every partition where `from` left it, or at its start. */
  static async open(inputs: readonly LaneInput[], from: readonly InputPosition[], clock: Clock): Promise<LaneInputs> {
    const cursors: Cursor[] = [];
    try {
      for (const input of inputs) {
        const reader = await input.node.source.reader(input.partition);
        const left = from.find(({ source, partition }) => source === input.node.name && partition === input.partition);
        const position = left?.position ?? reader.start;
        const table = input.node.table ? { caughtUp: false, arrived: false, askAgainMs: 0 } : null;
        cursors.push({ input, reader, position, ended: left?.ended ?? false, ahead: null, quietSinceMs: null, toldQuiet: false, table });
      }
    } catch (error) {
      for (const { reader } of cursors) reader.close();
      throw error;
    }
    return new LaneInputs(cursors, clock);
  }

  /** How far each partition was handed out. */
  positions(): readonly InputPosition[] {
    return this.#cursors.map(({ input, position, ended }) => ({ source: input.node.name, partition: input.partition, position, ended }));
  }

  /** As `positions`, with how much of each partition is still to be read. */
  readings(): readonly InputReading[] {
    return this.#cursors.map(({ input, reader, position, ended }) => ({
      source: input.node.name,
      partition: input.partition,
      position,
      ended,
      behind: ended ? 0 : reader.behind?.(position) ?? null,
    }));
  }

  /** Whether the lane has no more input of this source. */
  hasEnded(source: string): boolean {
    return this.#cursors.every(({ input, ended }) => ended || input.node.name !== source);
  }

  /**
   * The next input: sources of a lower rank first, of one rank the source whose event time is furthest behind, its partitions in turn,
   * and whatever has come for tables. `rowsMax` bounds this batch, `rowsMaxNext` the one that is fetched meanwhile, given the rows of
   * this one; `timeOf` tells how far a source's event time has come, null where it has none.
   */
  async take(
    rowsMax: number,
    rowsMaxNext: (read: number) => number,
    timeOf: (source: string) => number | null = () => null,
  ): Promise<Taken> {
    const unended = this.#cursors.filter(({ ended }) => !ended);
    if (unended.length === 0) return { kind: "ended" };
    const open = this.#stopping ? unended.filter(({ reader }) => reader.stopIntake) : unended;
    const tables = open.filter(({ table }) => table !== null);
    const records = open.filter(({ table }) => table === null);
    const ended = records.length === 0 && !this.#stopping;
    const behind = await this.#tablesBehind(tables, ended ? "all" : "waited_for");
    // Nobody is left to look into a table that has all that was there.
    const done = ended ? tables.find((cursor) => !behind.includes(cursor)) : undefined;
    if (done) return this.#end(done);
    const from = behind.length > 0 ? behind : records;
    const rank = Math.min(...from.map(({ input }) => input.node.rank));
    const candidates = from.filter(({ input }) => input.node.rank === rank);
    // In turn: neither a busy table nor busy records hold the other up.
    const glances = behind.length > 0 ? [] : tables;
    const first = this.#tableWasLast ? null : await this.#takeForTable(glances, rowsMax, rowsMaxNext);
    this.#tableWasLast = first !== null;
    if (first) return first;
    const taken = await this.#takeInTurn(behindFirst(candidates, timeOf), rowsMax, rowsMaxNext);
    if (taken.kind !== "idle") return taken;
    const last = await this.#takeForTable(glances, rowsMax, rowsMaxNext);
    if (last) return last;
    const retryAfterMs = glances.length > 0 ? Math.min(taken.retryAfterMs, TABLE_WAIT_MS) : taken.retryAfterMs;
    return { ...taken, retryAfterMs: Math.max(IDLE_WAIT_MIN_MS, retryAfterMs) };
  }

  /** Of the first group that has something, its cursors in turn. */
  async #takeInTurn(groups: readonly (readonly Cursor[])[], rowsMax: number, rowsMaxNext: (read: number) => number): Promise<Taken> {
    let retryAfterMs = IDLE_WAIT_MAX_MS;
    const arrived: Promise<void>[] = [];
    for (const group of groups) {
      for (let tried = 0; tried < group.length; tried++) {
        const cursor = group[this.#turn++ % group.length];
        const polled = await this.#poll(cursor, rowsMax);
        if (polled.kind !== "idle") return this.#give(cursor, polled, rowsMaxNext);
        retryAfterMs = Math.min(retryAfterMs, polled.retryAfterMs);
        if (polled.arrived) arrived.push(polled.arrived);
        if (this.#hasFallenQuiet(cursor)) return { kind: "quiet", input: cursor.input };
      }
    }
    return { kind: "idle", retryAfterMs, arrived };
  }

  /** What has come for tables meanwhile: records do not wait while they are asked for. */
  async #takeForTable(tables: readonly Cursor[], rowsMax: number, rowsMaxNext: (read: number) => number): Promise<Taken | null> {
    for (let tried = 0; tried < tables.length; tried++) {
      const cursor = tables[this.#tableTurn++ % tables.length];
      const table = cursor.table!;
      if (cursor.ahead === null && this.#clock.monotonicMs() >= table.askAgainMs) this.#fetchAhead(cursor, rowsMax);
      if (!table.arrived) continue;
      const polled = await this.#poll(cursor, rowsMax);
      if (polled.kind !== "idle") return this.#give(cursor, polled, rowsMaxNext);
      table.askAgainMs = this.#clock.monotonicMs() + Math.max(IDLE_WAIT_MIN_MS, Math.min(polled.retryAfterMs, IDLE_WAIT_MAX_MS));
    }
    return null;
  }

  /** The tables that have not read what was there when the lane was opened: all of them, or those that others wait for. */
  async #tablesBehind(tables: readonly Cursor[], which: "all" | "waited_for"): Promise<readonly Cursor[]> {
    const behind: Cursor[] = [];
    for (const cursor of tables) {
      const { table, reader, input: { node } } = cursor;
      if (table!.caughtUp) continue;
      assert(reader.hasCaughtUp, `source "${node.name}" can fill a table`);
      table!.caughtUp = await reader.hasCaughtUp(cursor.position);
      if (!table!.caughtUp && (which === "all" || node.table!.ready === "caught_up")) behind.push(cursor);
    }
    return behind;
  }

  #end(cursor: Cursor): Taken {
    cursor.ended = true;
    return { kind: "end", input: cursor.input };
  }

  #give(cursor: Cursor, polled: Polled & { readonly kind: "batch" | "end" }, rowsMaxNext: (read: number) => number): Taken {
    if (polled.kind === "end") return this.#end(cursor);
    this.#advance(cursor, polled.next, polled.read);
    // For tables nobody waits: whether something has come is only known of what was asked for.
    if (cursor.table || !cursor.reader.readsAhead) this.#fetchAhead(cursor, rowsMaxNext(polled.read));
    const { batch, rejected, read, deletes = 0, told = [], next: end } = polled;
    return { kind: "batch", input: cursor.input, batch, rejected, read, deletes, told, end, release: () => polled.release?.() };
  }

  /**
   * The run is to stop: from now on hands out only what sources have taken in and cannot be asked for again. False when there is no
   * such source.
   */
  async stopIntake(): Promise<boolean> {
    const holding = this.#cursors.filter(({ reader, ended }) => reader.stopIntake && !ended);
    if (this.#stopping || holding.length === 0) return holding.length > 0;
    this.#stopping = true;
    await Promise.all(holding.map(async (cursor) => {
      await cursor.reader.stopIntake!();
      // It may have been asked just before the last of it came in.
      if ((await cursor.ahead)?.kind === "idle") cursor.ahead = null;
    }));
    return true;
  }

  /** A head covers everything that was handed out so far. */
  released(): void {
    for (const { reader, position } of this.#cursors) reader.released?.(position);
  }

  /** Hands out again exactly what a schedule says was handed out. */
  async retake(entry: ScheduleEntry & { readonly kind: "batch" }): Promise<Taken & { readonly kind: "batch" }> {
    const cursor = this.#cursor(entry.source, entry.partition);
    const batches: Batch[] = [];
    const rejected: Rejected[] = [];
    const told: LaneTime[] = [];
    let read = 0;
    let deletes = 0;
    while (cursor.position !== entry.end) {
      const limits = { rowsMax: Math.max(1, entry.read - read), bytesMax: BATCH_BYTES_MAX, until: entry.end };
      const polled = await cursor.reader.poll(cursor.position, limits);
      if (polled.kind === "idle") await this.#clock.sleep(Math.max(IDLE_WAIT_MIN_MS, Math.min(polled.retryAfterMs, IDLE_WAIT_MAX_MS)));
      else if (polled.kind === "end") throw inputChanged(entry, `it ends after ${read} of them`);
      else {
        this.#advance(cursor, polled.next, polled.read);
        read += polled.read;
        deletes += polled.deletes ?? 0;
        batches.push(polled.batch);
        rejected.push(...polled.rejected);
        told.push(...polled.told ?? []);
        if (read > entry.read) throw inputChanged(entry, `now there are ${read}`);
      }
    }
    if (read !== entry.read || batches.length === 0) throw inputChanged(entry, `now there are ${read}`);
    // What was told stands behind all rows of a batch, so it does behind all of them together; a batch may hold nothing else.
    const full = batches.filter(({ rows }) => rows > 0);
    const batch = concat(full.length > 0 ? full : batches.slice(0, 1));
    return { kind: "batch", input: cursor.input, batch, rejected, read, deletes, told, end: entry.end };
  }

  /** Takes note of an end that a schedule says was seen. */
  retakeEnd(source: string, partition: number): void {
    this.#cursor(source, partition).ended = true;
  }

  /** Closes the readers, each when its poll under way has come back. */
  async close(): Promise<void> {
    await Promise.all(this.#cursors.map(async ({ ahead, reader }) => {
      try {
        await ahead;
      } catch {
        // Its batch is not wanted any more, so neither is its fault.
      }
      reader.close();
    }));
  }

  /** Counted from the first poll that found nothing: a lane that is busy elsewhere has not asked, so it cannot know. */
  #hasFallenQuiet(cursor: Cursor): boolean {
    const { quietAfterMs } = cursor.input;
    if (quietAfterMs === undefined || cursor.toldQuiet) return false;
    const nowMs = this.#clock.monotonicMs();
    cursor.quietSinceMs ??= nowMs;
    return cursor.toldQuiet = nowMs - cursor.quietSinceMs >= quietAfterMs;
  }

  async #poll(cursor: Cursor, rowsMax: number): Promise<Polled> {
    const { ahead } = cursor;
    cursor.ahead = null;
    if (cursor.table) cursor.table.arrived = false;
    const polled = await ahead;
    // That nothing was there then does not say that nothing is there now. For a table nobody waits.
    if (polled && (polled.kind !== "idle" || cursor.table)) return polled;
    return await cursor.reader.poll(cursor.position, { rowsMax: Math.min(rowsMax, BATCH_ROWS_MAX), bytesMax: BATCH_BYTES_MAX });
  }

  #fetchAhead(cursor: Cursor, rowsMax: number): void {
    const limits = { rowsMax: Math.min(rowsMax, BATCH_ROWS_MAX), bytesMax: BATCH_BYTES_MAX };
    const ahead = cursor.ahead = cursor.reader.poll(cursor.position, limits);
    const arrived = (): void => {
      if (cursor.table && cursor.ahead === ahead) cursor.table.arrived = true;
    };
    ahead.then(arrived, arrived); // A fault is seen when it is taken; until then it must not count as unhandled.
  }

  #advance(cursor: Cursor, next: Position, read: number): void {
    const { node, partition } = cursor.input;
    assert(next !== cursor.position, `source "${node.name}" moves on in partition ${partition}`);
    assert(next.length <= POSITION_LENGTH_MAX, `positions of source "${node.name}" have at most ${POSITION_LENGTH_MAX} characters`);
    cursor.position = next;
    // A place that moved on without records is no sign of life.
    if (read === 0) return;
    cursor.quietSinceMs = null;
    cursor.toldQuiet = false;
  }

  #cursor(source: string, partition: number): Cursor {
    const cursor = this.#cursors.find(({ input }) => input.node.name === source && input.partition === partition);
    if (cursor) return cursor;
    throw new MillraceError(
      "plan_changed",
      `the open epoch read partition ${partition} of "${source}", which this pipeline does not read`,
      {
        hint: "finish it with the configuration that began it, or start over with --rerun",
      },
    );
  }
}

function inputChanged(entry: ScheduleEntry & { readonly kind: "batch" }, now: string): MillraceError {
  const where = `partition ${entry.partition} of source "${entry.source}"`;
  return new MillraceError("input_changed", `the open epoch took ${entry.read} records from ${where} up to ${entry.end}; ${now}`, {
    hint: "bring the input back as it was, or start over with --rerun",
  });
}
