/** A proof's own database on a PostgreSQL server, and what stands in a table of it. */
import type { Delivered, PlanContext, ProofPlace } from "../../component/component.ts";
import type { World } from "../../ports/mod.ts";
import { homeOf } from "../sql/address.ts";
import { readRows } from "../sql/delivered_rows.ts";
import { proofDatabase } from "../sql/proof_database.ts";
import type { SqlServer } from "../sql/server.ts";
import type { Session } from "./driver.ts";
import type { PostgresAddress } from "./postgres_connection.ts";
import { postgresServer } from "./postgres_sink.ts";
import { quoted, tableInfo } from "./table_info.ts";

/** `table`: that is read; null for a sink. */
export function postgresProof(context: PlanContext, address: PostgresAddress, table: string | null): ProofPlace {
  const home = { ...address, ...homeOf(address), schema: "public" };
  const place = proofDatabase(context, address, table === null ? null : qualifiedName(address, table), {
    server: (world) => postgresServer(home, world),
    async make(session, database) {
      const [found] = await session.select("SELECT 1 FROM pg_database WHERE datname = $1", [database]);
      if (!found) await session.run(`CREATE DATABASE ${quoted(database)}`);
    },
    async remove(session, database) {
      // Of killed runs, which the server has not missed yet.
      await session.select("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [database]);
      await session.run(`DROP DATABASE IF EXISTS ${quoted(database)}`);
    },
  });
  return {
    ...place,
    async make(world) {
      await place.make(world);
      if (address.schema !== "public") await inDatabase(address, world, (session) => session.run(makeSchema(address.schema)));
    },
  };
}

const makeSchema = (schema: string): string => `CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`;

async function inDatabase<T>(address: PostgresAddress, world: World, action: (session: Session) => Promise<T>): Promise<T> {
  const server: SqlServer<Session> = postgresServer(address, world);
  try {
    return await server.ask(action);
  } finally {
    server.close();
  }
}

export function readPostgresRows(address: PostgresAddress, table: string, columns: readonly string[], world: World): Promise<Delivered> {
  const texts = columns.map((column) => `quote_nullable(${quoted(column)}::text)`);
  return readRows({
    columns,
    server: postgresServer(address, world),
    isThere: async (session) => await tableInfo(session, table) !== null,
    sql: `SELECT ${texts.join(", ")} FROM ${quoted(table)}`,
  });
}

/** As people read it: the usual schema is not named. */
export const qualifiedName = ({ schema }: PostgresAddress, table: string): string => `${schema === "public" ? "" : `${schema}.`}${table}`;
