/** Before rows go into a table: it is there, or made; it has the columns; its engine and its unique keys allow what the mode promises. */
import { MillraceError } from "../../data/fault.ts";
import { columnsMissing, tableMissing } from "../sql/table_faults.ts";
import type { TableTarget } from "../sql/table_target.ts";
import type { Session } from "./driver.ts";
import { createTableSql } from "./table_ddl.ts";
import { columnOf, isTransactional, sameName, type TableInfo, tableInfo } from "./table_info.ts";

export interface TableRequest {
  readonly target: TableTarget;
  /** Digits of decimal columns that are made. */
  readonly precision: number;
  /** Names the database in faults. */
  readonly place: string;
}

/** The table as it is. Outside of transactions: MySQL commits before it changes tables. */
export async function prepareTable(session: Session, request: TableRequest): Promise<TableInfo> {
  const { target, precision, place } = request;
  const { table, create } = target;
  if (create === "create" && !(await tableInfo(session, table))) await session.run(createTableSql(target, precision, session.facts));
  const found = await tableInfo(session, table);
  if (!found) throw tableMissing(table, place, "make it, or add create = true to the sink");
  await requireFit(session, found, request);
  return found;
}

/** Throws where the table as it is cannot take the rows as the mode promises. */
export async function requireFit(session: Session, found: TableInfo, { target, place }: TableRequest): Promise<void> {
  const { table, columns } = target;
  const missing = columns.filter((name) => !columnOf(found, name));
  if (missing.length > 0) {
    const hint = "name the columns to write in `columns`";
    throw columnsMissing({ table, place, missing, found: found.columns.map(({ name }) => name), hint });
  }
  if (!(await isTransactional(session, found.engine))) {
    throw new MillraceError(
      "table_engine",
      `table "${table}" in ${place} is kept by ${found.engine || "a view"}, which knows no transactions`,
      {
        hint: `without them an epoch cannot be written exactly once: ALTER TABLE ... ENGINE = InnoDB`,
      },
    );
  }
  requireKey(target, found, place);
}

/** ON DUPLICATE KEY looks at every unique index: the key must be one, and no other may stand in its way. */
function requireKey({ table, mode, key, columns }: TableTarget, { uniqueIndexes }: TableInfo, place: string): void {
  if (mode !== "upsert" && mode !== "ignore") return;
  const within = (names: readonly (string | null)[], others: readonly string[]) =>
    names.every((name) => name !== null && others.some((other) => sameName(name, other)));
  const isKey = (names: readonly (string | null)[]) => names.length === key.length && within(names, key);
  if (!uniqueIndexes.some((index) => isKey(index.columns))) {
    throw new MillraceError("key_missing", `table "${table}" in ${place} has no unique index on ${key.join(", ")}`, {
      hint: `mode = "${mode}" finds rows by it: add one, or name the table's key in \`key\``,
    });
  }
  const other = uniqueIndexes.find(({ columns: names }) =>
    within(names, columns) && !key.every((column) => within([column], names.map(String)))
  );
  if (!other) return;
  throw new MillraceError(
    "key_ambiguous",
    `table "${table}" in ${place} has a second unique index, ${other.name}, on columns that are written`,
    {
      hint: `mode = "${mode}" could hit a row with another key through it: drop it, or write to a table without it`,
    },
  );
}
