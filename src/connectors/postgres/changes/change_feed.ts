/**
 * Reads one slot for all tables of a pipeline that are read over it. Invariants: the server is told as flushed only what checkpoints of
 * all tables cover; tables get their rows in the order in which transactions committed; where the slot does not go back to where
 * a table is, that is a fault, never a gap.
 */
import { assert, MillraceError } from "../../../data/fault.ts";
import type { World } from "../../../ports/mod.ts";
import { serverOf } from "../../sql/address.ts";
import { SqlServer } from "../../sql/server.ts";
import { mayRetry } from "../../sql/session.ts";
import { Session } from "../driver.ts";
import { ASK_EVERY_MS, OWN_SLOT_WAIT_MS, RECEIVED_BYTES_MAX, SLOT_POLL_MS, SLOT_WAIT_MS, STATUS_EVERY_MS } from "../limits.ts";
import type { PostgresAddress } from "../postgres_connection.ts";
import { ChangeReceiver } from "./change_receiver.ts";
import { lsnText } from "./lsn.ts";
import { Member, type MemberOptions } from "./member.ts";
import { PgOutput } from "./pgoutput.ts";
import { type Prepared, prepareMembers } from "./prepare.ts";
import { ReplicationSession } from "./replication_session.ts";
import { type SlotOptions } from "./slot.ts";

export interface FeedOptions {
  readonly world: FeedWorld;
  readonly address: PostgresAddress;
  readonly slot: SlotOptions;
}
export type FeedWorld = Pick<World, "clock" | "files" | "log" | "stopping">;

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5_000;

export class ChangeFeed {
  readonly #members: Member[] = [];
  readonly #stop = new AbortController();
  readonly #sql: SqlServer<Session>;
  readonly #replication: SqlServer<ReplicationSession>;
  #running: Promise<void> | null = null;
  #session: ReplicationSession | null = null;
  /** What is received is in the queues; null when it was thrown away. */
  #receiver: ChangeReceiver | null = null;
  /** Also when what it received was thrown away. */
  #newest: ChangeReceiver | null = null;
  #fault: unknown = null;
  #isPaused = false;
  #isRestarting = false;
  #askedMs = -Infinity;
  #prepared: Prepared | null = null;
  /** The server waits to hear that all it sent is covered: it may be about to stop. */
  #isWaitedFor = false;

  constructor(private readonly options: FeedOptions) {
    const { address, world } = options;
    this.#sql = new SqlServer(address, world, (login) => Session.open({ ...login, address }));
    this.#replication = new SqlServer(address, world, (login) => ReplicationSession.open({ ...login, address }));
  }

  /** One more table is read; before the first row of any. */
  join(options: MemberOptions): Member {
    const member = new Member(options);
    this.#members.push(member);
    return member;
  }
  hasMember(source: string): boolean {
    return this.#members.some(({ options }) => options.source === source);
  }

