/**
 * The only file that knows the driver, mysql2, which is loaded when a first connection is opened. Why this one:
 * docs/decisions/mysql.md. Invariants: every error that leaves is ours (driver_errors.ts); values are parameters of prepared
 * statements, never part of their text; a file is only ever sent from bytes in memory, whatever name a server asks for.
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import type { Connection, ConnectionOptions, ResultSetHeader } from "mysql2/promise";
import { serverOf } from "../sql/address.ts";
import { LOCK_WAIT_SECONDS, SESSION_IDLE_SECONDS } from "../sql/limits.ts";
import { isLost, type Login, type SqlSession } from "../sql/session.ts";
import { type Phase, translated, valueChanged } from "./driver_errors.ts";
import { LOAD_CHUNK_BYTES_MAX } from "./limits.ts";

/** null, text (decimals, 64-bit integers, times, JSON), numbers (smaller integers, doubles), bytes (binary, BIT). */
export type MysqlValue = string | number | Uint8Array | null;
/** What the server said of a change. */
export interface Changed {
  readonly rows: number;
  readonly warnings: number;
}
/** What a server can do; asked once per connection. */
export interface ServerFacts {
  readonly flavour: "mysql" | "mariadb";
  /** [8, 0, 36] */
  readonly version: readonly number[];
  /** Bytes of one statement or packet. */
  readonly packetBytesMax: number;
  readonly allowsLocalInfile: boolean;
}

/** Values keep their digits: strict, times as they are written, no escapes switched off. */
const SESSION_SETTINGS =
  `SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', time_zone = '+00:00', \
autocommit = 1, sql_notes = 1, wait_timeout = ${SESSION_IDLE_SECONDS}, innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}, \
lock_wait_timeout = ${LOCK_WAIT_SECONDS}`;
const KEEP_ALIVE_AFTER_MS = 10_000;

/** One connection, one statement at a time. */
export class Session implements SqlSession {
  #alive = true;
  private constructor(
    private readonly connection: Connection,
    private readonly login: Login,
    readonly facts: ServerFacts,
  ) {
    // Without a listener a connection that ends while nobody asks would end the process.
    connection.on("error", () => this.#alive = false);
    connection.on("end", () => this.#alive = false);
  }

  /** Throws `mysql_unreachable` (retry) where nobody answers, `mysql_denied`, `mysql_database`, `mysql_tls` where the answer is no. */
  static async open(login: Login): Promise<Session> {
    const { createConnection } = await import("mysql2/promise");
    return await attempt(login, "connect", async () => {
      const connection = await createConnection(connectionOptions(login));
      try {
        await connection.query(SESSION_SETTINGS);
        // Fewer locks between keys: lanes that write one table side by side do not stop one another.
        await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
        const [rows] = await connection.query("SELECT VERSION(), @@max_allowed_packet, @@local_infile");
        return new Session(connection, login, factsOf((rows as unknown as MysqlValue[][])[0]));
      } catch (error) {
        connection.destroy();
        throw error;
      }
    });
  }

  /** false once the connection was lost or closed. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Rows of a query, values in the order of its columns. */
  async select(sql: string, values: readonly MysqlValue[] = []): Promise<MysqlValue[][]> {
    return await this.#ask(async () => {
      const [rows] = values.length > 0 ? await this.connection.execute(sql, bound(values)) : await this.connection.query(sql);
      return rows as unknown as MysqlValue[][];
    });
  }

  /** A change, with its values as parameters. */
  async run(sql: string, values: readonly MysqlValue[] = []): Promise<Changed> {
    return await this.#ask(async () => {
      const [result] = values.length > 0 ? await this.connection.execute(sql, bound(values)) : await this.connection.query(sql);
      return changedOf(result as ResultSetHeader);
    });
  }

  /** LOAD DATA LOCAL: `bytes` is the file. */
  async load(sql: string, bytes: Uint8Array): Promise<Changed> {
    const chunk = Math.min(LOAD_CHUNK_BYTES_MAX, this.facts.packetBytesMax >> 1);
    return await this.#ask(async () => {
      const [result] = await this.connection.query({ sql, infileStreamFactory: () => Readable.from(chunksOf(bytes, chunk)) });
      return changedOf(result as ResultSetHeader);
    });
  }

  /** Throws `mysql_value` when the last statement kept a value otherwise than it was given. */
  async requireExact(): Promise<void> {
    const warnings = await this.select("SHOW WARNINGS");
    const changed = warnings.find(([, code]) => VALUE_WARNINGS.has(Number(code)));
    if (changed) throw valueChanged(serverOf(this.login.address), String(changed[2]), hiddenOf(this.login));
  }

  /** Lets the server know, where it can be told. */
  async close(): Promise<void> {
    if (this.#alive) await this.connection.end().catch(() => {});
    this.destroy();
  }
  /** At once; the server rolls back what was open. */
  destroy(): void {
    this.#alive = false;
    this.connection.destroy();
  }

  async #ask<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await attempt(this.login, "ask", action);
    } catch (error) {
      if (isLost(error)) this.destroy();
      throw error;
    }
  }
}

/** Out of range, truncated, wrong value, too long: what strict mode does not refuse everywhere, as a decimal's extra places. */
const VALUE_WARNINGS = new Set([1264, 1265, 1292, 1366, 1406]);

function connectionOptions({ address, password, authorities }: Login): ConnectionOptions {
  const { host, port, user, database, tls, connectTimeoutMs } = address;
  return {
    host,
    port,
    user,
    password,
    database,
    charset: "utf8mb4",
    connectTimeout: connectTimeoutMs,
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS,
    // Exact: what a double cannot hold arrives as text.
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: false,
    dateStrings: true,
    jsonStrings: true,
    rowsAsArray: true,
    multipleStatements: false,
    ...(tls === "off" ? {} : { ssl: tlsOptions(tls, authorities) }),
  };
}

function tlsOptions(tls: "require" | "verify", authorities: string): ConnectionOptions["ssl"] {
  if (tls === "require") return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, verifyIdentity: true, ...(authorities === "" ? {} : { ca: authorities }) };
}

function factsOf([version, packet, local]: readonly MysqlValue[]): ServerFacts {
  const text = String(version);
  return {
    flavour: /mariadb/i.test(text) ? "mariadb" : "mysql",
    version: (/^\d+(\.\d+)*/.exec(text)?.[0] ?? "0").split(".").map(Number),
    packetBytesMax: Number(packet),
    allowsLocalInfile: Number(local) === 1,
  };
}

const changedOf = ({ affectedRows, warningStatus }: ResultSetHeader): Changed => ({ rows: affectedRows, warnings: warningStatus });
const bound = (values: readonly MysqlValue[]) =>
  values.map((value) =>
    value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value) : value
  ) as (string | number | Buffer | null)[];

function* chunksOf(bytes: Uint8Array, chunk: number): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += chunk) {
    yield Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(chunk, bytes.length - from));
  }
}

/** As it is, and as it stands in a URL. */
const hiddenOf = ({ password }: Login): string[] => [password, encodeURIComponent(password)];

async function attempt<T>(login: Login, phase: Phase, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw translated(error, serverOf(login.address), phase, hiddenOf(login));
  }
}
