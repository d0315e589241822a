/** The shipped SQL sink (its table sink, its lanes, its markers, its transactions) over a simulated database instead of a driver. */
import { Markers } from "../../../src/connectors/sql/markers.ts";
import { RefusedRecords } from "../../../src/connectors/sql/refused_records.ts";
import { SqlServer } from "../../../src/connectors/sql/server.ts";
import type { SqlSession } from "../../../src/connectors/sql/session.ts";
import type { TextRows } from "../../../src/connectors/sql/sink_lane.ts";
import { SqlTableSink, type TableDialect } from "../../../src/connectors/sql/table_sink.ts";
import { MillraceError } from "../../../src/data/fault.ts";
import { compileJsonEncoder } from "../../../src/data/json/encoder.ts";
import type { Sink } from "../../../src/engine/contracts.ts";
import { OutcomeUnknown } from "../../../src/sim/crashed.ts";
import type { SimProcess } from "../../../src/sim/process.ts";
import type { Booted } from "../../../src/sim/world.ts";
import { LEDGER_TYPE } from "../operators.ts";
import type { Connection, Database } from "./server.ts";

const REQUEST_MICROS_MAX = 3_000;
const LOCKED_POLL_MS = 5;

const ADDRESS = {
  scheme: "mysql",
  host: "database",
  port: 3306,
  user: "millrace",
  database: "ledger",
  password: "",
  passwordFile: "",
  tls: "off",
  caFile: "",
  connectTimeoutMs: 1_000,
} as const;
const TARGET = {
  type: LEDGER_TYPE,
  table: "ledger",
  mode: "append",
  refused: "stop",
  create: "create",
  key: [],
  columns: LEDGER_TYPE.fields.map(({ name }) => name),
} as const;
const MARKERS = new Markers({ parameter: () => "?", raiseOwner: "ON DUPLICATE KEY UPDATE owner = GREATEST(owner, VALUES(owner))" });
const ENCODE = compileJsonEncoder(LEDGER_TYPE);

export const databaseKey = (run: unknown, sink: unknown, lane: unknown): string => `${run}/${sink}/${lane}`;

/** The sink as one process sees it. */
export function databaseSink({ process, world }: Booted, name: string, database: Database): Sink {
  const server = new SqlServer<SimSession>(ADDRESS, world, () => SimSession.open(process, database));
  return new SqlTableSink(name, TARGET, server, DIALECT);
}

const DIALECT: TableDialect<SimSession, null> = {
  markers: MARKERS,
  // With refused = "stop" nothing is recorded there.
  records: new RefusedRecords(() => "?"),
  makeRefusedTable: () => Promise.reject(new Error("a refused row stops the run")),
  quoted: (name) => name,
  makeMarkerTable: () => Promise.resolve(),
  prepareTable: () => Promise.resolve(null),
  tablesLike: () => Promise.resolve([]),
  makeStaging: () => Promise.reject(new Error("rows are appended")),
  replaceRows: () => Promise.reject(new Error("rows are appended")),
  putter: () => ({ encode: ENCODE, put: (session, rows) => session.put(rows) }),
};

type Value = string | number;

