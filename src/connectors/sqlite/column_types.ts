/**
 * Values between record fields and SQLite columns. Decimals are TEXT with exactly their scale: SQLite has no exact decimal type, a
 * NUMERIC column turns text into doubles, and money that was exact until here must stay so. For comparing and adding in SQL either
 * CAST, or let `decimals = "numeric"` store numbers, which SQLite keeps exactly up to 15 digits; more are refused, never rounded.
 */
import type { Batch, Column } from "../../data/batch.ts";
import { cell } from "../../data/columns.ts";
import { formatDecimal } from "../../data/decimal.ts";
import { formatDuration } from "../../data/duration.ts";
import { timeTextOf } from "../../data/field_text.ts";
import { jsonText } from "../../data/json/mod.ts";
import type { Field } from "../../data/types.ts";
import { RowRefused } from "../sql/row_refused.ts";

export type SqlValue = string | number | bigint | null;
export type Decimals = "text" | "numeric";

/** The type with which `create` declares a column. */
export function declaredType({ type }: Field, decimals: Decimals): string {
  switch (type.kind) {
    case "int":
    case "bool":
      return "INTEGER";
    case "double":
      return "REAL";
    case "decimal":
      return decimals === "numeric" ? "NUMERIC" : "TEXT";
    default:
      return "TEXT";
  }
}

/** How SQLite keeps values in a column of this declared type (its rules of affinity). */
function isNumberColumn(declared: string): boolean {
  const upper = declared.toUpperCase();
  if (upper.includes("INT")) return true;
  if (upper === "" || upper.includes("BLOB") || /CHAR|CLOB|TEXT/.test(upper)) return false;
  return true;
}

/** The digits beyond which SQLite's NUMERIC would round. */
const NUMERIC_LIMIT = 1e15;

/** Reads one row's value as what is bound to the statement. `declared` is the type of the table's column. */
export function sqlValueOf(field: Field, declared: string): (column: Column, row: number) => SqlValue {
  const { type } = field;
  const write = (value: unknown): SqlValue => {
    switch (type.kind) {
      case "string":
        return value as string;
      case "int":
        // A JavaScript number is bound as a double, which a text column would show as 5.0.
        return isNumberColumn(declared) ? value as number : BigInt(value as number);
      case "bool":
        return value ? 1n : 0n;
      case "double":
        return value as number;
      case "decimal":
        return decimalText(field, value as number, type.scale, declared);
      case "timestamp":
      case "date":
        return timeTextOf(field)!.format(value as number);
      case "duration":
        return formatDuration(value as number);
      default:
        return jsonText(field, value, {});
    }
  };
  return (column, row) => {
    const value = cell(column, type, row);
    return value === null ? null : write(value);
  };
}

function decimalText({ name }: Field, value: number, scale: number, declared: string): string {
  if (Math.abs(value) >= NUMERIC_LIMIT && isNumberColumn(declared)) {
    const message = `${name} = ${formatDecimal(value, scale)} has more digits than a ${declared} column of SQLite keeps exactly`;
    throw new RowRefused("sqlite_decimal", message, "scale", name, 'declare the column as TEXT, or leave out decimals = "numeric"');
  }
  return formatDecimal(value, scale);
}

/** A table's row as one line of JSON, for the decoder: `fields[i]` belongs to `values[i]`. */
export function rowLine(fields: readonly Field[], values: readonly (SqlValue | Uint8Array)[]): string {
  let line = "{";
  for (let i = 0; i < fields.length; i++) line += `${i > 0 ? "," : ""}${JSON.stringify(fields[i].name)}:${valueJson(fields[i], values[i])}`;
  return line + "}\n";
}

function valueJson({ type }: Field, value: SqlValue | Uint8Array): string {
  if (value === null) return "null";
  if (typeof value === "bigint") {
    if (type.kind === "bool" && (value === 0n || value === 1n)) return value === 1n ? "true" : "false";
    return String(value);
  }
  // Infinity is the one number that SQLite has and JSON has not; as text it is refused as what it is not.
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (typeof value === "string") {
    const nested = type.kind === "list" || type.kind === "map" || type.kind === "struct" || type.kind === "json";
    return nested && isJson(value) ? value : JSON.stringify(value);
  }
  return JSON.stringify([...value]);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The columns of a batch by name; every one must have been decoded. */
export function columnsByName(batch: Batch, names: readonly string[]): Column[] {
  return names.map((name) => {
    const column = batch.columns[batch.type.fields.findIndex((field) => field.name === name)];
    if (!column) throw new Error(`column ${name} was not decoded for the sink that needs it`);
    return column;
  });
}
