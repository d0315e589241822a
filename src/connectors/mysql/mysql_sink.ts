/** What a sink into a MySQL table does in MySQL's way; the rest is that of every server (sql/table_sink.ts). */
import type { Sink } from "../../engine/contracts.ts";
import { placeOf, type ServerAddress } from "../sql/address.ts";
import { Markers } from "../sql/markers.ts";
import { type ServerWorld, SqlServer } from "../sql/server.ts";
import { SqlTableSink, type TableDialect } from "../sql/table_sink.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { Session } from "./driver.ts";
import { prepareTable } from "./prepare_table.ts";
import { type BulkLoad, putRows } from "./put_rows.ts";
import { compileRowText } from "./row_text.ts";
import { createMarkersSql, createRefusedSql, ROW_NUMBER } from "./table_ddl.ts";
import { columnOf, quoted, type TableInfo, tableInfo } from "./table_info.ts";
import { MARKER_TABLE } from "../sql/markers.ts";
import { REFUSED_TABLE, RefusedRecords } from "../sql/refused_records.ts";

export interface MysqlSinkOptions {
  readonly address: ServerAddress;
  readonly name: string;
  readonly target: TableTarget;
  /** Digits of decimal columns that are made. */
  readonly precision: number;
  readonly bulkLoad: "auto" | "off";
}

const markers = new Markers({ parameter: () => "?", raiseOwner: "ON DUPLICATE KEY UPDATE owner = GREATEST(owner, VALUES(owner))" });
const records = new RefusedRecords(() => "?");

/** The running sink. */
export function mysqlTableSink(options: MysqlSinkOptions, world: ServerWorld): Sink {
  const server = new SqlServer(options.address, world, (login) => Session.open(login));
  return new SqlTableSink(options.name, options.target, server, dialectOf(options, world));
}

function dialectOf({ target, precision, address, bulkLoad, name }: MysqlSinkOptions, world: ServerWorld): TableDialect<Session, TableInfo> {
  const refused = (reason: string): void => {
    world.log.event("warning", "bulk_load_refused", { sink: name, reason, instead: "INSERT" });
  };
  // Shared by the lanes: one refusal is enough.
  const bulk: BulkLoad = { allowed: bulkLoad === "auto", refused };
  return {
    markers,
    records,
    quoted,
    async makeMarkerTable(session) {
      // Looked for first: whoever may write to it need not be allowed to make it.
      if (!(await tableInfo(session, MARKER_TABLE))) await session.run(createMarkersSql(session.facts));
    },
    async makeRefusedTable(session) {
      if (!(await tableInfo(session, REFUSED_TABLE))) await session.run(createRefusedSql(session.facts));
    },
    prepareTable: (session) => prepareTable(session, { target, precision, place: placeOf(address) }),
    async tablesLike(session, prefix) {
      const sql =
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND LEFT(TABLE_NAME, CHAR_LENGTH(?)) = ?";
      return (await session.select(sql, [prefix, prefix])).map(([table]) => String(table));
    },
    makeStaging: async (session, staging) => void await session.run(`CREATE TABLE ${quoted(staging)} LIKE ${quoted(target.table)}`),
    async replaceRows(session, staging, table) {
      const list = target.columns.map(quoted).join(", ");
      const order = columnOf(table, ROW_NUMBER) ? ` ORDER BY ${quoted(ROW_NUMBER)}` : "";
      await session.run(`DELETE FROM ${quoted(target.table)}`);
      await session.run(`INSERT INTO ${quoted(target.table)} (${list}) SELECT ${list} FROM ${quoted(staging)}${order}`);
    },
    putter: (table, into) => ({
      encode: compileRowText(target, table),
      put: (session, rows) => putRows(session, { table: into, columns: target.columns, mode: target.mode, key: target.key }, rows, bulk),
    }),
  };
}
