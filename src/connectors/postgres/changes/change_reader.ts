/**
 * Gives out one table: its copy, then its changes. Invariants: the same range of places gives the same rows and rejects, however it is
 * cut; an end is only concluded from what the server has said that it sent.
 */
import type { Batch, Rejected } from "../../../data/batch.ts";
import { type BadRow, type Decoder, DELETE_DROPPED, type Records } from "../../../data/codec.ts";
import { countingFrom, emptyBatch } from "../../../data/columns.ts";
import { assert, MillraceError } from "../../../data/fault.ts";
import { RECORD_BYTES_MAX } from "../../../data/limits.ts";
import type { Polled, PollLimits, Position, SourceReader } from "../../../engine/contracts.ts";
import type { Clock } from "../../../ports/mod.ts";
import { sourceBatch } from "../../source_batch.ts";
import { CAUGHT_UP_WAIT_MS, MOVE_ON_EVERY_MS, TURN_WAIT_MS } from "../limits.ts";
import type { ChangeFeed } from "./change_feed.ts";
import type { TakenRows } from "./change_queue.ts";
import type { Member } from "./member.ts";
import { type ChangePlace, CHANGES_START, formatPlace, type LogPlace, parsePlace, type PlaceAt } from "./place.ts";
import { removeCopy } from "./table_copy.ts";
import { TableShape } from "./table_shape.ts";

export interface ChangeReaderOptions {
  readonly clock: Clock;
  readonly source: string;
  /** Rows that are no more: counted only, or given out with their mark. */
  readonly deletes: "drop" | "pass";
}
/** A place that is known to the row. */
type KnownPlace = ChangePlace & { readonly at: PlaceAt & { readonly part: "copy" | "log" } };

export class ChangeReader implements SourceReader {
  readonly start: Position = formatPlace(CHANGES_START);
  #copyDecoder: Decoder | null = null;
  /** Since when there was nothing, and when a place was last given out. */
  #quietSinceMs: number;
  #movedMs: number;

  constructor(private readonly options: ChangeReaderOptions, private readonly feed: ChangeFeed, private readonly member: Member) {
    this.#quietSinceMs = this.#movedMs = options.clock.monotonicMs();
  }

  async poll(from: Position, limits: PollLimits): Promise<Polled> {
    const { feed, member } = this;
    const asked = parsePlace(from);
    const until = limits.until === undefined ? null : parsePlace(limits.until);
    if (feed.isClosed && !member.isClosed) throw readTwice(member.options.shape.table);
    member.polls++;
    member.givenNumber = null;
    if (member.from === null) {
      member.from = asked;
      if (asked.at.part !== "start") member.covered = asked;
    }
    if (!feed.isReady(member)) {
      feed.requireWell("always");
      this.#quietSinceMs = this.options.clock.monotonicMs();
      return idle(CAUGHT_UP_WAIT_MS);
    }
    const place = this.#known(asked, until);
    const rowsMax = Math.min(limits.rowsMax, until ? Infinity : this.#countLeft(place));
    if (rowsMax <= 0) return this.#end();
    return place.at.part === "copy"
      ? await this.#fromCopy(place, place.at.byte, { ...limits, rowsMax }, until)
      : this.#fromLog(place, place.at, { ...limits, rowsMax }, until);
  }

  /** How far the log went when this source's slot was first reached. */
  hasCaughtUp(position: Position): Promise<boolean> {
    const { feed, member } = this;
    const { at } = parsePlace(position);
    if (!member.isPrepared || member.options.until.kind !== "never" || at.part === "copy" || member.isInCopy) return Promise.resolve(false);
    const first = member.queue.first();
    const isThere = feed.receivedLsn >= member.reachedLsn && (first === null || first.lsn >= member.reachedLsn);
    if (!isThere) feed.ask();
    return Promise.resolve(isThere || at.part === "log" && at.lsn >= member.reachedLsn);
  }

  released(position: Position): void {
    const { feed, member } = this;
    const place = parsePlace(position);
    if (place.at.part === "start") return;
    const wasInCopy = member.covered?.at.part !== "log";
    member.covered = place;
    member.isUncovered = !isAt(place.at, member);
    feed.covered();
    const { copy } = member.options;
    if (wasInCopy && place.at.part === "log" && copy) {
      member.closeCopy();
      void removeCopy(copy).catch(() => {}); // It is found to be of no use at the next start too.
    }
  }

  close(): void {
    this.feed.leave(this.member);
  }

  /** The place behind "start" is known once it is known how the table is read. A first epoch is replayed with the end that it had. */
  #known(place: ChangePlace, until: ChangePlace | null): KnownPlace {
    const { feed, member } = this;
    if (place.at.part !== "start") return place as KnownPlace;
    const { copyFacts, firstLsn, endLsn } = member;
    const at: KnownPlace["at"] = copyFacts && copyFacts.bytes > 0
      ? { part: "copy", byte: 0 }
      : { part: "log", lsn: copyFacts?.point ?? firstLsn, index: 0 };
    return { server: feed.server, read: 0, endLsn: until ? until.endLsn : endLsn, at };
  }

