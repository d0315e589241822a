/** Slots and publications as the server knows them, and what is wrong with them. Everything here is asked over an ordinary session. */
import { MillraceError } from "../../../data/fault.ts";
import { tableMissing } from "../../sql/table_faults.ts";
import type { Session } from "../driver.ts";
import { quoted, type TableInfo, tableInfo } from "../table_info.ts";
import { lsnText, parseLsn } from "./lsn.ts";

/** Which changes are read, and over what. */
export interface SlotOptions {
  readonly slot: string;
  readonly publication: string;
  /** A missing slot and publication are made. */
  readonly create: boolean;
  /** For people: the database, without credentials. */
  readonly place: string;
}
export interface SlotFacts {
  readonly plugin: string;
  readonly database: string;
  /** The process that reads it now. */
  readonly activePid: number | null;
  /** What commits before is not sent any more. */
  readonly confirmedLsn: number;
  /** "lost" where the server has removed what the slot needs. */
  readonly walStatus: string;
  /** Bytes of the log that the server keeps for it. */
  readonly heldBytes: number;
}
/** A table as far as its changes go. */
export interface ChangedTable extends TableInfo {
  readonly identity: "default" | "full" | "index" | "nothing";
  readonly primaryKey: readonly string[];
  /** Columns with long values, which an update that does not touch them does not tell. */
  readonly longColumns: readonly string[];
  /** Names of the types of its columns, of domains their bases', by number. */
  readonly types: ReadonlyMap<number, string>;
}

const HERE = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END";
const SLOT_SQL = `SELECT plugin, database, active_pid, coalesce(confirmed_flush_lsn, restart_lsn), to_jsonb(s) ->> 'wal_status',
    pg_wal_lsn_diff(${HERE}, restart_lsn)
  FROM pg_replication_slots s WHERE slot_name = $1`;
const TABLE_SQL = `SELECT c.relreplident, a.attname, a.atttypid, b.typname, a.attlen = -1 AND a.attstorage IN ('x', 'e', 'm')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
  JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  WHERE n.nspname = current_schema() AND c.relname = $1 AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`;
const IDENTITIES: Readonly<Record<string, ChangedTable["identity"]>> = { d: "default", f: "full", i: "index", n: "nothing" };

/** null where there is no such slot. */
export async function slotFacts(session: Session, slot: string): Promise<SlotFacts | null> {
  const [found] = await session.select(SLOT_SQL, [slot]);
  if (!found) return null;
  const [plugin, database, activePid, confirmed, walStatus, held] = found;
  return {
    plugin: plugin ?? "",
    database: database ?? "",
    activePid: activePid === null ? null : Number(activePid),
    confirmedLsn: confirmed === null ? 0 : parseLsn(confirmed),
    walStatus: walStatus ?? "",
    heldBytes: Number(held ?? 0),
  };
}

/** Where the log is now. */
export async function logEnd(session: Session): Promise<number> {
  return parseLsn(String((await session.select(`SELECT ${HERE}`))[0][0]));
}

/** Throws `table_missing`, and `table_kind` for what has no changes: a view, a table that is not logged. */
export async function changedTable(session: Session, table: string, place: string): Promise<ChangedTable> {
  const info = await tableInfo(session, table);
  if (!info) throw tableMissing(table, place, "check the name, and the schema of the connection");
  if (info.kind !== "table") {
    throw new MillraceError("table_kind", `${table} in ${place} is a ${info.kind}: the server writes no changes of it into its log`, {
      hint: 'read it as it is, with read = "rows", or read the tables behind it',
    });
  }
  const rows = await session.select(TABLE_SQL, [table]);
  return {
    ...info,
    identity: IDENTITIES[String(rows[0]?.[0])] ?? "nothing",
    primaryKey: info.uniqueIndexes.find(({ isPrimary }) => isPrimary)?.columns ?? [],
    longColumns: rows.filter((row) => row[4] === "t").map((row) => String(row[1])),
    types: new Map(rows.map((row) => [Number(row[2]), String(row[3])])),
  };
}

/** Which of the tables the publication does not have; null where there is no such publication. */
export async function unpublished(session: Session, publication: string, tables: readonly string[]): Promise<string[] | null> {
  if ((await session.select("SELECT 1 FROM pg_publication WHERE pubname = $1", [publication])).length === 0) return null;
  const sql = "SELECT tablename FROM pg_publication_tables WHERE pubname = $1 AND schemaname = current_schema()";
  const published = new Set((await session.select(sql, [publication])).map(([name]) => name));
  return tables.filter((table) => !published.has(table));
}

/** Has the publication have the tables: made and extended where that is allowed, else `publication_missing`. */
export async function preparePublication(session: Session, options: SlotOptions, tables: readonly string[]): Promise<void> {
  const { publication, create, place } = options;
  const missing = await unpublished(session, publication, tables);
  if (missing?.length === 0) return;
  if (!create) {
    const what = missing === null ? `there is no publication ${publication} in ${place}` : `${publication} lacks ${missing.join(", ")}`;
    throw new MillraceError("publication_missing", what, { hint: "add create = true to the source, or make it as the tables' owner" });
  }
  const list = (missing ?? tables).map(quoted).join(", ");
  await session.run(
    missing === null
      // A partitioned table's rows come under its own name.
      ? `CREATE PUBLICATION ${quoted(publication)} FOR TABLE ${list} WITH (publish_via_partition_root = true)`
      : `ALTER PUBLICATION ${quoted(publication)} ADD TABLE ${list}`,
  );
}

/** Throws where the server keeps no log that changes could be read from. */
export async function requireLogicalLog(session: Session, place: string): Promise<void> {
  const [[level]] = await session.select("SHOW wal_level");
  if (level === "logical") return;
  throw new MillraceError("wal_level", `the server of ${place} writes its log with wal_level = ${level}`, {
    hint: "set wal_level = logical in its configuration and restart it",
  });
}

/** Throws where the slot is no slot of ours, or cannot send any more. */
export function requireUsable(facts: SlotFacts, { slot, place }: SlotOptions, database: string): void {
  if (facts.plugin !== "pgoutput" || facts.database !== database) {
    const what = `the slot ${slot} is one of plugin ${facts.plugin} in database ${facts.database}`;
    throw new MillraceError("slot_kind", `${place}: ${what}`, { hint: "name another slot" });
  }
  if (facts.walStatus === "lost") {
    throw changesLost(`the server has removed log that the slot ${slot} needs (max_slot_wal_keep_size, or idle_replication_slot_timeout)`);
  }
}

/** Throws where the slot does not go back to `lsn`. */
export function requireReach(facts: SlotFacts, slot: string, lsn: number): void {
  if (facts.confirmedLsn <= lsn) return;
  throw changesLost(
    `the slot ${slot} stands at ${lsnText(facts.confirmedLsn)}, the checkpoint at ${lsnText(lsn)}: ` +
      `what was committed between them is not sent any more, because somebody else read or moved the slot, or made it anew`,
  );
}

/** Changes are missing for ever. */
export function changesLost(what: string): MillraceError {
  return new MillraceError("changes_lost", what, {
    hint: "what is missing cannot be read again: start over with --rerun, which copies the tables as they are and goes on from there",
  });
}
