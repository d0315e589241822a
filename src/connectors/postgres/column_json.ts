/**
 * A table's values as JSON for the decoder. Invariant: no digit is lost on the way; what does not fit its field is refused by the
 * decoder, under the same code as in any other source.
 */
import type { Field } from "../../data/types.ts";
import type { TimeForm } from "../sql/decoded_type.ts";
import { jsonOrText } from "../sql/json_rows.ts";
import type { PostgresValue } from "./driver.ts";
import { columnZone, TIME_PATTERN } from "./row_text.ts";
import { quoted, type TableColumn } from "./table_info.ts";

const INTEGERS = new Set(["int2", "int4", "int8", "oid"]);
const NUMBERS = new Set([...INTEGERS, "numeric", "float4", "float8"]);
const SECOND_DECIMALS = 6;

/** The column as it is selected: arrays and rows come as JSON. */
export function selectedColumn({ type }: Field, column: TableColumn): string {
  const name = quoted(column.name);
  return isNested(type.kind) && !isText(column.type) ? `to_json(${name})` : name;
}

/** The JSON of one column's values. */
export function columnJson({ type }: Field, column: TableColumn): (value: PostgresValue) => string {
  if (column.type === "bool") return (value) => value === null ? "null" : value === "t" ? "true" : "false";
  if (type.kind === "bool" && INTEGERS.has(column.type)) return numberAsBool;
  if (NUMBERS.has(column.type)) return numberJson;
  if (type.kind === "timestamp" && (column.type === "timestamp" || column.type === "timestamptz")) return timeJson;
  const nested = isNested(type.kind);
  return (value) => value === null ? "null" : nested ? jsonOrText(value) : JSON.stringify(value);
}

/** How times of the column are written; null for a column of another kind. */
export function timeForm(field: Field, column: TableColumn): TimeForm | null {
  const zone = columnZone(field, column);
  return zone === null ? null : { format: TIME_PATTERN, zone };
}

const isNested = (kind: Field["type"]["kind"]): boolean => kind === "list" || kind === "map" || kind === "struct" || kind === "json";
const isText = (type: string): boolean => ["text", "varchar", "bpchar", "name", "json", "jsonb"].includes(type);

/** NaN and infinities are no numbers of JSON; as texts they are refused. */
function numberJson(value: PostgresValue): string {
  if (value === null) return "null";
  const last = value.charCodeAt(value.length - 1);
  return last >= 48 && last <= 57 ? value : JSON.stringify(value);
}

function numberAsBool(value: PostgresValue): string {
  return value === "0" ? "false" : value === "1" ? "true" : numberJson(value);
}

/** "2025-01-02 03:04:05.5+00" with all its decimals and without the zone, which is UTC. */
function timeJson(value: PostgresValue): string {
  if (value === null) return "null";
  const [seconds, fraction = ""] = value.replace(/\+00$/, "").split(".");
  return JSON.stringify(`${seconds}.${fraction.padEnd(SECOND_DECIMALS, "0")}`);
}
