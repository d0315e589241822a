/**
 * A database as far as the shipped SQL sinks ask it: one table of rows, the markers with a lock on each row, transactions. Invariants: what a
 * transaction changed is seen when it is committed, and only then; a marker's row belongs to one open transaction at a time; the connection
 * that breaks, or is silent for long, takes its transaction back.
 */
import type { Scheduler } from "../../../src/sim/scheduler.ts";

/** The server ends a transaction that stands still for so long. */
const IDLE_MICROS_MAX = 2_000_000;
const NOTICED_AFTER_MICROS = 40_000;

export interface MarkerRow {
  readonly epoch: number;
  readonly owner: number;
  readonly digest: string;
}
/** One connection, as the server knows it. */
export interface Connection {
  state: "idle" | "in transaction" | "ended";
  heardMicros: number;
  readonly markers: Map<string, MarkerRow>;
  readonly rows: string[];
}

export class Database {
  /** In the order of commits. */
  readonly rows: string[] = [];
  readonly #markers = new Map<string, MarkerRow>();
  readonly #locks = new Map<string, Connection>();

  constructor(private readonly scheduler: Scheduler) {}

  /** As it is committed. */
  marker(key: string): MarkerRow | null {
    return this.#markers.get(key) ?? null;
  }

  connect(): Connection {
    return { state: "idle", heardMicros: this.scheduler.nowMicros, markers: new Map(), rows: [] };
  }

  /** Throws where the server has ended the connection. */
  hear(connection: Connection): void {
    if (connection.state === "ended") throw new Error("the server has ended the connection");
    connection.heardMicros = this.scheduler.nowMicros;
  }

  begin(connection: Connection): void {
    this.hear(connection);
    connection.state = "in transaction";
  }

  commit(connection: Connection): void {
    this.hear(connection);
    for (const [key, row] of connection.markers) this.#markers.set(key, row);
    this.rows.push(...connection.rows);
    this.#settle(connection, "idle");
  }

  rollBack(connection: Connection): void {
    if (connection.state !== "ended") this.#settle(connection, "idle");
  }

  /** The connection is gone: what it had open is taken back. */
  end(connection: Connection): void {
    this.#settle(connection, "ended");
  }

  /** It broke, which the server has yet to notice: what is under way on it may arrive before. */
  endLater(connection: Connection): void {
    this.scheduler.after(NOTICED_AFTER_MICROS, () => this.end(connection));
  }

  /** Whether the row is this transaction's now; false while it is another's. */
  lock(connection: Connection, key: string): boolean {
    this.hear(connection);
    const holder = this.#locks.get(key);
    if (holder !== undefined && holder !== connection) {
      if (this.scheduler.nowMicros - holder.heardMicros < IDLE_MICROS_MAX) return false;
      this.end(holder);
    }
    this.#locks.set(key, connection);
    return true;
  }

  /** As the transaction sees it, which has locked it. */
  read(connection: Connection, key: string): MarkerRow | null {
    return connection.markers.get(key) ?? this.#markers.get(key) ?? null;
  }

  #settle(connection: Connection, state: "idle" | "ended"): void {
    connection.state = state;
    connection.markers.clear();
    connection.rows.length = 0;
    for (const [key, holder] of [...this.#locks]) if (holder === connection) this.#locks.delete(key);
  }
}