  #countLeft({ read }: ChangePlace): number {
    const { until } = this.member.options;
    return until.kind === "count" ? until.count - read : Infinity;
  }

  async #fromCopy(place: KnownPlace, byte: number, limits: PollLimits, until: ChangePlace | null): Promise<Polled> {
    const { member } = this;
    const facts = member.copyFacts;
    assert(facts, "a place in a copy has one");
    const toByte = until?.at.part === "copy" ? until.at.byte : facts.bytes;
    assert(byte < toByte, "a copy that is read is left");
    const { rowsMax, bytesMax } = limits;
    const { records, tooLong, endByte } = await (await member.copyReader()).read(byte, { rowsMax, bytesMax, toByte });
    const at: KnownPlace["at"] = endByte < facts.bytes ? { part: "copy", byte: endByte } : { part: "log", lsn: facts.point, index: 0 };
    member.isInCopy = at.part === "copy";
    member.givenNumber = -1;
    this.#copyDecoder ??= copyDecoder(member);
    return this.#handed(place, at, until, limits, this.#batch(place.read, { records, tooLong, refused: [] }, this.#copyDecoder));
  }

  #fromLog(place: KnownPlace, at: LogPlace, limits: PollLimits, until: ChangePlace | null): Polled {
    const { feed, member, options: { clock } } = this;
    if (until && isSame(at, until.at)) return { kind: "end" };
    const untilLog = until?.at.part === "log" ? until.at : null;
    if (!member.next || !isSame(member.next, at)) member.queue.dropBefore(at);
    member.next = at;
    // A schedule says in which order tables were taken.
    const numberEnd = until ? Infinity : feed.turn(member);
    const endLsn = place.endLsn ?? Infinity;
    const taken = numberEnd === null
      ? null
      : member.queue.take({ rowsMax: limits.rowsMax, bytesMax: limits.bytesMax, numberEnd, endLsn, until: untilLog });
    if (taken) {
      feed.taken();
      member.givenNumber = taken.number;
      this.#quietSinceMs = clock.monotonicMs();
      const next: LogPlace = { part: "log", lsn: taken.lsn, index: taken.index + 1 };
      return this.#handed(place, next, until, limits, this.#changes(place.read, taken));
    }
    if (untilLog) {
      // The place that a table without rows moved on to.
      if (feed.receivedLsn >= untilLog.lsn || (member.queue.first()?.lsn ?? 0) >= untilLog.lsn) {
        return this.#handed(place, untilLog, until, limits, this.#nothing());
      }
      feed.requireWell("always");
      feed.ask();
      return idle(CAUGHT_UP_WAIT_MS);
    }
    return this.#waitOrEnd(place, at, limits);
  }

  /** There is nothing to give out now. */
  #waitOrEnd(place: KnownPlace, at: LogPlace, limits: PollLimits): Polled {
    const { feed, member, options: { clock } } = this;
    const nowMs = clock.monotonicMs();
    const first = member.queue.first();
    const { receivedLsn } = feed;
    // Rows that wait for their turn were received, but not given out.
    if (place.endLsn !== null && (first === null ? receivedLsn : first.lsn) >= place.endLsn) return this.#end();
    if (first !== null) return idle(TURN_WAIT_MS);
    feed.requireWell("once_covered");
    if (place.endLsn !== null) feed.ask();
    if (!feed.isReceiving) this.#quietSinceMs = nowMs;
    const { until } = member.options;
    if (until.kind === "idle" && nowMs - this.#quietSinceMs >= until.idleMs) return this.#end();
    const isDue = feed.isWaitedFor || nowMs - this.#movedMs >= MOVE_ON_EVERY_MS;
    if (isDue && place.endLsn === null && receivedLsn > at.lsn) {
      feed.movedOn();
      return this.#handed(place, { part: "log", lsn: receivedLsn, index: 0 }, null, limits, this.#nothing());
    }
    return idle(CAUGHT_UP_WAIT_MS);
  }

  #end(): Polled {
    this.member.hasEnded = true;
    return { kind: "end" };
  }

  #handed(place: KnownPlace, at: KnownPlace["at"], until: ChangePlace | null, limits: PollLimits, rows: HandedRows): Polled {
    const { member } = this;
    if (at.part === "log") member.next = at;
    member.isUncovered = true;
    this.#movedMs = this.options.clock.monotonicMs();
    const next = until && isSame(at, until.at) ? limits.until! : formatPlace({ ...place, read: place.read + rows.read, at });
    return { kind: "batch", ...rows, next };
  }

  #nothing(): HandedRows {
    return { batch: emptyBatch(this.member.options.shape.type, this.options.source), rejected: [], read: 0, deletes: 0 };
  }

  #changes(before: number, { shape, records, deleted, untold }: TakenRows): HandedRows {
    const refused = untold.map(({ row, field }) => ({ row, reason: `unchanged:${field}` }));
    const tooLong: number[] = [];
    for (let row = 0; row < records.rows; row++) if (records.end[row] - records.start[row] > RECORD_BYTES_MAX) tooLong.push(row);
    const decode = deleted.includes(1) ? markedDecoder(shape, deleted, this.options.deletes) : shape.decode;
    return this.#batch(before, { records, tooLong, refused }, decode);
  }

  #batch(before: number, { records, tooLong, refused }: CutRows, decode: Decoder): HandedRows {
    const { source } = this.options;
    const { type } = this.member.options.shape;
    const position = countingFrom(before + 1, records.rows);
    return {
      ...sourceBatch({ source, partition: 0, type }, { records, position, origin: position, tooLong, refused }, decode),
      read: records.rows,
    };
  }
}