  /** The server's history as places name it; known once a member is prepared. */
  get server(): string {
    assert(this.#prepared, "a member is prepared");
    return this.#prepared.server;
  }
  /** Everything that commits before was received; 0 while nothing is known. */
  get receivedLsn(): number {
    return this.#receiver?.receivedLsn ?? 0;
  }
  get isReceiving(): boolean {
    return this.#session?.alive === true;
  }
  /** Whether the log should be moved on at once. */
  get isWaitedFor(): boolean {
    return this.#isWaitedFor;
  }
  movedOn(): void {
    this.#isWaitedFor = false;
  }

  /** Whether the member's rows can be given out. Begins to read once every table has said where it is. */
  isReady(member: Member): boolean {
    if (member.isPrepared && !member.isDeaf) return true;
    const others = this.#members.filter((other) => other !== member && other.from === null && !other.isClosed);
    if (others.length > 0 && others.length > member.waitFor(others).size) return false;
    member.goOn();
    if (member.isDeaf || this.#running && this.#prepared && !member.isPrepared && !this.#isPreparing) this.#restart();
    this.#running ??= this.#run();
    return false;
  }

  /**
   * The number behind the rows that the member may give out now: the first row of another table; null when it is not its turn. Tables
   * that nobody asks for are passed.
   */
  turn(member: Member): number | null {
    const own = member.queue.first();
    const others = this.#members.filter((other) => other !== member && !other.isClosed && !other.isDeaf);
    const before = others.filter((other) => isBefore(other, own?.number ?? Infinity, this.#isPaused));
    const passed = before.length > 0 ? member.waitFor(others) : null;
    if (!passed) member.goOn();
    if (before.some((other) => !passed?.has(other))) return null;
    if (!own) {
      for (const other of before) this.#silence(other);
      return null;
    }
    let end = Infinity;
    for (const other of others) if (!passed?.has(other)) end = Math.min(end, other.queue.first()?.number ?? Infinity);
    return end;
  }

  /** Rows were taken: there may be room for more. */
  taken(): void {
    if (this.#isPaused && this.#heldBytes() < RECEIVED_BYTES_MAX / 2) {
      this.#isPaused = false;
      this.#session?.resume();
    }
  }

  /** Throws what ended the reading, once nothing is left to cover: a start after it then begins behind what came before. */
  requireWell(now: "always" | "once_covered"): void {
    if (this.#fault === null) return;
    const others = this.#members.filter(({ isClosed, hasEnded }) => !isClosed && !hasEnded);
    if (now === "always" || others.every(({ isUncovered, queue }) => !isUncovered && queue.first() === null)) throw this.#fault;
  }

  /** A checkpoint covers more. */
  covered(): void {
    this.#tell("no_reply");
  }

  /** Has the server say how far it has sent, a few times a second at most. */
  ask(): void {
    const nowMs = this.options.world.clock.monotonicMs();
    if (nowMs - this.#askedMs < ASK_EVERY_MS) return;
    this.#askedMs = nowMs;
    this.#tell("reply");
  }

  /** The member is not read any more; with the last one reading ends. */
  leave(member: Member): void {
    member.isClosed = true;
    member.closeCopy();
    if (this.#members.every(({ isClosed }) => isClosed)) this.close();
  }

  close(): void {
    this.#stop.abort();
    this.#sql.close();
    this.#replication.close();
    void this.#session?.close();
  }
  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  get #isPreparing(): boolean {
    return this.#session === null;
  }

  /** Connects, and again, until there is a fault that does not pass, or an end. */
  async #run(): Promise<void> {
    const { world: { clock, log }, slot } = this.options;
    let waitMs = RETRY_MIN_MS;
    while (!this.isClosed) {
      const startedMs = clock.monotonicMs();
      try {
        await this.#receive();
      } catch (error) {
        if (this.isClosed) return;
        this.#session?.destroy();
        this.#session = null;
        if (this.#isRestarting) {
          this.#isRestarting = false;
          continue;
        }
        if (!mayRetry(error)) {
          this.#fault = error;
          return;
        }
        const { code, message } = error as MillraceError;
        if (!code.endsWith("_unreachable")) log.event("warning", "changes_interrupted", { slot: slot.slot, reason: message });
        waitMs = clock.monotonicMs() - startedMs > RETRY_MAX_MS ? RETRY_MIN_MS : Math.min(RETRY_MAX_MS, 2 * waitMs);
        await clock.sleep(waitMs, this.#stop.signal);
      }
    }
  }

  async #receive(): Promise<never> {
    const { world: { log }, address, slot } = this.options;
    const session = await this.#replication.open();
    try {
      const sql = await this.#sql.open();
      try {
        const joined = this.#members.filter(({ isClosed }) => !isClosed);
        const members = joined.filter(({ from }) => from !== null);
        this.#prepared = await prepareMembers({
          ...this.options,
          sql,
          session,
          joined,
          members,
          isOver: () => this.isClosed,
          openSlot: () => this.#replication.open(),
        });
        await this.#waitForSlot(sql);
      } finally {
        await sql.close();
      }
      if (this.isClosed) throw new Error("closed while it was made ready");
      const receiver = new ChangeReceiver(address.schema, this.#members, this.#prepared.tables, this.#newest?.numbered ?? 0);
      this.#newest = receiver;
      receiver.receivedLsn = this.#receiver?.receivedLsn ?? 0;
      const plugin = new PgOutput(receiver);
      this.#receiver = receiver;
      this.#session = session;
      this.#isPaused = false;
      log.event("info", "changes_connected", { slot: slot.slot, at: lsnText(this.#prepared.confirmedLsn) });
      void this.#tellRegularly(session);
      return await session.receive(slot.slot, slot.publication, {
        message: (bytes, from, to) => {
          plugin.read(bytes, from, to);
          this.#holdBack();
        },
        sent: (lsn, wantsReply) => {
          receiver.sent(lsn);
          if (!wantsReply) return;
          this.#isWaitedFor = true;
          this.#tell("no_reply");
        },
      });
    } finally {
      session.destroy();
    }
  }

  /** Another reader of the slot may be about to end: one of ours that was killed. */
  async #waitForSlot(sql: Session): Promise<void> {
    const { world: { clock, log }, slot: { slot } } = this.options;
    // A connection of this process that broke is kept by the server until it finds out.
    const deadlineMs = clock.monotonicMs() + (this.#newest ? OWN_SLOT_WAIT_MS : SLOT_WAIT_MS);
    for (let isTold = false;; isTold = true) {
      const [[pid]] = await sql.select("SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1", [slot]);
      if (pid === null) return;
      if (clock.monotonicMs() >= deadlineMs || this.isClosed) {
        throw new MillraceError(
          "slot_owned",
          `the slot ${slot} of ${serverOf(this.options.address)} is being read by server process ${pid}`,
          {
            hint: "a slot has one reader: stop the other pipeline, or name another slot",
          },
        );
      }
      if (!isTold) log.event("warning", "slot_busy", { slot, pid });
      await clock.sleep(SLOT_POLL_MS, this.#stop.signal);
    }
  }

  async #tellRegularly(session: ReplicationSession): Promise<void> {
    const { clock } = this.options.world;
    while (session.alive && !this.isClosed) {
      await clock.sleep(STATUS_EVERY_MS, this.#stop.signal);
      if (session === this.#session) this.#tell("no_reply");
    }
  }

  #tell(reply: "reply" | "no_reply"): void {
    const written = this.receivedLsn;
    this.#session?.tell({
      written,
      flushed: this.#coveredLsn(),
      nowMicros: this.options.world.clock.nowMicros(),
      wantsReply: reply === "reply",
    });
  }

  /** Where the log may begin for the next reader; 0 while a table has not begun. */
  #coveredLsn(): number {
    let least = Infinity;
    for (const { covered, copyFacts } of this.#members) {
      const at = covered?.at;
      const lsn = at?.part === "log" ? at.lsn : at?.part === "copy" ? copyFacts?.point ?? 0 : 0;
      least = Math.min(least, lsn);
    }
    return Number.isFinite(least) ? least : 0;
  }

  #holdBack(): void {
    if (this.#isPaused || this.#heldBytes() < RECEIVED_BYTES_MAX) return;
    this.#isPaused = true;
    this.#session?.pause();
  }
  #heldBytes(): number {
    let bytes = 0;
    for (const { queue } of this.#members) bytes += queue.bytes;
    return bytes;
  }

  /** Its rows are in the way of the others: they are read again when it is asked for. */
  #silence(member: Member): void {
    member.isDeaf = true;
    member.queue.clear();
    this.taken();
  }

  /** Reads again from where the slot stands. */
  #restart(): void {
    for (const member of this.#members) {
      member.queue.clear();
      member.isDeaf = false;
    }
    // What was received and thrown away was not received.
    this.#receiver = null;
    if (!this.#session) return;
    this.#isRestarting = true;
    this.#session.destroy();
    this.#session = null;
  }
}

/** Whether the member stands before a row of that number; where there is none (Infinity), whether its rows take all the room. */
function isBefore({ queue, isInCopy, givenNumber, from, isPrepared }: Member, number: number, isFull: boolean): boolean {
  const first = queue.first();
  if (number === Infinity) return isFull && first !== null;
  // Nobody has asked for it yet, as behind a replay of other tables alone: nothing was kept for it, so its rows are not known.
  if (from === null || !isPrepared) return true;
  if (givenNumber !== null && givenNumber < number) return true;
  return isInCopy || first !== null && first.number < number;
}
