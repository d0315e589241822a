/**
 * Tables that the connector makes. Text is compared byte by byte and without padding, so that keys which differ are different; a
 * table without a key gets an invisible numbered one, so that its rows have the order in which they came and can be read again by it.
 */
import type { Field } from "../../data/types.ts";
import { MARKER_TABLE } from "../sql/markers.ts";
import { REFUSED_TABLE } from "../sql/refused_records.ts";
import { fieldOf, type TableTarget } from "../sql/table_target.ts";
import type { ServerFacts } from "./driver.ts";
import { quoted } from "./table_info.ts";

/** The invisible key. */
export const ROW_NUMBER = "millrace_row";

/** Digits of a created decimal column: all counts that a field can have (2^53 has 16 digits), in the 8 bytes that 18 take. */
export const DECIMAL_PRECISION = 18;
const KEY_TEXT_LENGTH = 255;

/** The statement for the sink's table. */
export function createTableSql(target: TableTarget, precision: number, facts: ServerFacts): string {
  const { table, columns, key } = target;
  const declared = columns.map((name) => {
    const field = fieldOf(target, name);
    const type = columnType(field, precision, key.includes(name) ? "key" : "plain");
    return `${quoted(name)} ${type}${field.type.nullable && !key.includes(name) ? " NULL" : " NOT NULL"}`;
  });
  const row = `${quoted(ROW_NUMBER)} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT${hasInvisibleColumns(facts) ? " INVISIBLE" : ""}`;
  const keyed = key.length > 0 ? [] : [row];
  const primary = key.length > 0 ? key : [ROW_NUMBER];
  const parts = [...keyed, ...declared, `PRIMARY KEY (${primary.map(quoted).join(", ")})`];
  return `CREATE TABLE IF NOT EXISTS ${quoted(table)} (${parts.join(", ")}) ${tableOptions(facts)}`;
}

/** The statement for the table of markers. */
export function createMarkersSql(facts: ServerFacts): string {
  return `CREATE TABLE IF NOT EXISTS ${MARKER_TABLE} (
    pipeline VARCHAR(255) NOT NULL, sink VARCHAR(255) NOT NULL, lane INT NOT NULL,
    epoch BIGINT NOT NULL, owner BIGINT NOT NULL, digest VARCHAR(255) NOT NULL,
    PRIMARY KEY (pipeline, sink, lane)) ${tableOptions(facts)}`;
}

/** The statement for the table of refused rows. */
export function createRefusedSql(facts: ServerFacts): string {
  return `CREATE TABLE IF NOT EXISTS ${REFUSED_TABLE} (
    pipeline VARCHAR(255) NOT NULL, sink VARCHAR(255) NOT NULL, lane INT NOT NULL, epoch BIGINT NOT NULL, ordinal BIGINT NOT NULL,
    code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY (pipeline, sink, lane, epoch, ordinal)) ${tableOptions(facts)}`;
}

function columnType({ type }: Field, precision: number, use: "key" | "plain"): string {
  switch (type.kind) {
    case "int":
      return "BIGINT";
    case "bool":
      return "BOOLEAN";
    case "double":
      return "DOUBLE";
    case "decimal":
      return `DECIMAL(${Math.max(precision, type.scale)},${type.scale})`;
    case "timestamp":
      return "DATETIME(6)";
    case "date":
      return "DATE";
    case "duration":
      return "VARCHAR(64)";
    default:
      // A record holds a MiB at most, which TEXT cannot take. JSON columns keep no text: MySQL makes doubles of their decimals.
      return use === "key" ? `VARCHAR(${KEY_TEXT_LENGTH})` : "MEDIUMTEXT";
  }
}

function tableOptions(facts: ServerFacts): string {
  return `ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=${exactCollation(facts)}`;
}

/** Binary and without padding: "a" and "a " are two keys. Before 8.0.17 MySQL had none without padding. */
function exactCollation({ flavour, version }: ServerFacts): string {
  if (flavour === "mariadb") return "utf8mb4_nopad_bin";
  return atLeast(version, [8, 0, 17]) ? "utf8mb4_0900_bin" : "utf8mb4_bin";
}
const hasInvisibleColumns = ({ flavour, version }: ServerFacts): boolean => flavour === "mariadb" || atLeast(version, [8, 0, 23]);

/** Whether a version is the other or a later one. */
export function atLeast(version: readonly number[], other: readonly number[]): boolean {
  for (const [i, part] of other.entries()) if ((version[i] ?? 0) !== part) return (version[i] ?? 0) > part;
  return true;
}
