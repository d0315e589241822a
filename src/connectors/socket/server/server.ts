/**
 * Accepts clients and gives each its place in a stream. Invariant: nothing that a client does, and no number of them, changes what
 * another one gets or keeps the next one from being served, but for the stated bound on clients.
 */
import type { ServeSummary } from "../../../component/serving.ts";
import { MillraceError } from "../../../data/fault.ts";
import type { Connection, Listener, NetAddress, World } from "../../../ports/mod.ts";
import { formatAddress } from "../address.ts";
import { HANDSHAKE_WITHIN_MS, STOP_GRACE_MS, WATCH_MS } from "../limits.ts";
import { Client, type SlowPolicy } from "./client.ts";
import { type Handshake, readHandshake } from "./handshake.ts";
import type { Stream } from "./stream.ts";
import { Ticker } from "./ticker.ts";

export interface ServerOptions {
  readonly world: World;
  readonly name: string;
  readonly listen: NetAddress;
  /** Where clients say first where they want to go on; null: nowhere. */
  readonly resume: NetAddress | null;
  readonly clientsMax: number;
  readonly slow: SlowPolicy;
  readonly behindMax: number;
  readonly intervalMs: number;
  /** The stream of a client, and where in it: null where the stream itself says. Throws for a place that is not there. */
  join(handshake: Handshake | null): { readonly stream: Stream; readonly from: number | null; readonly sequence: number };
}

export class SocketServer {
  readonly ticker: Ticker;
  readonly #clients = new Set<Client>();
  readonly #running = new Set<Promise<void>>();
  readonly #listeners: Listener[] = [];
  /** Those that have not yet said where they want to go on. */
  readonly #undecided = new Set<Connection>();
  #stopping = false;
  #totals = { clients: 0, records: 0, bytes: 0, dropped: 0, disconnected: 0, refused: 0 };

  private constructor(private readonly options: ServerOptions, ticker: Ticker) {
    this.ticker = ticker;
  }

  /** Listening when it returns. Throws MillraceError "address_taken". */
  static async open(options: ServerOptions, ticker = new Ticker(options.world.clock)): Promise<SocketServer> {
    const server = new SocketServer(options, ticker);
    const { net } = options.world;
    if (!net) throw new MillraceError("no_network", "there is no network here");
    try {
      server.#listeners.push(await net.listen(options.listen));
      if (options.resume) server.#listeners.push(await net.listen(options.resume));
    } catch (error) {
      for (const listener of server.#listeners) listener.close();
      throw error;
    }
    const [live, resume] = server.#listeners;
    server.#track(server.#acceptAll(live, (connection) => server.#serve(connection, null)));
    if (resume) server.#track(server.#acceptAll(resume, (connection) => server.#serveFrom(connection)));
    if (options.slow === "disconnect") server.#track(server.#watch());
    return server;
  }

  /** Where it listens: the port for everybody, and the one for those that resume. */
  get addresses(): readonly NetAddress[] {
    return this.#listeners.map(({ address }) => address);
  }

  get connected(): number {
    return this.#clients.size;
  }

  /** How it went so far, those that are still connected included. */
  summary(): ServeSummary {
    const sum = { ...this.#totals };
    for (const { records, bytes, dropped } of this.#clients) {
      sum.records += records;
      sum.bytes += bytes;
      sum.dropped += dropped;
    }
    return sum;
  }

  /** The least place of any client; Infinity without clients. */
  slowestAt(): number {
    let least = Infinity;
    for (const { at } of this.#clients) least = Math.min(least, at);
    return least;
  }

  /** Finishes the record in flight on every connection, closes, and tells how it went. */
  async stop(): Promise<ServeSummary> {
    this.#stopping = true;
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#undecided) connection.close();
    for (const client of this.#clients) client.stop();
    this.ticker.wakeAll();
    const enough = new AbortController();
    const grace = this.options.world.clock.sleep(STOP_GRACE_MS, enough.signal).then(() => {
      for (const client of this.#clients) client.cut("stopped");
    });
    await Promise.all(this.#running);
    enough.abort();
    await grace;
    return this.#totals;
  }

  async #acceptAll(listener: Listener, serve: (connection: Connection) => Promise<void>): Promise<void> {
    for (let connection = await listener.accept(); connection; connection = await listener.accept()) {
      if (this.#stopping || this.#running.size > this.options.clientsMax) {
        this.#totals.refused++;
        this.#event("warning", "client_refused", { client: formatAddress(connection.remote), clients: this.#clients.size });
        connection.close();
      } else this.#track(serve(connection));
    }
  }

  /** A connection on the resume port: the line first. */
  async #serveFrom(connection: Connection): Promise<void> {
    const late = new AbortController();
    void this.options.world.clock.sleep(HANDSHAKE_WITHIN_MS, late.signal).then(() => late.signal.aborted || connection.close());
    this.#undecided.add(connection);
    const handshake = await readHandshake(connection).catch(() => null);
    this.#undecided.delete(connection);
    late.abort();
    if (handshake && !this.#stopping) return await this.#serve(connection, handshake);
    this.#refuse(connection, "no line of the form: resume NUMBER [sequence NUMBER]");
  }

  async #serve(connection: Connection, handshake: Handshake | null): Promise<void> {
    const { options, ticker } = this;
    let joined: ReturnType<ServerOptions["join"]>;
    try {
      joined = options.join(handshake);
    } catch (error) {
      return this.#refuse(connection, (error as Error).message);
    }
    const { slow, behindMax, intervalMs } = options;
    const client = new Client(connection, joined.stream, { slow, behindMax, ticker, intervalMs }, joined.from);
    const who = { client: formatAddress(connection.remote), sequence: joined.sequence };
    this.#clients.add(client);
    this.#totals.clients++;
    this.#event("info", "client_connected", { ...who, from: client.at });
    const end = await client.run();
    this.#clients.delete(client);
    const { records, bytes, dropped } = client;
    this.#totals.records += records;
    this.#totals.bytes += bytes;
    this.#totals.dropped += dropped;
    if (end === "too_slow") this.#totals.disconnected++;
    this.#event(end === "too_slow" || dropped > 0 ? "warning" : "info", "client_ended", { ...who, end, records, dropped, next: client.at });
  }

  #refuse(connection: Connection, reason: string): void {
    this.#totals.refused++;
    this.#event("warning", "client_refused", { client: formatAddress(connection.remote), reason });
    connection.close();
  }

  /** A client that takes nothing at all never comes to its own next record. */
  async #watch(): Promise<void> {
    while (!this.#stopping) {
      await this.ticker.wait(WATCH_MS);
      for (const client of this.#clients) if (client.behind() > this.options.behindMax) client.cut("too_slow");
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  #event(level: "info" | "warning", name: string, fields: Readonly<Record<string, string | number>>): void {
    this.options.world.log.event(level, name, { server: this.options.name, ...fields });
  }
}
