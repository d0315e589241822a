/** Tables of the serving store as text, for comparing with the oracle's rows. */
import type { DatabaseSync } from "node:sqlite";

/** All rows as text, in the order of the first column; null is "". `columns`: null for all. */
export function tableRows(database: DatabaseSync, table: string, columns: readonly string[] | null): string[][] {
  const rows = database.prepare(`SELECT ${columns?.join(", ") ?? "*"} FROM ${table} ORDER BY 1`).all();
  return rows.map((row) => Object.values(row).map((value) => value === null ? "" : String(value)));
}
