/** Opening SQLite files, quoting, and transactions. The driver is loaded only when a file is opened. */
import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../data/fault.ts";
import type { Files } from "../../ports/mod.ts";
import { folderOf } from "../../ports/durable.ts";

export type Database = DatabaseSync;

export interface DatabaseOptions {
  readonly path: string;
  readonly busyTimeoutMs: number;
}

/** Opens the file, made where it is missing, in WAL mode: readers and the writer do not wait for one another. */
export async function openDatabase({ path, busyTimeoutMs }: DatabaseOptions, files: Files): Promise<Database> {
  const { DatabaseSync } = await import("node:sqlite");
  await files.makeFolder(folderOf(path));
  return wrapErrors(path, () => {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${Math.floor(busyTimeoutMs)}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
    return database;
  });
}

/** Runs `action` in one immediate transaction: all or nothing. */
export function inTransaction<T>(database: Database, path: string, action: () => T): T {
  return wrapErrors(path, () => {
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = action();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  });
}

/** An identifier as SQL text, whatever it holds. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A locked database may be tried again; everything else is told as it is, with the file. */
export function wrapErrors<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof MillraceError || !(cause instanceof Error)) throw cause;
    if (/database is locked|database is busy/.test(cause.message)) {
      throw new MillraceError("sqlite_locked", `${path} is locked by another process`, {
        hint: "another program holds a transaction open on it; raise busy_timeout if that is to be waited for",
        retry: "backoff",
        cause,
      });
    }
    throw new MillraceError("sqlite", `${path}: ${cause.message}`, { cause });
  }
}

export interface TableColumn {
  readonly name: string;
  /** As declared; "" without one. */
  readonly type: string;
  /** Place in the primary key from 1; 0: not in it. */
  readonly primaryKey: number;
}

/** The table's columns; empty where there is no such table. */
export function columnsOf(database: Database, table: string): TableColumn[] {
  const rows = database.prepare(`SELECT name, type, pk FROM pragma_table_info(?)`).all(table);
  return rows.map((row) => ({ name: String(row.name), type: String(row.type), primaryKey: Number(row.pk) }));
}