interface HandedRows {
  readonly batch: Batch;
  readonly rejected: readonly Rejected[];
  readonly read: number;
  readonly deletes: number;
}
interface CutRows {
  readonly records: Records;
  readonly tooLong: readonly number[];
  readonly refused: readonly BadRow[];
}

const idle = (retryAfterMs: number): Polled => ({ kind: "idle", retryAfterMs });

function isSame(a: PlaceAt, b: PlaceAt): boolean {
  if (a.part === "log") return b.part === "log" && a.lsn === b.lsn && a.index === b.index;
  return a.part === "copy" ? b.part === "copy" && a.byte === b.byte : b.part === "start";
}
/** Whether everything given out lies before. */
const isAt = (at: PlaceAt, { next, isInCopy }: Member): boolean => !isInCopy && next !== null && isSame(at, next);

function readTwice(table: string): MillraceError {
  return new MillraceError("slot_lanes", `the changes of ${table} are read by two lanes of this pipeline, and a slot has one reader`, {
    hint: "write them to a topic with a pipeline of its own, and read the topic; or keep this pipeline to one lane",
  });
}

function copyDecoder({ options: { shape }, copyFacts }: Member): Decoder {
  assert(copyFacts, "a copy that is read was found");
  const columns = copyFacts.columns.map(({ name, type }) => ({ name, type, isKey: false }));
  return new TableShape(shape, columns).decode;
}

/** Rows that are there must fit the schema; of the others the key alone may be told, and nothing where they are dropped. */
function markedDecoder(shape: TableShape, deleted: Uint8Array, deletes: "drop" | "pass"): Decoder {
  return (records) => {
    const { columns, bad, spelled } = shape.decode(records);
    const alive = bad.filter(({ row }) => deleted[row] === 0);
    if (deletes === "drop") return { columns, bad: alive, spelled, deleted: deleted.map((mark) => mark * DELETE_DROPPED) };
    const lenient = shape.decodeDeleted(records);
    const gone = lenient.bad.filter(({ row }) => deleted[row] === 1);
    return {
      columns: lenient.columns,
      bad: [...alive, ...gone].sort((a, b) => a.row - b.row),
      // The columns are not those of which the bytes were found to say the same.
      spelled: null,
      deleted,
    };
  };
}
