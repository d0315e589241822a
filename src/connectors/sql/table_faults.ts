/** What can be wrong with a table that a sink writes or a source reads: one wording and one code for all databases. */
import { MillraceError } from "../../data/fault.ts";

/** `place` names the database without credentials. */
export function tableMissing(table: string, place: string, hint: string): MillraceError {
  return new MillraceError("table_missing", `there is no table "${table}" in ${place}`, { hint });
}

/** Columns that are written or read, and which the table has not. */
export function columnsMissing(
  { table, place, missing, found, hint }: {
    readonly table: string;
    readonly place: string;
    readonly missing: readonly string[];
    readonly found: readonly string[];
    readonly hint: string;
  },
): MillraceError {
  const list = missing.map((column) => `"${column}"`).join(", ");
  return new MillraceError("column_missing", `table "${table}" in ${place} has no column ${list}`, {
    hint: `it has: ${found.join(", ")}; ${hint}`,
  });
}

/** A new run would append to what an earlier one left, in a table that the sink may not empty. */
export function rerunAppends(table: string): MillraceError {
  return new MillraceError("rerun_append", `table "${table}" still holds the rows of an earlier run, and appending would double them`, {
    hint: 'remove those rows, use mode = "upsert" or "replace", or say create = true: then a new run empties the table first',
  });
}

/** Rows behind a null or a repeated key would be passed over in silence. */
export function notReadable(table: string, key: readonly string[], reason: string): MillraceError {
  return new MillraceError("read_by", `table "${table}" cannot be read by ${key.join(", ")}: ${reason}`, {
    hint: "name columns in `read_by` that are unique together and never null",
  });
}
