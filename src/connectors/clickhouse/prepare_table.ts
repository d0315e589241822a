/** Before rows go into a table: it is there, or made; it takes every field as it is; its engine allows what the mode promises. */
import { assert, MillraceError } from "../../data/fault.ts";
import { typeText } from "../../data/types.ts";
import { columnsMissing, tableMissing } from "../sql/table_faults.ts";
import { type ClickhouseTarget, fieldOf } from "./clickhouse_target.ts";
import type { Session } from "./driver.ts";
import { type BoundColumn, misfit } from "./row_binary.ts";
import { createTargetSql, DELETED, ROW_IDENTITY, rowsTable, TAIL_COLUMNS, VERSION } from "./table_ddl.ts";
import { columnOf, type TableInfo, tableInfo } from "./table_info.ts";

/** The table that rows go to, made where it is missing and may be. `place` names the database in faults. */
export async function prepareTable(session: Session, target: ClickhouseTarget, place: string): Promise<TableInfo> {
  let found = await findRowsTable(session, target);
  if (!found && target.create === "create") {
    for (const sql of createTargetSql(target)) await session.run(sql);
    found = await findRowsTable(session, target);
  }
  if (!found) throw tableMissing(target.table, place, "make it, or add create = true to the sink");
  requireFit(found, target, place);
  return found;
}

/** Where rows would go: TABLE_rows, or TABLE itself where that is a table and no view; null where there is neither. */
export async function findRowsTable(session: Session, target: ClickhouseTarget): Promise<TableInfo | null> {
  const rows = await tableInfo(session, rowsTable(target));
  if (rows || target.mode === "token") return rows;
  const table = await tableInfo(session, target.table);
  return table && table.engine !== "View" ? table : null;
}

/** Throws where the table as it is cannot take the rows as the mode promises. */
export function requireFit(found: TableInfo, target: ClickhouseTarget, place: string): void {
  const engineFault = engineMisfit(found, target);
  if (engineFault) {
    throw new MillraceError("table_engine", `table "${found.name}" in ${place} ${engineFault.text}`, { hint: engineFault.hint });
  }
  const wanted = [...target.columns, ...Object.keys(TAIL_COLUMNS[target.mode])];
  const missing = wanted.filter((name) => !columnOf(found, name) || columnOf(found, name)!.isComputed);
  if (missing.length > 0) {
    const writable = found.columns.filter(({ isComputed }) => !isComputed).map(({ name }) => name);
    const hint = "name the columns to write in `columns`";
    throw columnsMissing({ table: found.name, place, missing, found: writable, hint });
  }
  for (const { field, column, index } of boundColumns(found, target)) {
    const reason = misfit({ field, column, index });
    if (reason === null) continue;
    const { declared } = columnOf(found, field.name)!;
    throw new MillraceError(
      "column_type",
      `column ${field.name} of table "${found.name}" in ${place} is ${declared}, the field is ${typeText(field.type)}: ${reason}`,
      { hint: "change the column, or turn the field into its type in a `map`" },
    );
  }
}

/** The target's fields with their columns, which must be there. */
export function boundColumns(found: TableInfo, target: ClickhouseTarget): BoundColumn[] {
  return target.columns.map((name) => {
    const column = columnOf(found, name);
    assert(column, "the table was checked to have the column");
    return { index: target.type.fields.findIndex((field) => field.name === name), field: fieldOf(target, name), column: column.type };
  });
}

interface EngineFault {
  readonly text: string;
  readonly hint: string;
}
/** Why the table's engine or order does not keep what the mode promises; null where they do. */
export function engineMisfit({ engine, engineText, order }: TableInfo, { mode, key }: ClickhouseTarget): EngineFault | null {
  if (mode === "token") {
    return engine.endsWith("MergeTree") ? null : {
      text: `is kept by ${engine}, which does not know repeated inserts`,
      hint: "a table of a MergeTree engine does",
    };
  }
  const ours = 'let the sink make its table: create = true under another name; or write to this one with mode = "token"';
  if (!/^(Replicated|Shared)?ReplacingMergeTree$/.test(engine)) {
    return { text: `is kept by ${engine}, which keeps a row as often as it arrives`, hint: ours };
  }
  // What replicas are called stands in front of the version: '/path', '{replica}', version, deleted.
  const version = /^\w+\((?:'[^']*', '[^']*'(?:, )?)?([^)]*)\)/.exec(engineText)?.[1] ?? "";
  if (mode === "append") {
    const missing = ROW_IDENTITY.filter((name) => !order.includes(name));
    if (missing.length > 0) {
      return { text: `is not ordered by ${missing.join(", ")} too, so that different rows replace one another`, hint: ours };
    }
    return null;
  }
  if (version !== `${VERSION}, ${DELETED}`) return { text: `does not keep the row with the greatest ${VERSION}`, hint: ours };
  const sameKey = order.length === key.length && order.every((name) => key.includes(name));
  return sameKey ? null : { text: `has the key ${order.join(", ")}`, hint: `the sink's key is ${key.join(", ")}: say the same in \`key\`` };
}
