/** What stands in a table, for whoever compares. */
import type { Delivered } from "../../component/component.ts";
import type { Files } from "../../ports/mod.ts";
import { columnsOf, type DatabaseOptions, openDatabase, quoted, wrapErrors } from "./database.ts";

/** A table that is not there has no rows. */
export async function readTableRows(options: DatabaseOptions, table: string, files: Files): Promise<Delivered> {
  const database = await openDatabase(options, files);
  try {
    return wrapErrors(options.path, () => {
      const columns = columnsOf(database, table).map(({ name }) => name);
      if (columns.length === 0) return { columns, rows: [], order: "none" };
      // The database's own text of each value: integers beyond a double stay exact.
      const texts = columns.map((column) => `quote(${quoted(column)}) AS ${quoted(column)}`).join(", ");
      const rows = database.prepare(`SELECT ${texts} FROM ${quoted(table)}`).all();
      return { columns, rows: rows.map((row) => columns.map((column) => String(row[column]))), order: "none" };
    });
  } finally {
    database.close();
  }
}
