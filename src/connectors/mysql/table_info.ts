/** What the server knows of a table, and names as SQL text. */
import type { Session } from "./driver.ts";

export interface TableColumn {
  readonly name: string;
  /** Lower case, without size: "bigint", "decimal", "varchar". */
  readonly type: string;
  /** As declared: "bigint(20) unsigned", "decimal(18,2)". */
  readonly declared: string;
  readonly nullable: boolean;
  /** Decimals of seconds; 0 for types without. */
  readonly secondDecimals: number;
}
export interface UniqueIndex {
  readonly name: string;
  /** In its order; null for an expression or the beginning of a column. */
  readonly columns: readonly (string | null)[];
}
export interface TableInfo {
  readonly name: string;
  readonly columns: readonly TableColumn[];
  /** The primary key first. */
  readonly uniqueIndexes: readonly UniqueIndex[];
  /** "" for a view. */
  readonly engine: string;
}

/** An identifier as SQL text, whatever it holds. */
export const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
/** Column names are compared as the server does: without case. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
/** The column of a name. */
export const columnOf = ({ columns }: TableInfo, name: string): TableColumn | undefined =>
  columns.find((column) => sameName(column.name, name));

/** null where there is no such table or view in the connection's database. */
export async function tableInfo(session: Session, table: string): Promise<TableInfo | null> {
  const [found] = await session.select(
    "SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?",
    [table],
  );
  if (!found) return null;
  const columns = await session.select(
    `SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, DATETIME_PRECISION FROM information_schema.COLUMNS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`,
    [table],
  );
  return {
    name: table,
    engine: text(found[1] ?? ""),
    columns: columns.map(([name, type, declared, nullable, decimals]) => ({
      name: text(name),
      type: text(type).toLowerCase(),
      declared: text(declared),
      nullable: text(nullable) === "YES",
      secondDecimals: Number(decimals ?? 0),
    })),
    uniqueIndexes: await uniqueIndexes(session, table),
  };
}

async function uniqueIndexes(session: Session, table: string): Promise<UniqueIndex[]> {
  const rows = await session.select(
    `SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND NON_UNIQUE = 0 ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX`,
    [table],
  );
  const indexes = new Map<string, (string | null)[]>();
  for (const [name, column, part] of rows) {
    const index = indexes.get(text(name)) ?? [];
    index.push(column === null || part !== null ? null : text(column));
    indexes.set(text(name), index);
  }
  return [...indexes].map(([name, columns]) => ({ name, columns }));
}

/** Whether the engine can take back what a transaction did: without that nothing is exactly once. */
export async function isTransactional(session: Session, engine: string): Promise<boolean> {
  const [row] = await session.select("SELECT TRANSACTIONS FROM information_schema.ENGINES WHERE ENGINE = ?", [engine]);
  return row !== undefined && text(row[0]) === "YES";
}

const decoder = new TextDecoder();
/** MySQL 8 gives some of its own names as bytes. */
const text = (value: unknown): string => value instanceof Uint8Array ? decoder.decode(value) : String(value);