class SimSession implements SqlSession {
  #alive = true;
  private constructor(
    private readonly process: SimProcess,
    private readonly database: Database,
    private readonly connection: Connection,
  ) {
    process.onDeath(() => this.#breakOff());
  }

  static async open(process: SimProcess, database: Database): Promise<SimSession> {
    const connection = await answered(() =>
      process.remote({ what: "sql_connect", detail: "", kind: "read", microsMax: REQUEST_MICROS_MAX, effect: () => database.connect() })
    );
    return new SimSession(process, database, connection);
  }

  get alive(): boolean {
    return this.#alive;
  }

  async select(sql: string, values: readonly Value[] = []): Promise<readonly (readonly unknown[])[]> {
    if (sql.startsWith("SELECT 1 FROM millrace_epochs")) return [];
    if (!sql.startsWith("SELECT epoch, owner, digest FROM millrace_epochs")) throw new Error(`the simulated database does not know ${sql}`);
    const key = databaseKey(values[0], values[1], values[2]);
    return await this.#locked("read", key, () => {
      const row = this.database.read(this.connection, key);
      return row ? [[row.epoch, row.owner, row.digest]] : [];
    });
  }

  async run(sql: string, values: readonly Value[] = []): Promise<{ readonly rows: number }> {
    const { database, connection } = this;
    if (sql === "START TRANSACTION") return await this.#changed(sql, () => database.begin(connection));
    if (sql === "COMMIT") return await this.#changed(sql, () => database.commit(connection));
    if (sql === "ROLLBACK") return await this.#changed(sql, () => database.rollBack(connection));
    if (sql.startsWith("DELETE FROM millrace_epochs")) return { rows: 0 }; // There is one run.
    if (sql.startsWith("INSERT INTO millrace_epochs")) return await this.#raiseOwner(values);
    if (sql.startsWith("UPDATE millrace_epochs")) return await this.#advance(values);
    throw new Error(`the simulated database does not know ${sql}`);
  }

  /** The rows of an epoch, within its transaction. */
  async put({ text }: TextRows): Promise<void> {
    const lines = new TextDecoder().decode(text.bytes.slice(0, text.length)).split("\n").slice(0, -1);
    await this.#changed("put", () => {
      this.database.hear(this.connection);
      this.connection.rows.push(...lines);
    });
  }

  close(): Promise<void> {
    this.destroy();
    return Promise.resolve();
  }
  destroy(): void {
    this.#alive = false;
    this.#breakOff();
  }

  async #raiseOwner([run, sink, lane, owner]: readonly Value[]): Promise<{ readonly rows: number }> {
    const key = databaseKey(run, sink, lane);
    return await this.#locked("write", key, () => {
      const { epoch, owner: before, digest } = this.database.read(this.connection, key) ?? { epoch: -1, owner: -1, digest: "" };
      this.connection.markers.set(key, { epoch, owner: Math.max(before, Number(owner)), digest });
      return { rows: 1 };
    });
  }

  async #advance([epoch, digest, run, sink, lane, below, owner]: readonly Value[]): Promise<{ readonly rows: number }> {
    const key = databaseKey(run, sink, lane);
    return await this.#locked("write", key, () => {
      const row = this.database.read(this.connection, key);
      if (row === null || row.epoch >= Number(below) || row.owner !== owner) return { rows: 0 };
      this.connection.markers.set(key, { ...row, epoch: Number(epoch), digest: String(digest) });
      return { rows: 1 };
    });
  }

  async #changed(what: string, effect: () => void): Promise<{ readonly rows: number }> {
    await this.#ask("write", what, effect);
    return { rows: 0 };
  }

  /** Waits while the row is another transaction's. */
  async #locked<T>(kind: "read" | "write", key: string, effect: () => T): Promise<T> {
    for (;;) {
      const answer = await this.#ask(kind, key, () => this.database.lock(this.connection, key) ? { value: effect() } : null);
      if (answer !== null) return answer.value;
      await this.process.sleep(LOCKED_POLL_MS, undefined);
    }
  }

  async #ask<T>(kind: "read" | "write", detail: string, effect: () => T): Promise<T> {
    try {
      const call = { what: `sql_${kind}`, detail, kind, microsMax: REQUEST_MICROS_MAX, connected: true as const, effect };
      return await answered(() => this.process.remote(call));
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  #breakOff(): void {
    this.database.endLater(this.connection);
  }
}

/** Whatever goes wrong here ends the connection. */
async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    const reason = cause instanceof OutcomeUnknown ? "did not answer" : (cause as Error).message;
    throw new MillraceError("mysql_lost", `the simulated database: ${reason}`, { retry: "backoff", cause });
  }
}
