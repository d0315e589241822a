/**
 * The only file that knows the drivers, pg and pg-copy-streams, which are loaded when a first connection is opened. Why these:
 * docs/decisions/postgres.md. Invariants: every error that leaves is ours (driver_errors.ts); values are parameters, never part of a
 * statement's text; all values arrive as the server's own text.
 */
import { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import { serverOf } from "../sql/address.ts";
import { LOCK_WAIT_SECONDS, SESSION_IDLE_SECONDS } from "../sql/limits.ts";
import { isLost, type Login, type SqlSession } from "../sql/session.ts";
import { type Phase, translated } from "./driver_errors.ts";
import { COPY_CHUNK_BYTES_MAX, KEEP_ALIVE_COUNT, KEEP_ALIVE_IDLE_SECONDS, KEEP_ALIVE_INTERVAL_SECONDS } from "./limits.ts";
import type { PostgresAddress } from "./postgres_connection.ts";
import { quoted } from "./table_info.ts";

/** The server's text; null for null. */
export type PostgresValue = string | null;
/** What a server is; asked once per connection. */
export interface ServerFacts {
  /** "15.4" */
  readonly version: string;
}

/** What is used of pg's client; the package brings no types. */
export interface Client {
  connect(): Promise<void>;
  end(): Promise<void>;
  on(event: "error" | "end", listener: () => void): void;
  query(question: { text: string; values?: readonly (string | number)[]; rowMode: "array" }): Promise<QueryResult>;
  query<S extends Writable | SubmittedQuery>(submitted: S): S;
  readonly connection: DriverConnection;
}
/** The connection below a client. */
export interface DriverConnection {
  readonly stream: { destroy(): void; pause(): void; resume(): void };
  query(text: string): void;
  /** One message of a COPY towards the server. */
  sendCopyFromChunk(bytes: Uint8Array): void;
}
/** A statement whose answer is not made of rows. */
export interface SubmittedQuery {
  submit(connection: DriverConnection): void;
  /** The bytes mean something during the call only. */
  handleCopyData(message: { readonly chunk: Uint8Array }): void;
  handleCommandComplete(): void;
  handleReadyForQuery(): void;
  /** The server's, or that of the network. */
  handleError(error: unknown): void;
}
export interface QueryResult {
  readonly rows: PostgresValue[][];
  readonly rowCount: number | null;
}
type CopyStream = Writable & { readonly rowCount: number };

/** Values keep their digits, times are UTC, waits for locks and for clients that stand still end; a commit is durable. */
const SESSION_SETTINGS = `SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET client_min_messages = warning;
SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 1; SET bytea_output = 'hex';
SET default_transaction_isolation = 'read committed';
SET lock_timeout = '${LOCK_WAIT_SECONDS}s'; SET idle_in_transaction_session_timeout = '${SESSION_IDLE_SECONDS}s';
SET tcp_keepalives_idle = ${KEEP_ALIVE_IDLE_SECONDS}; SET tcp_keepalives_interval = ${KEEP_ALIVE_INTERVAL_SECONDS};
SET tcp_keepalives_count = ${KEEP_ALIVE_COUNT};
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`;

/** A COPY under way. */
export interface OpenCopy {
  /** Bytes that the network has not taken yet. */
  pendingBytes(): number;
  /** Takes the bytes over: they must not be changed any more. What goes wrong is told by `end`. */
  add(bytes: Uint8Array): void;
  /** How many rows the server took. */
  end(): Promise<number>;
}

/** One connection, one statement at a time. */
export class Session implements SqlSession {
  #alive = true;
  private constructor(
    private readonly client: Client,
    private readonly login: Login,
    readonly facts: ServerFacts,
  ) {
    client.on("error", () => this.#alive = false);
    client.on("end", () => this.#alive = false);
  }

  /** Throws `postgres_unreachable` (retry) where nobody answers, `postgres_denied`, `postgres_database`, `postgres_tls` where the answer is no. */
  static async open(login: Login & { readonly address: PostgresAddress }): Promise<Session> {
    return await openClient(login, {}, async (client) => {
      await client.query({ text: SESSION_SETTINGS, rowMode: "array" });
      await client.query({ text: `SET search_path TO ${quoted(login.address.schema)}`, rowMode: "array" });
      const { rows: [[version]] } = await client.query({ text: "SHOW server_version", rowMode: "array" });
      return new Session(client, login, { version: String(version).split(" ")[0] });
    });
  }

  /** false once the connection was lost or closed. */
  get alive(): boolean {
    return this.#alive;
  }

  async select(sql: string, values: readonly (string | number)[] = []): Promise<PostgresValue[][]> {
    return (await this.#query(sql, values)).rows;
  }

  async run(sql: string, values: readonly (string | number)[] = []): Promise<{ readonly rows: number }> {
    return { rows: (await this.#query(sql, values)).rowCount ?? 0 };
  }

  /** COPY ... FROM STDIN: `bytes` is what is read. */
  async copy(sql: string, bytes: Uint8Array): Promise<number> {
    const copy = await this.openCopy(sql);
    for (let from = 0; from < bytes.length; from += COPY_CHUNK_BYTES_MAX) copy.add(bytes.subarray(from, from + COPY_CHUNK_BYTES_MAX));
    return await copy.end();
  }

  /** COPY ... FROM STDIN, fed piece by piece. Until it has ended, nothing else may be asked. */
  async openCopy(sql: string): Promise<OpenCopy> {
    const { from } = (await import("pg-copy-streams")).default as unknown as { from(sql: string): CopyStream };
    const stream = this.client.query(from(sql));
    const ended = Promise.withResolvers<void>();
    ended.promise.catch(() => {}); // Told to whoever ends it.
    let isOver = false;
    stream.on("error", (error) => {
      isOver = true;
      ended.reject(error);
    });
    stream.on("finish", ended.resolve);
    let pending = 0;
    return {
      pendingBytes: () => pending,
      add: (bytes) => {
        // The stream of a connection that has ended throws.
        if (isOver || !this.#alive) return;
        pending += bytes.length;
        stream.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), () => pending -= bytes.length);
      },
      end: () =>
        this.#ask(async () => {
          if (!isOver && !this.#alive) throw new Error("the connection has ended");
          if (!isOver) stream.end();
          await ended.promise;
          return stream.rowCount;
        }),
    };
  }

  async close(): Promise<void> {
    if (this.#alive) await this.client.end().catch(() => {});
    this.destroy();
  }
  destroy(): void {
    this.#alive = false;
    this.client.connection.stream.destroy();
  }

  async #query(text: string, values: readonly (string | number)[]): Promise<QueryResult> {
    // Without values in one round trip, and several statements are allowed.
    return await this.#ask(() => this.client.query(values.length > 0 ? { text, values, rowMode: "array" } : { text, rowMode: "array" }));
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

/** A client that is connected, with more options than every connection has, and what `begin` makes of it. */
export async function openClient<T>(
  login: Login & { readonly address: PostgresAddress },
  options: object,
  begin: (client: Client) => Promise<T>,
): Promise<T> {
  const { Client } = (await import("pg")).default as unknown as { Client: new (options: object) => Client };
  return await attempt(login, "connect", async () => {
    const client = new Client({ ...clientOptions(login), ...options });
    // What ends the connection while it is made is told by the question under way; nobody listening would end the process.
    client.on("error", () => {});
    try {
      await client.connect();
      return await begin(client);
    } catch (error) {
      client.connection.stream.destroy();
      throw error;
    }
  });
}

function clientOptions({ address, password, authorities }: Login): object {
  const { host, port, user, database, tls, connectTimeoutMs } = address;
  return {
    host,
    port,
    user,
    database,
    // A function: an empty text would make the driver look into the environment and the user's home.
    password: () => password,
    application_name: "millrace",
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_IDLE_SECONDS * 1000,
    types: { getTypeParser: () => (text: string) => text },
    ssl: tls === "off"
      ? false
      : tls === "require"
      ? { rejectUnauthorized: false }
      : { rejectUnauthorized: true, servername: host, ...(authorities === "" ? {} : { ca: authorities }) },
  };
}

/** As it is, and as it stands in a URL. */
const hiddenOf = ({ password }: Login): string[] => [password, encodeURIComponent(password)];

/** Errors of the action leave as ours. */
export async function attempt<T>(login: Login, phase: Phase, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw translated(error, serverOf(login.address), phase, hiddenOf(login));
  }
}
