/** What a sink into a PostgreSQL table does in PostgreSQL's way; the rest is that of every server (sql/table_sink.ts). */
import type { Sink } from "../../engine/contracts.ts";
import { placeOf } from "../sql/address.ts";
import { MARKER_TABLE, Markers } from "../sql/markers.ts";
import { RefusedRecords } from "../sql/refused_records.ts";
import { type ServerWorld, SqlServer } from "../sql/server.ts";
import { SqlTableSink, type TableDialect } from "../sql/table_sink.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { compileKeeping } from "./column_fit.ts";
import { Session } from "./driver.ts";
import type { PostgresAddress } from "./postgres_connection.ts";
import { makeMarkerTable, makeRefusedTable, prepareTable } from "./prepare_table.ts";
import { rowPutter } from "./put_rows.ts";
import { compileRowText, type NulText } from "./row_text.ts";
import { runSetup } from "./setup.ts";
import { ROW_NUMBER } from "./table_ddl.ts";
import { columnOf, quoted, type TableInfo } from "./table_info.ts";

export interface PostgresSinkOptions {
  readonly address: PostgresAddress;
  readonly name: string;
  readonly target: TableTarget;
  /** Digits of decimal columns that are made. */
  readonly precision: number;
  readonly nul: NulText;
}

const markers = new Markers({
  parameter: (at) => `$${at}`,
  raiseOwner: `ON CONFLICT (pipeline, sink, lane) DO UPDATE SET owner = GREATEST(${MARKER_TABLE}.owner, EXCLUDED.owner)`,
});
const records = new RefusedRecords((at) => `$${at}`);

const SILENCE_SQL = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND application_name = $1 AND pid <> pg_backend_pid()`;

/** The running sink. */
export function postgresTableSink(options: PostgresSinkOptions, world: ServerWorld): Sink {
  return new SqlTableSink(options.name, options.target, postgresServer(options.address, world), dialectOf(options, world));
}
/** A server whose sessions look at the address's schema. */
export function postgresServer(address: PostgresAddress, world: ServerWorld): SqlServer<Session> {
  return new SqlServer(address, world, (login) => Session.open({ ...login, address }));
}

function dialectOf({ target, precision, address, nul }: PostgresSinkOptions, world: ServerWorld): TableDialect<Session, TableInfo> {
  return {
    markers,
    records,
    quoted,
    makeMarkerTable,
    makeRefusedTable,
    async prepareTable(session) {
      await runSetup(session, address.setup, world);
      return await prepareTable(session, { target, precision, place: placeOf(address) });
    },
    async tablesLike(session, prefix) {
      const sql = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND left(tablename::text, char_length($1)) = $1";
      return (await session.select(sql, [prefix])).map(([table]) => String(table));
    },
    makeStaging: async (session, staging) =>
      void await session.run(`CREATE TABLE IF NOT EXISTS ${quoted(staging)} (LIKE ${quoted(target.table)} INCLUDING ALL)`),
    async replaceRows(session, staging, table) {
      const list = target.columns.map(quoted).join(", ");
      const order = columnOf(table, ROW_NUMBER) ? ` ORDER BY ${quoted(ROW_NUMBER)}` : "";
      await session.run(`DELETE FROM ${quoted(target.table)}`);
      await session.run(`INSERT INTO ${quoted(target.table)} (${list}) SELECT ${list} FROM ${quoted(staging)}${order}`);
    },
    putter: (table, into, claim) => ({
      encode: compileRowText(target, table, nul),
      ...compileKeeping(target, table),
      // Constraints that wait for the commit would refuse an epoch, and say nothing of the row.
      checkAtOnce: async (session) => void await session.run("SET CONSTRAINTS ALL IMMEDIATE"),
      ...rowPutter({ table: into, columns: target.columns, mode: target.mode, key: target.key }, table),
      // Shown to administrators too.
      claim: async (session) => void await session.run(`SET application_name = 'millrace ${claim}'`),
      // A process that stands still in the middle of a COPY is idle in no sense of the server's.
      silenceOlder: async (session) => void await session.select(SILENCE_SQL, [`millrace ${claim}`]),
    }),
  };
}
