/** What the server knows of a table, and names as SQL text. */
import { type ColumnType, parseColumnType } from "./column_type.ts";
import type { Session } from "./driver.ts";

export interface TableColumn {
  readonly name: string;
  /** As the server writes it: "LowCardinality(String)". */
  readonly declared: string;
  readonly type: ColumnType;
  /** Its values are computed by the server and cannot be written. */
  readonly isComputed: boolean;
}
export interface TableInfo {
  readonly name: string;
  /** "ReplacingMergeTree", "View", ... */
  readonly engine: string;
  /** With arguments, order and settings. */
  readonly engineText: string;
  /** Columns and expressions that the table is ordered by. */
  readonly order: readonly string[];
  readonly columns: readonly TableColumn[];
}

/** An identifier as SQL text, whatever it holds. */
export const quoted = (name: string): string => `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
export const columnOf = ({ columns }: TableInfo, name: string): TableColumn | undefined => columns.find((column) => column.name === name);

/** null where there is no such table or view in the connection's database. */
export async function tableInfo(session: Session, table: string): Promise<TableInfo | null> {
  const [found] = await session.select(
    "SELECT engine, engine_full, sorting_key FROM system.tables WHERE database = currentDatabase() AND name = {a0:String}",
    [table],
  );
  if (!found) return null;
  const columns = await session.select(
    "SELECT name, type, default_kind FROM system.columns WHERE database = currentDatabase() AND table = {a0:String} ORDER BY position",
    [table],
  );
  return {
    name: table,
    engine: String(found[0]),
    engineText: String(found[1]),
    order: namesOf(String(found[2])),
    columns: columns.map(([name, declared, kind]) => ({
      name: String(name),
      declared: String(declared),
      type: parseColumnType(String(declared)),
      isComputed: kind === "MATERIALIZED" || kind === "ALIAS",
    })),
  };
}

/** What a table is ordered by, as the server writes it: a, `b c`, or (a). */
function namesOf(order: string): string[] {
  const list = order.replace(/^\((.*)\)$/s, "$1");
  return list === "" ? [] : list.split(", ").map((name) => name.replace(/^`(.*)`$/s, "$1"));
}

/** How many inserts a table remembers the tokens of; 0: none. */
export async function tokenWindow(session: Session, { engine, engineText }: TableInfo): Promise<number> {
  const name = `${engine.startsWith("Replicated") || engine.startsWith("Shared") ? "" : "non_"}replicated_deduplication_window`;
  const stated = new RegExp(`\\b${name} = (\\d+)`).exec(engineText);
  if (stated) return Number(stated[1]);
  const [row] = await session.select("SELECT value FROM system.merge_tree_settings WHERE name = {a0:String}", [name]);
  return row ? Number(row[0]) : 0;
}
