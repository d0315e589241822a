/** One table as a source reads it: its fields, the key that orders it, pages of rows, and a digest of all. */
import { decodedType } from "../sql/decoded_type.ts";
import { notReadable, tableMissing } from "../sql/table_faults.ts";
import { type FoundTable, type PageRequest, presentFields, type TableQueries, type TableRead } from "../sql/table_source.ts";
import { columnJson, timeForm } from "./column_json.ts";
import type { MysqlValue, Session } from "./driver.ts";
import { type KeyColumn, keyColumn, keyCondition, keyList, keyText } from "./key_columns.ts";
import { columnOf, quoted, sameName, type TableInfo, tableInfo } from "./table_info.ts";

/** What was found out once, and holds over several connections. */
export interface SourceTable extends FoundTable<MysqlValue> {
  readonly name: string;
  readonly key: readonly KeyColumn[];
}

/** How MySQL is asked for a table. */
export const mysqlQueries: TableQueries<Session, SourceTable, MysqlValue> = {
  lookUp: lookUpTable,
  countRows,
  digest: tableDigest,
  page: tablePage,
  keyOf: ({ key, columns }, row) => key.map((column, i) => keyText(column, row[columns.length + i])),
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
    decoded: decodedType(type, (field) => columnOf(info, field.name), timeForm),
  };
}

async function keyOf(session: Session, info: TableInfo, { table, readBy }: TableRead): Promise<KeyColumn[]> {
  const primary = info.uniqueIndexes.find(({ name }) => name === "PRIMARY");
  const names = readBy ?? primary?.columns.map(String);
  if (!names || names.length === 0) throw notReadable(table, ["its primary key"], "it has none");
  const unknown = names.filter((name) => !columnOf(info, name));
  if (unknown.length > 0) throw notReadable(table, names, `it has no column ${unknown.join(", ")}`);
  const key = names.map((name) => {
    const column = columnOf(info, name)!;
    const made = keyColumn(column);
    if (!made) throw notReadable(table, names, `${name} is of type ${column.declared}, which has no exact order to resume by`);
    return made;
  });
  if (!isKnownUnique(info, names)) await requireUnique(session, table, key);
  return key;
}

/** A unique index over some of the columns says so already, and a large table need not be read. */
function isKnownUnique(info: TableInfo, names: readonly string[]): boolean {
  if (names.some((name) => columnOf(info, name)!.nullable)) return false;
  return info.uniqueIndexes.some((index) =>
    index.columns.every((column) => column !== null && names.some((name) => sameName(name, column)))
  );
}

async function requireUnique(session: Session, table: string, key: readonly KeyColumn[]): Promise<void> {
  const names = key.map(({ name }) => name);
  const nulls = names.map((name) => `${quoted(name)} IS NULL`).join(" OR ");
  if ((await session.select(`SELECT 1 FROM ${quoted(table)} WHERE ${nulls} LIMIT 1`)).length > 0) {
    throw notReadable(table, names, "a row has none");
  }
  const repeated = `SELECT 1 FROM ${quoted(table)} GROUP BY ${keyList(key)} HAVING COUNT(*) > 1 LIMIT 1`;
  if ((await session.select(repeated)).length > 0) throw notReadable(table, names, "two rows share one");
}

/** Up to `rowsMax` rows behind `after`, up to and with `until`: values of the columns, then of the key. */
async function tablePage(
  session: Session,
  { name, key, columns }: SourceTable,
  { after, until, rowsMax }: PageRequest,
): Promise<MysqlValue[][]> {
  const bounds = [after && keyCondition(key, ">", after), until && keyCondition(key, "<=", until)].filter((bound) => bound !== null);
  const where = bounds.length > 0 ? `WHERE ${bounds.map(({ sql }) => sql).join(" AND ")}` : "";
  const list = [...columns, ...key].map((column) => quoted(column.name)).join(", ");
  const sql = `SELECT ${list} FROM ${quoted(name)} ${where} ORDER BY ${keyList(key)} LIMIT ${rowsMax}`;
  return await session.select(sql, bounds.flatMap(({ values }) => values));
}

/** How many rows there are. */
export async function countRows(session: Session, { name }: SourceTable): Promise<number> {
  return Number((await session.select(`SELECT COUNT(*) FROM ${quoted(name)}`))[0][0]);
}

/**
 * Equal for equal input: how many rows, and the exclusive or of their digests, made by the server. No two rows cancel one another out,
 * since each holds its key, or, where that is no field, its number in the key's order: an invisible key may be numbered anew.
 */
async function tableDigest(session: Session, { name, key, columns }: SourceTable): Promise<string> {
  const isRead = key.every((part) => columns.some((column) => sameName(column.name, part.name)));
  const row = `SHA1(CONCAT_WS(',', ${columns.map((column) => `QUOTE(${quoted(column.name)})`).join(", ")}))`;
  const keys = key.map((part, i) => `${quoted(part.name)} AS k${i}`);
  const rows = `SELECT ${[...keys, `${row} AS content`].join(", ")} FROM ${quoted(name)} ${EVALUATED_ONCE}`;
  const place = `ROW_NUMBER() OVER (ORDER BY ${key.map((_, i) => `k${i}`).join(", ")})`;
  const digest = isRead ? "content" : `SHA1(CONCAT(${place}, ':', content))`;
  const digests = `SELECT ${digest} AS digest FROM (${rows}) AS contents ${EVALUATED_ONCE}`;
  const half = (from: number) => `HEX(BIT_XOR(CAST(CONV(SUBSTRING(digest, ${from}, 16), 16, 10) AS UNSIGNED)))`;
  const [[count, first, second]] = await session.select(`SELECT COUNT(digest), ${half(1)}, ${half(17)} FROM (${digests}) AS digests`);
  return `${count}:${[first, second].map((part) => String(part).padStart(16, "0")).join("").toLowerCase()}`;
}

/** A limit that never bites: without one the server merges the queries, sorts whole rows and digests each of them several times over. */
const EVALUATED_ONCE = "LIMIT 18446744073709551615";
