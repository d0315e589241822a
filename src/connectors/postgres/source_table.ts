/** One table as a source reads it: its fields, the key that orders it, pages of rows, and a digest of all. */
import { decodedType } from "../sql/decoded_type.ts";
import { notReadable, tableMissing } from "../sql/table_faults.ts";
import { type FoundTable, type PageRequest, presentFields, type TableQueries, type TableRead } from "../sql/table_source.ts";
import { columnJson, selectedColumn, timeForm } from "./column_json.ts";
import type { PostgresValue, Session } from "./driver.ts";
import { columnOf, quoted, type TableColumn, type TableInfo, tableInfo } from "./table_info.ts";

/** What was found out once, and holds over several connections. */
export interface SourceTable extends FoundTable<PostgresValue> {
  readonly name: string;
  readonly key: readonly TableColumn[];
  /** The columns as they are selected. */
  readonly selected: readonly string[];
}

/** How PostgreSQL is asked for a table. */
export const postgresQueries: TableQueries<Session, SourceTable, PostgresValue> = {
  lookUp: lookUpTable,
  countRows,
  digest: tableDigest,
  page: tablePage,
  keyOf: ({ key, columns }, row) => key.map((_, i) => row[columns.length + i]!),
};

/** Looks the table up and makes sure that reading by its key passes no row over. */
export async function lookUpTable(session: Session, read: TableRead): Promise<SourceTable> {
  const { table, type, place } = read;
  const info = await tableInfo(session, table);
  if (!info) throw tableMissing(table, place, "run the pipeline that loads it first, or check the name");
  const present = presentFields(read, info.columns, (name) => columnOf(info, name));
  return {
    name: table,
    key: await keyOf(session, info, read),
    columns: present.map((field) => ({
      name: field.name,
      label: `${JSON.stringify(field.name)}:`,
      json: columnJson(field, columnOf(info, field.name)!),
    })),
    selected: present.map((field) => selectedColumn(field, columnOf(info, field.name)!)),
    decoded: decodedType(type, (field) => columnOf(info, field.name), timeForm),
  };
}

/** How many rows there are. */
export async function countRows(session: Session, { name }: SourceTable): Promise<number> {
  return Number((await session.select(`SELECT count(*) FROM ${quoted(name)}`))[0][0]);
}

/** Types whose text is exact, and which the server orders as it compares them. */
const KEY_TYPES = new Set([
  ...["int2", "int4", "int8", "numeric", "float4", "float8", "bool", "date", "timestamp", "timestamptz"],
  ...["text", "varchar", "bpchar", "name", "uuid", "bytea"],
]);

async function keyOf(session: Session, info: TableInfo, { table, readBy }: TableRead): Promise<TableColumn[]> {
  const names = readBy ?? info.uniqueIndexes.find(({ isPrimary }) => isPrimary)?.columns;
  if (!names || names.length === 0) throw notReadable(table, ["its primary key"], "it has none");
  const unknown = names.filter((name) => !columnOf(info, name));
  if (unknown.length > 0) throw notReadable(table, names, `it has no column ${unknown.join(", ")}`);
  const key = names.map((name) => columnOf(info, name)!);
  const unordered = key.find(({ type, isEnum }) => !KEY_TYPES.has(type) && !isEnum);
  if (unordered) {
    throw notReadable(table, names, `${unordered.name} is of type ${unordered.declared}, which has no exact order to resume by`);
  }
  if (!isKnownUnique(info, key)) await requireUnique(session, table, names);
  return key;
}

/** A unique index over some of the columns says so already, and a large table need not be read. */
function isKnownUnique({ uniqueIndexes }: TableInfo, key: readonly TableColumn[]): boolean {
  if (key.some(({ nullable }) => nullable)) return false;
  return uniqueIndexes.some(({ columns }) => columns.every((column) => key.some(({ name }) => name === column)));
}

async function requireUnique(session: Session, table: string, names: readonly string[]): Promise<void> {
  const nulls = names.map((name) => `${quoted(name)} IS NULL`).join(" OR ");
  if ((await session.select(`SELECT 1 FROM ${quoted(table)} WHERE ${nulls} LIMIT 1`)).length > 0) {
    throw notReadable(table, names, "a row has none");
  }
  const list = names.map(quoted).join(", ");
  const repeated = `SELECT 1 FROM ${quoted(table)} GROUP BY ${list} HAVING count(*) > 1 LIMIT 1`;
  if ((await session.select(repeated)).length > 0) throw notReadable(table, names, "two rows share one");
}

async function tablePage(
  session: Session,
  { name, key, selected }: SourceTable,
  { after, until, rowsMax }: PageRequest,
): Promise<PostgresValue[][]> {
  const keys = key.map((column) => quoted(column.name));
  const values: string[] = [];
  // Compared as rows, which the server can look up in the key's index; each value as the column's own type.
  const bound = (than: ">" | "<=", texts: readonly string[]): string => {
    const parameters = texts.map((text, i) => `$${values.push(text)}::${key[i].declared}`);
    return `(${keys.join(", ")}) ${than} (${parameters.join(", ")})`;
  };
  const bounds = [after && bound(">", after), until && bound("<=", until)].filter((each) => each !== null);
  const where = bounds.length > 0 ? `WHERE ${bounds.join(" AND ")}` : "";
  const list = [...selected, ...keys].join(", ");
  return await session.select(`SELECT ${list} FROM ${quoted(name)} ${where} ORDER BY ${keys.join(", ")} LIMIT ${rowsMax}`, values);
}

/**
 * Equal for equal input: how many rows, and the sums of the halves of their digests, made by the server. Each row holds its key, or,
 * where that is no field, its number in the key's order: a numbered key may be numbered anew.
 */
async function tableDigest(session: Session, { name, key, columns }: SourceTable): Promise<string> {
  const keys = key.map((part) => quoted(part.name)).join(", ");
  const isRead = key.every((part) => columns.some((column) => column.name === part.name));
  const content = `ROW(${columns.map((column) => quoted(column.name)).join(", ")})::text`;
  const row = isRead ? content : `row_number() OVER (ORDER BY ${keys}) || ':' || ${content}`;
  const digests = `SELECT encode(sha256(convert_to(content, 'UTF8')), 'hex') AS digest FROM (SELECT ${row} AS content FROM ${
    quoted(name)
  }) AS rows`;
  const half = (side: "left" | "right") => `coalesce(sum(('x' || ${side}(digest, 16))::bit(64)::bigint), 0)`;
  const [[count, first, second]] = await session.select(`SELECT count(*), ${half("left")}, ${half("right")} FROM (${digests}) AS digests`);
  return `${count}:${first}:${second}`;
}
