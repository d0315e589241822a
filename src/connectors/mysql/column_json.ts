/**
 * A table's values as JSON for the decoder. Invariant: no digit is lost on the way; what does not fit its field is refused by the
 * decoder, under the same code as in any other source.
 */
import type { Field } from "../../data/types.ts";
import type { TimeForm } from "../sql/decoded_type.ts";
import { jsonOrText } from "../sql/json_rows.ts";
import type { MysqlValue } from "./driver.ts";
import { columnZone, DATETIME_PATTERNS } from "./row_text.ts";
import type { TableColumn } from "./table_info.ts";

const INTEGERS = new Set(["tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"]);
const NUMBERS = new Set([...INTEGERS, "decimal", "numeric", "float", "double"]);
/** Microseconds: what every time is padded to. */
const SECOND_DECIMALS = 6;

/** The JSON of one column's values. */
export function columnJson({ type }: Field, column: TableColumn): (value: MysqlValue) => string {
  if (type.kind === "bool" && (INTEGERS.has(column.type) || column.type === "bit")) return boolJson;
  if (column.type === "bit") return bitJson;
  if (NUMBERS.has(column.type)) return numberJson;
  if (column.type === "datetime" || column.type === "timestamp") return timeJson;
  const nested = type.kind === "list" || type.kind === "map" || type.kind === "struct" || type.kind === "json";
  return (value) => {
    if (value === null) return "null";
    if (value instanceof Uint8Array) return JSON.stringify([...value]);
    return nested ? jsonOrText(String(value)) : JSON.stringify(String(value));
  };
}

/** How times of the column are written; null for a column of another kind. */
export function timeForm(field: Field, column: TableColumn): TimeForm | null {
  const zone = columnZone(field, column);
  return zone === null ? null : { format: DATETIME_PATTERNS[SECOND_DECIMALS], zone };
}

/** ZEROFILL shows zeros that JSON does not know. */
function numberJson(value: MysqlValue): string {
  if (value === null) return "null";
  if (typeof value === "number") return String(value);
  return String(value).replace(/^(-?)0+(?=\d)/, "$1");
}

function boolJson(value: MysqlValue): string {
  const number = value instanceof Uint8Array ? bits(value) : numberJson(value);
  return number === "0" ? "false" : number === "1" ? "true" : number;
}
const bitJson = (value: MysqlValue): string => value instanceof Uint8Array ? bits(value) : numberJson(value);
const bits = (bytes: Uint8Array): string => String(bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n));

function timeJson(value: MysqlValue): string {
  if (value === null) return "null";
  const [seconds, fraction = ""] = String(value).split(".");
  return JSON.stringify(`${seconds}.${fraction.padEnd(SECOND_DECIMALS, "0")}`);
}
