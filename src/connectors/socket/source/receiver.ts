/**
 * Keeps a connection to a feed and writes all it gives into the journal, whether anybody reads it yet or not. Invariants: what is
 * received is durable before more is asked for than one buffer; a full journal is not read past, so the feed is what waits.
 */
import { assert, MillraceError } from "../../../data/fault.ts";
import type { Connection, NetAddress, World } from "../../../ports/mod.ts";
import { formatAddress } from "../address.ts";
import type { Journal } from "../journal/journal.ts";
import { CONNECT_WITHIN_MS, FULL_WAIT_MS } from "../limits.ts";
import { Backoff, type ReconnectSettings } from "./backoff.ts";
import { type Cut, LineCutter } from "./line_cutter.ts";

export interface ReceiverOptions {
  readonly world: World;
  readonly source: string;
  readonly address: NetAddress;
  readonly lineBytesMax: number;
  readonly reconnect: ReconnectSettings;
}

export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #journal: Journal;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #connection: Connection | null = null;
  #connections = 0;
  /** When the feed was last known to be there, µs; null: never. */
  #lostMicros: number | null;
  #ratePerSecond: number;
  #failure: unknown = null;

  /** Connects at once, and again for ever. */
  constructor(options: ReceiverOptions, journal: Journal) {
    this.#options = options;
    this.#journal = journal;
    this.#backoff = new Backoff(options.reconnect, options.world.random);
    this.#lostMicros = journal.newest?.receivedMicros ?? null;
    this.#ratePerSecond = journal.ratePerSecond;
    this.#running = this.#run();
  }

  /** Throws what keeps it from going on: a journal that cannot be written. */
  requireWell(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Takes nothing more in. What was received is in the journal when it returns. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#connection?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) {
        const connection = await this.#connect();
        if (connection) await this.#receive(connection);
        if (!this.#stopping.signal.aborted) await this.#options.world.clock.sleep(this.#backoff.next(), this.#stopping.signal);
      }
    } catch (error) {
      this.#failure = error;
      this.#connection?.close();
    }
  }

  async #connect(): Promise<Connection | null> {
    const { world: { net }, address } = this.#options;
    assert(net, "a socket source has a network");
    try {
      const connection = await net.connect(address, CONNECT_WITHIN_MS);
      if (!this.#stopping.signal.aborted) return this.#connected(connection);
      connection.close();
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#event("warning", "feed_unreachable", { reason: error.message });
    }
    return null;
  }

  #connected(connection: Connection): Connection {
    this.#connection = connection;
    this.#connections++;
    this.#event("info", "feed_connected", { connection: this.#connections });
    if (this.#lostMicros === null) return connection;
    const now = this.#options.world.clock.nowMicros();
    const seconds = (now - this.#lostMicros) / 1e6;
    const missedAbout = Math.round(seconds * this.#ratePerSecond);
    this.#event("warning", "feed_gap", {
      start: isoTime(this.#lostMicros),
      end: isoTime(now),
      seconds: Math.round(seconds * 1000) / 1000,
      missedAbout,
    });
    return connection;
  }

  /** Until the connection ends, or there is to be an end. */
  async #receive(connection: Connection): Promise<void> {
    const { clock } = this.#options.world;
    const cutter = new LineCutter(this.#options.lineBytesMax);
    const startedMs = clock.monotonicMs();
    let records = 0;
    let reason = "the feed ended it";
    try {
      let receiving = connection.read(cutter.room);
      for (;;) {
        const count = await receiving;
        if (count === 0) break;
        const receivedMicros = clock.nowMicros();
        const cuts = cutter.take(count);
        const room = await this.#waitForRoom(cuts);
        // The next bytes come in while these become durable.
        if (room) receiving = connection.read(cutter.room);
        receiving.catch(() => {}); // Told when it is awaited.
        await this.#keep(cuts, receivedMicros);
        for (const cut of cuts) records += cut.records;
        if (records > 0) this.#backoff.reset();
        if (!room) break;
      }
    } catch (error) {
      if (this.#failure !== null) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
    // Half a line that a planned stop of ours has cut off is not the feed's fault; it comes to the log with the gap.
    const tail = this.#stopping.signal.aborted ? null : cutter.tail();
    if (tail) await this.#keep([tail], clock.nowMicros());
    connection.close();
    this.#connection = null;
    this.#lostMicros = clock.nowMicros();
    const seconds = (clock.monotonicMs() - startedMs) / 1000;
    if (records > 1 && seconds > 0) this.#ratePerSecond = records / seconds;
    const stopped = this.#stopping.signal.aborted;
    this.#event(stopped ? "info" : "warning", "feed_lost", { records, reason: stopped ? "this pipeline stops" : reason });
  }

  async #keep(cuts: readonly Cut[], receivedMicros: number): Promise<void> {
    if (cuts.length === 0) return;
    try {
      for (const { kind, records, body } of cuts) {
        await this.#journal.append({ kind, records, receivedMicros, connection: this.#connections }, body);
      }
      await this.#journal.sync();
    } catch (error) {
      this.#failure = error; // Not the feed's fault: connecting again would only lose more.
      throw error;
    }
  }

  /** False when it is to stop meanwhile. What was cut is held in memory for so long. */
  async #waitForRoom(cuts: readonly Cut[]): Promise<boolean> {
    let bytes = 0;
    for (const { body } of cuts) bytes += body.length;
    let told = false;
    while (!(await this.#journal.hasRoom(bytes))) {
      if (this.#stopping.signal.aborted) return false;
      if (!told) this.#event("warning", "journal_full", { bytes: this.#journal.bytes });
      told = true;
      await this.#options.world.clock.sleep(FULL_WAIT_MS, this.#stopping.signal);
    }
    return !this.#stopping.signal.aborted;
  }

  #event(level: "info" | "warning", name: string, fields: Readonly<Record<string, string | number>>): void {
    const { world, source, address } = this.#options;
    world.log.event(level, name, { source, feed: formatAddress(address), ...fields });
  }
}

const isoTime = (micros: number): string => new Date(micros / 1000).toISOString();
