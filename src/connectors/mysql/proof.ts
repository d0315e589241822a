/** A proof's own database on a MySQL or MariaDB server, and what stands in a table of it. */
import type { Delivered, PlanContext, ProofPlace } from "../../component/component.ts";
import type { World } from "../../ports/mod.ts";
import { homeOf, type ServerAddress } from "../sql/address.ts";
import { readRows } from "../sql/delivered_rows.ts";
import { proofDatabase } from "../sql/proof_database.ts";
import { type ServerWorld, SqlServer } from "../sql/server.ts";
import { Session } from "./driver.ts";
import { quoted, tableInfo } from "./table_info.ts";

const serverOf = (address: ServerAddress, world: ServerWorld): SqlServer<Session> =>
  new SqlServer(address, world, (login) => Session.open(login));

/** `table`: that is read; null for a sink. */
export function mysqlProof(context: PlanContext, address: ServerAddress, table: string | null): ProofPlace {
  return proofDatabase(context, address, table, {
    server: (world) => serverOf(homeOf(address), world),
    make: async (session, database) => void await session.run(`CREATE DATABASE IF NOT EXISTS ${quoted(database)}`),
    remove: async (session, database) => void await session.run(`DROP DATABASE IF EXISTS ${quoted(database)}`),
  });
}

export function readMysqlRows(address: ServerAddress, table: string, columns: readonly string[], world: World): Promise<Delivered> {
  const texts = columns.map((column) => `QUOTE(CAST(${quoted(column)} AS CHAR))`);
  return readRows({
    columns,
    server: serverOf(address, world),
    isThere: async (session) => await tableInfo(session, table) !== null,
    sql: `SELECT ${texts.join(", ")} FROM ${quoted(table)}`,
  });
}
