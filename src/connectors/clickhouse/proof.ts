/** A proof's own database on a ClickHouse server, and what readers of a table or view of it see. */
import type { Delivered, PlanContext, ProofPlace } from "../../component/component.ts";
import type { World } from "../../ports/mod.ts";
import { readRows } from "../sql/delivered_rows.ts";
import { proofDatabase } from "../sql/proof_database.ts";
import { SqlServer } from "../sql/server.ts";
import type { ClickhouseConnection } from "./clickhouse_connection.ts";
import { Session } from "./driver.ts";
import { quoted, tableInfo } from "./table_info.ts";

/** `table`: that is read; null for a sink. */
export function clickhouseProof(context: PlanContext, { address, request }: ClickhouseConnection, table: string | null): ProofPlace {
  return proofDatabase(context, address, table, {
    server: (world) => new SqlServer(address, world, (login) => Session.openServer(login, request)),
    make: async (session, database) => void await session.run(`CREATE DATABASE IF NOT EXISTS ${quoted(database)}`),
    remove: async (session, database) => void await session.run(`DROP DATABASE IF EXISTS ${quoted(database)}`),
  });
}

export function readClickhouseRows(
  { address, request }: ClickhouseConnection,
  table: string,
  columns: readonly string[],
  world: World,
): Promise<Delivered> {
  const texts = columns.map((column) => `ifNull(concat('''', toString(${quoted(column)}), ''''), 'NULL')`);
  return readRows({
    columns,
    server: new SqlServer(address, world, (login) => Session.open(login, request)),
    isThere: async (session) => await tableInfo(session, table) !== null,
    sql: `SELECT ${texts.join(", ")} FROM ${quoted(table)}`,
  });
}
