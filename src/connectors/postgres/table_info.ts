/** What the server knows of a table in the connection's schema, and names as SQL text. */
import { assert } from "../../data/fault.ts";
import type { PostgresValue, Session } from "./driver.ts";

export interface TableColumn {
  readonly name: string;
  /** The type's own name, of a domain its base's: "int4", "numeric", "varchar", "_text" for an array. */
  readonly type: string;
  /** As declared, to be written in SQL: "numeric(12,2)", "timestamp with time zone". */
  readonly declared: string;
  readonly nullable: boolean;
  /** Made of a list of names. */
  readonly isEnum: boolean;
  /** Decimals of a numeric, null without a bound; of seconds: see `secondDecimals`. */
  readonly scale: number | null;
  /** Characters of a varchar or char; null without a bound. */
  readonly lengthMax: number | null;
  readonly secondDecimals: number;
  /** The server computes it: rows may not give it. */
  readonly isGenerated: boolean;
}
export interface UniqueIndex {
  readonly name: string;
  readonly isPrimary: boolean;
  readonly columns: readonly string[];
}
export interface TableInfo {
  readonly name: string;
  /** "table", or what else it is. */
  readonly kind: "table" | "unlogged table" | "view" | "foreign table" | "other";
  readonly columns: readonly TableColumn[];
  /** Over whole columns and all rows, the primary key first. */
  readonly uniqueIndexes: readonly UniqueIndex[];
}

/** An identifier as SQL text, whatever it holds. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
/** The column of a name; upper and lower case are told apart. */
export const columnOf = ({ columns }: TableInfo, name: string): TableColumn | undefined => columns.find((column) => column.name === name);

const TABLE_SQL = `SELECT c.oid, c.relkind, c.relpersistence FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = current_schema() AND c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;
const COLUMNS_SQL = `SELECT a.attname, b.typname, format_type(a.atttypid, a.atttypmod), a.attnotnull OR t.typnotnull,
    CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, b.typtype = 'e', a.attgenerated <> '' OR a.attidentity = 'a'
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;
const INDEXES_SQL = `SELECT i.relname, x.indisprimary, a.attname
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
  CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place)
  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
  WHERE x.indrelid = $1 AND x.indisunique AND x.indisvalid AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL
    AND k.place <= x.indnkeyatts
  ORDER BY NOT x.indisprimary, i.relname, k.place`;

/** null where there is no such table or view in the connection's schema. */
export async function tableInfo(session: Session, table: string): Promise<TableInfo | null> {
  const [found] = await session.select(TABLE_SQL, [table]);
  if (!found) return null;
  const oid = String(found[0]);
  const columns = await session.select(COLUMNS_SQL, [oid]);
  return {
    name: table,
    kind: kindOf(String(found[1]), String(found[2])),
    columns: columns.map(columnInfo),
    uniqueIndexes: uniqueIndexes(await session.select(INDEXES_SQL, [oid])),
  };
}

function kindOf(kind: string, persistence: string): TableInfo["kind"] {
  switch (kind) {
    case "r":
    case "p":
      return persistence === "u" ? "unlogged table" : "table";
    case "v":
      return "view";
    case "f":
      return "foreign table";
    default:
      return "other";
  }
}

const LENGTH_TYPES = new Set(["varchar", "bpchar"]);
const TIME_TYPES = new Set(["timestamp", "timestamptz", "time", "timetz"]);
/** What a modifier is counted from. */
const MODIFIER_HEAD = 4;
/** Six decimals is what the server keeps at most. */
const SECOND_DECIMALS_MAX = 6;

function columnInfo([name, type, declared, notNull, modifier, isEnum, isGenerated]: readonly PostgresValue[]): TableColumn {
  assert(name !== null && type !== null && declared !== null, "the catalogue names every column and its type");
  const bound = Number(modifier);
  const isTime = TIME_TYPES.has(type) && bound >= 0;
  return {
    name,
    type,
    declared,
    nullable: notNull !== "t",
    isEnum: isEnum === "t",
    scale: type === "numeric" && bound >= MODIFIER_HEAD ? signed11((bound - MODIFIER_HEAD) & 0x7ff) : null,
    lengthMax: LENGTH_TYPES.has(type) && bound >= MODIFIER_HEAD ? bound - MODIFIER_HEAD : null,
    secondDecimals: isTime ? bound : SECOND_DECIMALS_MAX,
    isGenerated: isGenerated === "t",
  };
}
/** A scale below zero, as version 15 and later allow it, stands in eleven bits. */
const signed11 = (bits: number): number => (bits ^ 1024) - 1024;

function uniqueIndexes(rows: readonly (readonly PostgresValue[])[]): UniqueIndex[] {
  const indexes = new Map<string, { isPrimary: boolean; columns: string[] }>();
  for (const [name, isPrimary, column] of rows) {
    const index = indexes.get(String(name)) ?? { isPrimary: isPrimary === "t", columns: [] };
    index.columns.push(String(column));
    indexes.set(String(name), index);
  }
  return [...indexes].map(([name, index]) => ({ name, ...index }));
}
