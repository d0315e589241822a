/**
 * Puts an epoch's rows into a table, inside its transaction: by LOAD DATA LOCAL where that keeps every row, else by INSERT.
 * Invariant: every row is in the table exactly as it was given, or it throws. LOAD DATA LOCAL passes over what does not fit and only
 * warns; whenever it did, its rows are taken back and put in by INSERT, which refuses.
 */
import type { TextRows } from "../sql/sink_lane.ts";
import type { WriteMode } from "../sql/table_target.ts";
import type { ServerFacts, Session } from "./driver.ts";
import { isLocalRefused } from "./driver_errors.ts";
import { INSERT_BYTES_MAX, INSERT_ROWS_MAX, PARAMETERS_MAX } from "./limits.ts";
import { ROW_TEXT_SQL, RowTextReader } from "./row_text.ts";
import { atLeast } from "./table_ddl.ts";
import { quoted } from "./table_info.ts";

/** Where rows go, and how. */
export interface PutTarget {
  readonly table: string;
  readonly columns: readonly string[];
  readonly mode: WriteMode;
  readonly key: readonly string[];
}
/** Whether rows may go by LOAD DATA; `refused` is told when the server would not. */
export interface BulkLoad {
  allowed: boolean;
  refused(reason: string): void;
}

/** Within a transaction of `session`. */
export async function putRows(session: Session, target: PutTarget, rows: TextRows, bulk: BulkLoad): Promise<void> {
  const appends = target.mode === "append" || target.mode === "replace";
  if (appends && bulk.allowed && await loadRows(session, target, rows, bulk)) return;
  await insertRows(session, target, rows);
}

async function loadRows(session: Session, { table, columns }: PutTarget, { text, rows }: TextRows, bulk: BulkLoad): Promise<boolean> {
  if (!session.facts.allowsLocalInfile) {
    bulk.allowed = false;
    bulk.refused("local_infile is off at the server");
    return false;
  }
  const into = `INTO TABLE ${quoted(table)} ${ROW_TEXT_SQL} (${columns.map(quoted).join(", ")})`;
  await session.run("SAVEPOINT millrace_load");
  try {
    const loaded = await session.load(`LOAD DATA LOCAL INFILE 'rows' ${into}`, text.bytes.subarray(0, text.length));
    if (loaded.rows === rows && loaded.warnings === 0) return true;
  } catch (error) {
    if (!isLocalRefused(error)) throw error;
    bulk.allowed = false;
    bulk.refused(error instanceof Error ? error.message : "refused");
  }
  await session.run("ROLLBACK TO SAVEPOINT millrace_load");
  return false;
}

async function insertRows(session: Session, target: PutTarget, { text }: TextRows): Promise<void> {
  const width = target.columns.length;
  const rowsMax = Math.max(1, Math.min(INSERT_ROWS_MAX, Math.floor(PARAMETERS_MAX / width)));
  const bytesMax = Math.min(INSERT_BYTES_MAX, session.facts.packetBytesMax >> 1);
  const reader = new RowTextReader(text, width);
  const many = insertSql(target, rowsMax, session.facts);
  while (!reader.done) {
    const from = reader.at;
    const values: (string | null)[] = [];
    let rows = 0;
    while (!reader.done && rows < rowsMax && reader.at - from < bytesMax) {
      reader.next(values);
      rows++;
    }
    const { warnings } = await session.run(rows === rowsMax ? many : insertSql(target, rows, session.facts), values);
    if (warnings > 0) await session.requireExact();
  }
}

/** INSERT of so many rows. Names behind VALUES are how MySQL 8 speaks of the new row; MariaDB knows only VALUES(column). */
export function insertSql({ table, columns, mode, key }: PutTarget, rows: number, { flavour, version }: ServerFacts): string {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const insert = `INSERT INTO ${quoted(table)} (${columns.map(quoted).join(", ")}) VALUES ${Array(rows).fill(row).join(", ")}`;
  if (mode === "append" || mode === "replace") return insert;
  const others = columns.filter((name) => !key.includes(name));
  // INSERT IGNORE would pass over every other fault too.
  if (mode === "ignore" || others.length === 0) {
    return `${insert} ON DUPLICATE KEY UPDATE ${quoted(key[0])} = ${quoted(table)}.${quoted(key[0])}`;
  }
  if (flavour === "mysql" && atLeast(version, [8, 0, 19])) {
    const sets = others.map((name) => `${quoted(name)} = millrace_new.${quoted(name)}`);
    return `${insert} AS millrace_new ON DUPLICATE KEY UPDATE ${sets.join(", ")}`;
  }
  return `${insert} ON DUPLICATE KEY UPDATE ${others.map((name) => `${quoted(name)} = VALUES(${quoted(name)})`).join(", ")}`;
}
