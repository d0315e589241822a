/**
 * One table or view as a source reads it: its fields, the key that orders it, pages of rows, and a digest of all. Invariant: no digit is
 * lost on the way; what does not fit its field is refused by the decoder, under the same code as in any other source.
 */
import { MillraceError } from "../../data/fault.ts";
import type { Field, RecordType } from "../../data/types.ts";
import { jsonOrText } from "../sql/json_rows.ts";
import { notReadable, tableMissing } from "../sql/table_faults.ts";
import {
  type FoundTable,
  type PageRequest,
  presentFields,
  type ReadColumn,
  type TableQueries,
  type TableRead,
} from "../sql/table_source.ts";
import type { ColumnType } from "./column_type.ts";
import type { Session } from "./driver.ts";
import { columnOf, quoted, type TableColumn, type TableInfo, tableInfo } from "./table_info.ts";

/** A column with the SQL that gives its value. */
interface SelectedColumn extends ReadColumn<unknown> {
  readonly sql: string;
}
interface KeyColumn {
  readonly name: string;
  /** As parameters state it. */
  readonly declared: string;
}
export interface SourceTable extends FoundTable<unknown> {
  readonly name: string;
  readonly columns: readonly SelectedColumn[];
  readonly key: readonly KeyColumn[];
}

/** How ClickHouse is asked for a table. */
export const clickhouseQueries: TableQueries<Session, SourceTable, unknown> = {
  lookUp: lookUpTable,
  countRows,
  digest: tableDigest,
  page: tablePage,
  keyOf: ({ key, columns }, row) => key.map((_, i) => String(row[columns.length + i])),
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
    columns: present.map((field) => selected(field, columnOf(info, field.name)!, place)),
    decoded: decodedType(type, info),
  };
}

/** How many rows there are. */
export async function countRows(session: Session, { name }: SourceTable): Promise<number> {
  return Number((await session.select(`SELECT count() FROM ${quoted(name)}`))[0][0]);
}

const inner = (type: ColumnType): ColumnType => type.kind === "nullable" ? type.of : type;
const isTime = ({ kind }: ColumnType): boolean => kind === "datetime" || kind === "datetime64";

function selected(field: Field, column: TableColumn, place: string): SelectedColumn {
  const type = inner(column.type);
  const label = `${JSON.stringify(field.name)}:`;
  const name = quoted(field.name);
  if (field.type.kind === "timestamp" && isTime(type)) {
    if (type.kind === "datetime64" && type.decimals > 6) {
      throw new MillraceError("column_type", `column ${field.name} in ${place} is ${column.declared}: it may be finer than a microsecond`, {
        hint: `read a view of it, with toDateTime64(${field.name}, 6)`,
      });
    }
    // A number, because text has the column's own zone.
    return { name: field.name, label, sql: `toString(toUnixTimestamp64Micro(toDateTime64(${name}, 6)))`, json: numberJson };
  }
  if (type.kind === "int" || type.kind === "decimal" || type.kind === "float64") {
    const json = field.type.kind === "bool" ? boolJson : numberJson;
    return { name: field.name, label, sql: `toString(${name})`, json };
  }
  if (type.kind === "array" || type.kind === "map") return { name: field.name, label, sql: `toJSONString(${name})`, json: String };
  const nested = ["list", "map", "struct", "json"].includes(field.type.kind);
  const json = (value: unknown) => nested && typeof value === "string" ? jsonOrText(value) : JSON.stringify(value);
  return { name: field.name, label, sql: name, json };
}

/** Numbers come as text, so that the server's way with JSON loses no digit; "nan" and "inf" are refused as what they are. */
function numberJson(value: unknown): string {
  if (value === null) return "null";
  const text = String(value);
  return /^-?\d/.test(text) ? text : JSON.stringify(text);
}
const boolJson = (value: unknown): string => value === "0" ? "false" : value === "1" ? "true" : numberJson(value);

/** The type by which the rows' JSON is read: times of time columns are numbers, dates have the server's form. */
function decodedType({ fields }: RecordType, info: TableInfo): RecordType {
  return {
    fields: fields.map((field) => {
      const column = columnOf(info, field.name);
      const type = column && inner(column.type);
      if (type && field.type.kind === "timestamp" && isTime(type)) return { ...field, format: "epoch_us" };
      if (field.type.kind === "date" && (type?.kind === "date" || type?.kind === "date32")) return { ...field, format: "yyyy-MM-dd" };
      return field;
    }),
  };
}

const ORDERED = new Set<ColumnType["kind"]>(["int", "string", "date", "date32", "decimal"]);

async function keyOf(session: Session, info: TableInfo, { table, readBy }: TableRead): Promise<KeyColumn[]> {
  const names = readBy ?? info.order;
  if (names.length === 0) throw notReadable(table, ["what it is ordered by"], "it is a view, or ordered by nothing");
  const key = names.map((name) => {
    const column = columnOf(info, name);
    if (!column) throw notReadable(table, names, `it has no column ${name}`);
    if (!ORDERED.has(column.type.kind)) {
      throw notReadable(table, names, `${name} is of type ${column.declared}, which has no exact order to resume by`);
    }
    return { name, declared: column.declared };
  });
  // The server keeps no keys unique.
  const repeated = `SELECT 1 FROM ${quoted(table)} GROUP BY ${keyList(key)} HAVING count() > 1 LIMIT 1`;
  if ((await session.select(repeated)).length > 0) throw notReadable(table, names, "two rows share one");
  return key;
}
const keyList = (key: readonly KeyColumn[]): string => key.map(({ name }) => quoted(name)).join(", ");

/** Up to `rowsMax` rows behind `after`, up to and with `until`: values of the columns, then of the key. */
async function tablePage(
  session: Session,
  { name, key, columns }: SourceTable,
  { after, until, rowsMax }: PageRequest,
): Promise<unknown[][]> {
  const values: string[] = [];
  const bound = (sign: ">" | "<=", texts: readonly string[]): string => {
    const parameters = key.map(({ declared }, i) => `{a${values.push(texts[i]) - 1}:${declared}}`);
    return `(${keyList(key)}) ${sign} (${parameters.join(", ")})`;
  };
  const bounds = [after && bound(">", after), until && bound("<=", until)].filter((each) => each !== null);
  const where = bounds.length > 0 ? `WHERE ${bounds.join(" AND ")}` : "";
  const list = [...columns.map(({ sql }) => sql), ...key.map((column) => `toString(${quoted(column.name)})`)].join(", ");
  return await session.select(`SELECT ${list} FROM ${quoted(name)} ${where} ORDER BY ${keyList(key)} LIMIT ${rowsMax}`, values);
}

/** Equal for equal input: how many rows, and the exclusive or of two digests of each; no two cancel out, since each holds its key. */
async function tableDigest(session: Session, { name, key, columns }: SourceTable): Promise<string> {
  const row = `formatRow('JSONCompactEachRow', ${[...columns.map(({ sql }) => sql), keyList(key)].join(", ")})`;
  const [digests] = await session.select(
    `SELECT count(), lower(hex(groupBitXor(cityHash64(row)))), lower(hex(groupBitXor(sipHash64(row)))) FROM (SELECT ${row} AS row FROM ${
      quoted(name)
    })`,
  );
  return `${digests[0]}:${digests[1]}${digests[2]}`;
}
