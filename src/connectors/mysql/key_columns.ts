/**
 * The key that a table is read by: its conditions as SQL, its values as text for positions. Only types whose text is exact, and which
 * the server orders as it compares them, can be resumed by: an ENUM is ordered by number and compared by name.
 */
import { Buffer } from "node:buffer";
import type { MysqlValue } from "./driver.ts";
import { quoted, type TableColumn } from "./table_info.ts";

export interface KeyColumn {
  readonly name: string;
  /** A parameter of the column's own type: compared as text or as a double, large numbers would be mistaken for one another. */
  readonly parameter: string;
  readonly form: "text" | "bytes" | "double";
}

/** null for types that cannot be resumed by. */
export function keyColumn({ name, type, declared }: TableColumn): KeyColumn | null {
  const unsigned = /\bunsigned\b/i.test(declared);
  switch (type) {
    case "tinyint":
    case "smallint":
    case "mediumint":
    case "int":
    case "bigint":
    case "year":
      return { name, parameter: `CAST(? AS ${unsigned ? "UNSIGNED" : "SIGNED"})`, form: "text" };
    case "decimal":
      return { name, parameter: `CAST(? AS ${declared.replace(/\s.*$/, "").toUpperCase()})`, form: "text" };
    case "double":
      return { name, parameter: "?", form: "double" };
    case "date":
      return { name, parameter: "CAST(? AS DATE)", form: "text" };
    case "datetime":
    case "timestamp":
      return { name, parameter: "CAST(? AS DATETIME(6))", form: "text" };
    case "char":
    case "varchar":
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
    case "uuid":
      return { name, parameter: "?", form: "text" };
    case "binary":
    case "varbinary":
      return { name, parameter: "?", form: "bytes" };
    default:
      return null;
  }
}

/** A key's value as it stands in a position. */
export function keyText({ form }: KeyColumn, value: MysqlValue): string {
  return form === "bytes" ? Buffer.from(value as Uint8Array).toString("hex") : String(value);
}
/** Back from `keyText`, as a parameter. */
export function keyValue({ form }: KeyColumn, text: string): MysqlValue {
  return form === "bytes" ? Buffer.from(text, "hex") : form === "double" ? Number(text) : text;
}

/** The columns as SQL text. */
export const keyList = (key: readonly KeyColumn[]): string => key.map(({ name }) => quoted(name)).join(", ");

/**
 * Rows behind `values` (">"), or up to and with them ("<="), in the order of the key. Written out instead of (a, b) > (x, y), which
 * is the same but for which MySQL reads the index from its beginning, every time.
 */
export function keyCondition(
  key: readonly KeyColumn[],
  than: ">" | "<=",
  values: readonly string[],
): { sql: string; values: MysqlValue[] } {
  const bound: MysqlValue[] = [];
  const compare = (column: number, operator: string): string => {
    bound.push(keyValue(key[column], values[column]));
    return `${quoted(key[column].name)} ${operator} ${key[column].parameter}`;
  };
  const last = key.length - 1;
  const strict = than === ">" ? ">" : "<";
  const from = (column: number): string => {
    if (column === last) return compare(column, than);
    const first = compare(column, strict);
    const equal = compare(column, "=");
    return `(${first} OR (${equal} AND ${from(column + 1)}))`;
  };
  // A range of the first column, which the server can look up.
  const range = key.length > 1 ? `${compare(0, `${strict}=`)} AND ` : "";
  return { sql: `${range}${from(0)}`, values: bound };
}
