/**
 * The only file that knows the client, @clickhouse/client, which is loaded when a server is first asked. Why this one:
 * docs/decisions/clickhouse.md. Invariants: every error that leaves is ours (driver_errors.ts); values are parameters, never part of a
 * statement; an insert has been taken whole when it returns.
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import type { ClickHouseClient, ClickHouseSettings } from "@clickhouse/client";
import { serverOf } from "../sql/address.ts";
import type { Login, SqlSession } from "../sql/session.ts";
import { translated } from "./driver_errors.ts";
import { SEND_CHUNK_BYTES_MAX } from "./limits.ts";

/** How requests are made. */
export interface RequestOptions {
  readonly timeoutMs: number;
  readonly compression: "gzip" | "none";
}
type Value = string | number;

/** The insert is taken before it is answered, and errors come as such, not behind a good status. */
const INSERT_SETTINGS: ClickHouseSettings = {
  async_insert: 0,
  wait_end_of_query: 1,
  // Rows of many days in one insert are slow for the server, not wrong.
  throw_on_max_partitions_per_insert_block: 0,
};

/** A server as one user of one database sees it. Requests do not depend on one another. */
export class Session implements SqlSession {
  #alive = true;
  private constructor(
    private readonly client: ClickHouseClient,
    private readonly login: Login,
    /** "26.7.2.1" */
    readonly version: string,
  ) {}

  /** Throws `clickhouse_unreachable` (wait) where nobody answers, `clickhouse_denied` and others where the answer is no. */
  static async open(login: Login, options: RequestOptions): Promise<Session> {
    return await Session.#connect(login, options, true);
  }
  /** As `open`, whether the database exists or not. */
  static async openServer(login: Login, options: RequestOptions): Promise<Session> {
    return await Session.#connect(login, options, false);
  }

  static async #connect(login: Login, { timeoutMs, compression }: RequestOptions, withDatabase: boolean): Promise<Session> {
    const { createClient } = await import("@clickhouse/client");
    const { address, password, authorities } = login;
    const client = createClient({
      url: serverOf(address),
      username: address.user,
      password,
      ...(withDatabase ? { database: address.database } : {}),
      request_timeout: timeoutMs,
      compression: { request: compression === "gzip", response: false },
      log: { LoggerClass: SilentLogger },
      ...(authorities === "" ? {} : { tls: { ca_cert: Buffer.from(authorities) } }),
    });
    const asking = new Session(client, login, "");
    try {
      const [[version]] = await asking.select("SELECT version()");
      return new Session(client, login, String(version));
    } catch (error) {
      await asking.close();
      throw error;
    }
  }

  get alive(): boolean {
    return this.#alive;
  }

  /**
   * Rows of a query, values in the order of its columns, as JSON has them. Parameters are {a0:String}, {a1:Int64}, ... No setting is sent:
   * users who may only read cannot change any.
   */
  async select(sql: string, values: readonly Value[] = []): Promise<unknown[][]> {
    return await this.#attempt(async () => {
      const answer = await this.client.query({ query: sql, format: "JSONCompactEachRow", query_params: named(values) });
      return await answer.json<unknown[]>();
    });
  }

  /** A change, with its values as parameters. How many rows it changed is not told by this server. */
  async run(sql: string, values: readonly Value[] = []): Promise<{ readonly rows: number }> {
    return await this.#attempt(async () => {
      await this.client.command({ query: sql, query_params: named(values), clickhouse_settings: INSERT_SETTINGS });
      return { rows: 0 };
    });
  }

  /** Rows in RowBinary: `sql` is INSERT ... FORMAT RowBinary. A `token` names the block for the server's own deduplication. */
  async insert(sql: string, rows: Uint8Array, token = ""): Promise<void> {
    await this.#attempt(async () => {
      const named = token === "" ? {} : { insert_deduplication_token: token, insert_deduplicate: 1 } as const;
      const { stream } = await this.client.exec({
        query: sql,
        values: Readable.from(chunksOf(rows), { objectMode: false }),
        clickhouse_settings: { ...INSERT_SETTINGS, ...named },
      });
      for await (const _ of stream);
    });
  }

  async close(): Promise<void> {
    this.#alive = false;
    await this.client.close().catch(() => {});
  }
  destroy(): void {
    void this.close();
  }

  async #attempt<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      const { password } = this.login;
      throw translated(error, serverOf(this.login.address), [password, encodeURIComponent(password)]);
    }
  }
}

const named = (values: readonly Value[]): Record<string, Value> => Object.fromEntries(values.map((value, at) => [`a${at}`, value]));

function* chunksOf(bytes: Uint8Array): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += SEND_CHUNK_BYTES_MAX) {
    yield Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(SEND_CHUNK_BYTES_MAX, bytes.length - from));
  }
}

/** What it would print stands in the errors that it throws, which are told by us. */
class SilentLogger {
  trace(): void {}
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}
