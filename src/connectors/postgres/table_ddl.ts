/**
 * Tables that the connector makes. A table without a key gets a numbered column as its own, so that its rows have the order in which
 * they came and can be read again by it.
 */
import type { Field } from "../../data/types.ts";
import { MARKER_TABLE } from "../sql/markers.ts";
import { REFUSED_TABLE } from "../sql/refused_records.ts";
import { fieldOf, type TableTarget } from "../sql/table_target.ts";
import { quoted } from "./table_info.ts";

/** The numbered key. */
export const ROW_NUMBER = "millrace_row";
/** Digits of a created decimal column: all counts that a field can have (2^53 has 16 digits). */
export const DECIMAL_PRECISION = 18;

/** The statement for the sink's table. */
export function createTableSql(target: TableTarget, precision: number): string {
  const { table, columns, key } = target;
  const declared = columns.map((name) => {
    const field = fieldOf(target, name);
    return `${quoted(name)} ${columnType(field, precision)}${field.type.nullable && !key.includes(name) ? "" : " NOT NULL"}`;
  });
  const numbered = key.length > 0 ? [] : [`${quoted(ROW_NUMBER)} BIGINT GENERATED ALWAYS AS IDENTITY`];
  const primary = key.length > 0 ? key : [ROW_NUMBER];
  const parts = [...declared, ...numbered, `PRIMARY KEY (${primary.map(quoted).join(", ")})`];
  return `CREATE TABLE ${quoted(table)} (${parts.join(", ")})`;
}

/** The statement for the table of markers. */
export const CREATE_MARKERS_SQL = `CREATE TABLE ${MARKER_TABLE} (
  pipeline TEXT NOT NULL, sink TEXT NOT NULL, lane INT NOT NULL, epoch BIGINT NOT NULL, owner BIGINT NOT NULL, digest TEXT NOT NULL,
  PRIMARY KEY (pipeline, sink, lane))`;

/** The statement for the table of refused rows. */
export const CREATE_REFUSED_SQL = `CREATE TABLE ${REFUSED_TABLE} (
  pipeline TEXT NOT NULL, sink TEXT NOT NULL, lane INT NOT NULL, epoch BIGINT NOT NULL, ordinal BIGINT NOT NULL, code TEXT NOT NULL,
  message TEXT NOT NULL, PRIMARY KEY (pipeline, sink, lane, epoch, ordinal))`;

function columnType({ type }: Field, precision: number): string {
  switch (type.kind) {
    case "int":
      return "BIGINT";
    case "bool":
      return "BOOLEAN";
    case "double":
      return "DOUBLE PRECISION";
    case "decimal":
      return `NUMERIC(${Math.max(precision, type.scale)},${type.scale})`;
    case "timestamp":
      return "TIMESTAMPTZ(6)";
    case "date":
      return "DATE";
    case "string":
    case "duration":
      return "TEXT";
    default:
      return "JSONB";
  }
}
