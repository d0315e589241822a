/** One table's part in the reading of a slot: what it wants, what was received for it, and how far it is. */
import type { Until } from "../../log/until.ts";
import { ChangeQueue } from "./change_queue.ts";
import type { ChangePlace, LogPlace } from "./place.ts";
import { type CopyFacts, type CopyPlace, CopyReader } from "./table_copy.ts";
import type { ShapeOptions, TableShape } from "./table_shape.ts";

export interface MemberOptions {
  readonly source: string;
  readonly shape: ShapeOptions;
  /** Whether the table's rows come first, as they are when reading begins. */
  readonly copy: CopyPlace | null;
  readonly until: Until;
  /** What a TRUNCATE does, of which the server tells no rows. */
  readonly truncate: "stop" | "ignore";
}

export class Member {
  readonly queue = new ChangeQueue();
  /** Where its reader asked from first; null while it has not asked. */
  from: ChangePlace | null = null;
  /** Its copy, the slot and the log reach back far enough. */
  isPrepared = false;
  /** What is given out first is the copy. */
  copyFacts: CopyFacts | null = null;
  /** Where the log begins for a reader that has read nothing. */
  firstLsn = 0;
  /** Where the log ended when it was first reached. */
  reachedLsn = 0;
  /** Where the input ends, where an end is wanted. */
  endLsn: number | null = null;
  /** The next row of the log to give out. */
  next: LogPlace | null = null;
  isInCopy = false;
  /**
   * The number of the first of the rows that were given out last, -1 for those of a copy; null once its reader has asked again. A lane
   * asks for one table's rows ahead of another's: until it asks again, it may not have taken them.
   */
  givenNumber: number | null = null;
  /** The checkpoint covers everything before; null: nothing. */
  covered: ChangePlace | null = null;
  /** Rows were given out that no checkpoint covers. */
  isUncovered = false;
  /** What rows look like since the first that was received here. */
  shape: TableShape | null = null;
  /** Rows of the transaction that is being received. */
  rowsInTransaction = 0;
  /** How often its reader has asked. */
  polls = 0;
  /** Nobody asks for it and it was in the way: nothing is kept for it. */
  isDeaf = false;
  isClosed = false;
  /** Its reader has found its end. */
  hasEnded = false;
  #copyReader: CopyReader | null = null;
  #waits: { polls: number; readonly seen: ReadonlyMap<Member, number> } | null = null;

  constructor(readonly options: MemberOptions) {}

  /** Open for as long as it is read. */
  async copyReader(): Promise<CopyReader> {
    return this.#copyReader ??= await CopyReader.open(this.options.copy!, this.copyFacts!);
  }
  closeCopy(): void {
    this.#copyReader?.close();
    this.#copyReader = null;
  }

  /**
   * It waits for the others. Gives those that have not been asked for since it began to wait, once it has waited for long: a lane asks
   * every table in turn, but one that is read later, or has ended.
   */
  waitFor(others: readonly Member[]): ReadonlySet<Member> {
    this.#waits ??= { polls: 0, seen: new Map(others.map((other) => [other, other.polls])) };
    const { seen } = this.#waits;
    if (++this.#waits.polls < WAITING_POLLS_MAX) return NOBODY;
    return new Set(others.filter((other) => other.polls === seen.get(other)));
  }
  goOn(): void {
    this.#waits = null;
  }
}

const NOBODY: ReadonlySet<Member> = new Set();
/** Polls of one table without one of another, after which that one is not waited for. */
const WAITING_POLLS_MAX = 20;
