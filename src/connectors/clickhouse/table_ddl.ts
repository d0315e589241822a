/**
 * Tables and views that the connector makes. Names, for a sink with `table = "t"`:
 *
 *     t                       the view that people read (mode token: the table itself)
 *     t_rows                  where the rows lie, repeated ones included until they are merged
 *     millrace_epochs         per run, sink and lane the newest epoch that was delivered whole
 *     millrace_retired_runs   runs whose rows a later run replaces; views leave them out
 *
 * A row of `append` is known by its run, lane, epoch and number within the epoch, a row of `upsert` by its key; both engines keep one
 * row of what is equal there, however often and however late it comes.
 */
import { unreachable } from "../../data/fault.ts";
import type { Type } from "../../data/types.ts";
import { type ClickhouseTarget, fieldOf } from "./clickhouse_target.ts";
import { TOKEN_WINDOW } from "./limits.ts";
import { quoted } from "./table_info.ts";

export const RUN = "millrace_run";
export const LANE = "millrace_lane";
export const EPOCH = "millrace_epoch";
export const ROW = "millrace_row";
export const VERSION = "millrace_version";
export const DELETED = "millrace_deleted";
export const MARKER_TABLE = "millrace_epochs";
export const RETIRED_TABLE = "millrace_retired_runs";

/** Columns that stand behind the user's in every row, with their types. */
export const TAIL_COLUMNS = {
  append: { [RUN]: "LowCardinality(String)", [LANE]: "UInt32", [EPOCH]: "UInt64", [ROW]: "UInt32" },
  upsert: { [VERSION]: "UInt128", [DELETED]: "UInt8" },
  token: {},
} as const;
/** What tells rows of `append` apart, whatever they hold. */
export const ROW_IDENTITY: readonly string[] = [RUN, LANE, EPOCH, ROW];

/** The table that holds the rows of a target that was made. */
export const rowsTable = ({ table, mode }: Pick<ClickhouseTarget, "table" | "mode">): string => mode === "token" ? table : `${table}_rows`;

/** Statements for the target's table and view; each may be run again. */
export function createTargetSql(target: ClickhouseTarget): string[] {
  const { mode, key, columns, table } = target;
  const declared = columns.map((name) => `${quoted(name)} ${columnTypeText(fieldOf(target, name).type)}`);
  const tail = Object.entries(TAIL_COLUMNS[mode]).map(([name, type]) => `${name} ${type}`);
  const order = mode === "append" ? [...key.map(quoted), ...ROW_IDENTITY] : key.map(quoted);
  const engine = mode === "append" ? "ReplacingMergeTree" : mode === "upsert" ? `ReplacingMergeTree(${VERSION}, ${DELETED})` : "MergeTree";
  const settings = mode === "token" ? ` SETTINGS non_replicated_deduplication_window = ${TOKEN_WINDOW}` : "";
  const made = `CREATE TABLE IF NOT EXISTS ${quoted(rowsTable(target))} (\n  ${[...declared, ...tail].join(",\n  ")}\n)
ENGINE = ${engine} ORDER BY (${order.join(", ")})${settings}`;
  if (mode === "token") return [made];
  const shown = mode === "append" ? ` WHERE ${RUN} NOT IN (SELECT run FROM ${RETIRED_TABLE})` : "";
  const view = `CREATE VIEW IF NOT EXISTS ${quoted(table)} AS
SELECT ${columns.map(quoted).join(", ")} FROM ${quoted(rowsTable(target))} FINAL${shown}`;
  return [made, view];
}

/** Statements for the connector's own tables; each may be run again. */
export const CREATE_OWN_SQL: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS ${MARKER_TABLE} (pipeline String, sink String, lane Int32, epoch Int64, digest String)
ENGINE = ReplacingMergeTree(epoch) ORDER BY (pipeline, sink, lane)`,
  `CREATE TABLE IF NOT EXISTS ${RETIRED_TABLE} (run String) ENGINE = ReplacingMergeTree ORDER BY run`,
];

/** Digits of a created decimal column: all counts that a field can have (2^53 has 16 digits), in the 8 bytes that 18 take. */
const DECIMAL_PRECISION = 18;

/** The type of a created column. */
export function columnTypeText(type: Type): string {
  const plain = { ...type, nullable: false };
  const text = typeText(plain);
  return !type.nullable ? text : text.startsWith("Array") || text.startsWith("Map") ? "Nullable(String)" : `Nullable(${text})`;
}
function typeText(type: Type): string {
  switch (type.kind) {
    case "int":
      return "Int64";
    case "decimal":
      return `Decimal(${DECIMAL_PRECISION}, ${type.scale})`;
    case "double":
      return "Float64";
    case "bool":
      return "Bool";
    case "timestamp":
      return "DateTime64(6, 'UTC')";
    case "date":
      return "Date32";
    case "list":
      return isFlat(type.item) ? `Array(${columnTypeText(type.item)})` : "String";
    case "map":
      return isFlat(type.key) && isFlat(type.value) && !type.key.nullable
        ? `Map(${typeText(type.key)}, ${columnTypeText(type.value)})`
        : "String";
    case "string":
    case "duration":
    case "struct":
    case "json":
    case "null":
      return "String";
    default:
      return unreachable(type);
  }
}
/** Whether a value has a column type of its own, not only its JSON. */
const isFlat = ({ kind }: Type): boolean => !["list", "map", "struct", "json", "null"].includes(kind);
