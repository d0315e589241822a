/** What stands in a table, for whoever compares: one plain query, each value as the server's own text of it. */
import type { Delivered } from "../../component/component.ts";
import type { SqlServer } from "./server.ts";
import type { SqlSession } from "./session.ts";

export interface RowsQuery<S extends SqlSession> {
  readonly columns: readonly string[];
  readonly server: SqlServer<S>;
  isThere(session: S): Promise<boolean>;
  /** Gives a text for each column; SQL. */
  readonly sql: string;
}

/** A table that is not there has no rows. */
export async function readRows<S extends SqlSession>({ columns, server, isThere, sql }: RowsQuery<S>): Promise<Delivered> {
  try {
    const rows = await server.ask(async (session) => await isThere(session) ? await session.select(sql) : []);
    return { columns, rows: rows.map((row) => row.map(String)), order: "none" };
  } finally {
    server.close();
  }
}
