/** Opening SQLite files, quoting, and transactions. The driver is loaded only when a file is opened. */
import type { DatabaseSync } from "node:sqlite";
import { MillraceError } from "../../data/fault.ts";
import type { Files } from "../../ports/mod.ts";
import { type Refusal, REFUSALS, RowRefused } from "../sql/row_refused.ts";
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
    const refused = rowRefused(path, cause);
    if (refused) throw refused;
    throw new MillraceError("sqlite", `${path}: ${cause.message}`, { cause });
  }
}

/** SQLite's extended result codes for what a row does wrong. */
const REFUSED: ReadonlyMap<number, Refusal> = new Map<number, Refusal>([
  [18, "too-long"],
  [275, "check"],
  [787, "reference"],
  [1299, "missing"],
  [1555, "duplicate"],
  [1811, "trigger"],
  [2067, "duplicate"],
  [3091, "type"],
]);

/** A constraint that a row does not meet; null for everything else. */
function rowRefused(path: string, cause: Error & { readonly errcode?: unknown }): RowRefused | null {
  const refusal = REFUSED.get(Number(cause.errcode));
  if (!refusal) return null;
  // A trigger's message is its author's, and may quote anything; the others name columns and checks.
  const said = refusal === "trigger" ? REFUSALS.trigger : cause.message;
  // A check without a name is told by its expression: that is no place.
  const place = /constraint failed: (?:\w+\.)?(\w+)$|column (?:\w+\.)?(\w+)$/.exec(said);
  return new RowRefused("sqlite", `${path}: ${said}`, refusal, place?.[1] ?? place?.[2] ?? null);
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
