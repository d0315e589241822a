/** Before rows go into a table: it is there, or made; it has the columns, and they can keep the fields; its keys allow the mode. */
import { MillraceError } from "../../data/fault.ts";
import { inTransaction } from "../sql/session.ts";
import { MARKER_TABLE } from "../sql/markers.ts";
import { REFUSED_TABLE } from "../sql/refused_records.ts";
import { columnsMissing, tableMissing } from "../sql/table_faults.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { requireColumnTypes } from "./column_fit.ts";
import type { Session } from "./driver.ts";
import { MAKING_LOCK } from "./limits.ts";
import { CREATE_MARKERS_SQL, CREATE_REFUSED_SQL, createTableSql } from "./table_ddl.ts";
import { columnOf, type TableInfo, tableInfo } from "./table_info.ts";

export interface TableRequest {
  readonly target: TableTarget;
  /** Digits of decimal columns that are made. */
  readonly precision: number;
  /** Names the database in faults. */
  readonly place: string;
}

/** The table as it is, or as it was made. */
export async function prepareTable(session: Session, request: TableRequest): Promise<TableInfo> {
  const { target, precision, place } = request;
  const { table, create } = target;
  if (create === "create") await makeUnlessThere(session, table, createTableSql(target, precision));
  const found = await tableInfo(session, table);
  if (!found) throw tableMissing(table, place, "make it, or add create = true to the sink");
  requireFit(found, request);
  return found;
}

/** Makes the table of markers where it is missing. */
export const makeMarkerTable = (session: Session): Promise<void> => makeUnlessThere(session, MARKER_TABLE, CREATE_MARKERS_SQL);

/** Makes the table of refused rows where it is missing. */
export const makeRefusedTable = (session: Session): Promise<void> => makeUnlessThere(session, REFUSED_TABLE, CREATE_REFUSED_SQL);

/** Looked for first: whoever may write to it need not be allowed to make it. IF NOT EXISTS would fail where two make it at once. */
async function makeUnlessThere(session: Session, table: string, sql: string): Promise<void> {
  if (await tableInfo(session, table)) return;
  await inTransaction(session, async () => {
    await session.select("SELECT pg_advisory_xact_lock($1)", [MAKING_LOCK]);
    if (!(await tableInfo(session, table))) await session.run(sql);
  });
}

/** Throws where the table as it is cannot take the rows as the mode promises. */
export function requireFit(found: TableInfo, { target, place }: TableRequest): void {
  const { table, columns } = target;
  const missing = columns.filter((name) => !columnOf(found, name));
  if (missing.length > 0) {
    const hint = "name the columns to write in `columns`; PostgreSQL tells upper case from lower";
    throw columnsMissing({ table, place, missing, found: found.columns.map(({ name }) => name), hint });
  }
  if (found.kind !== "table") {
    throw new MillraceError("table_kind", `"${table}" in ${place} is no table that keeps what was committed, but: ${found.kind}`, {
      hint: found.kind === "unlogged table" ? "the server empties it after a crash: ALTER TABLE ... SET LOGGED" : "write to a table",
    });
  }
  requireColumnTypes(target, found, place);
  requireKey(target, found, place);
}

function requireKey({ table, mode, key }: TableTarget, { uniqueIndexes }: TableInfo, place: string): void {
  if (mode !== "upsert" && mode !== "ignore") return;
  const isKey = (columns: readonly string[]) => columns.length === key.length && key.every((name) => columns.includes(name));
  if (uniqueIndexes.some(({ columns }) => isKey(columns))) return;
  throw new MillraceError("key_missing", `table "${table}" in ${place} has no unique index on ${key.join(", ")}`, {
    hint: `mode = "${mode}" finds rows by it: add one, or name the table's key in \`key\``,
  });
}
