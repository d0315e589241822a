/**
 * Puts an epoch's rows into a table, inside its transaction: all go by COPY, straight into the table, or, where keys are compared, into
 * a temporary table of the session and from there on. Invariant: every row is in the table exactly as it was given, or is passed over
 * by its key, or it throws.
 */
import { assert } from "../../data/fault.ts";
import type { RowPutter, RowStream, TextRows } from "../sql/sink_lane.ts";
import type { WriteMode } from "../sql/table_target.ts";
import type { Session } from "./driver.ts";
import { PLACE_CACHE } from "./limits.ts";
import { columnOf, quoted, type TableInfo } from "./table_info.ts";

/** Where rows go, and how. */
export interface PutTarget {
  readonly table: string;
  readonly columns: readonly string[];
  readonly mode: WriteMode;
  readonly key: readonly string[];
}

/** Not a user's table: temporary ones are looked at first. */
const SESSION_TABLE = "millrace_session_rows";
/** Their order in the epoch. */
const PLACE = "millrace_place";

/** The statements of one target, made once. `info` is the table as it was found. */
export function rowPutter(target: PutTarget, info: TableInfo): Pick<RowPutter<Session>, "put" | "putBefore" | "stream"> {
  const { table, columns, mode } = target;
  const isPlain = mode === "append" || mode === "replace";
  const make = isPlain ? null : sessionTableSql(target, info);
  const move = isPlain ? null : moveSql(target);
  const copy = `COPY ${quoted(isPlain ? table : SESSION_TABLE)} (${columns.map(quoted).join(", ")}) FROM STDIN`;
  const requireAll = (copied: number, rows: number) => assert(copied === rows, `the server took ${copied} rows of ${rows}`);
  return {
    async put(session, { text, rows }: TextRows): Promise<void> {
      if (make !== null) await session.run(make);
      requireAll(await session.copy(copy, text.bytes.subarray(0, text.length)), rows);
      if (move !== null) await session.run(move);
    },
    // Else the next move would take them along.
    ...(isPlain ? {} : { putBefore: async (session: Session) => void await session.run(`DELETE FROM ${SESSION_TABLE}`) }),
    async stream(session): Promise<RowStream> {
      if (make !== null) await session.run(make);
      const { pendingBytes, add, end } = await session.openCopy(copy);
      return {
        pendingBytes,
        add,
        async end(rows) {
          requireAll(await end(), rows);
          if (move !== null) await session.run(move);
        },
      };
    },
  };
}

/** Emptied at every commit, gone with the session, and in no log of the server. */
function sessionTableSql({ columns }: PutTarget, info: TableInfo): string {
  const declared = columns.map((name) => `${quoted(name)} ${columnOf(info, name)!.declared}`);
  const place = `${PLACE} BIGINT GENERATED ALWAYS AS IDENTITY (CACHE ${PLACE_CACHE})`;
  return `CREATE TEMPORARY TABLE IF NOT EXISTS ${SESSION_TABLE} (${[...declared, place].join(", ")}) ON COMMIT DELETE ROWS`;
}

/**
 * In the order of the key, so that lanes which write the same keys wait for one another instead of blocking each other for good. The
 * first of equal keys stays when repeats are ignored, the last when they replace.
 */
export function moveSql({ table, columns, mode, key }: PutTarget): string {
  const list = columns.map(quoted).join(", ");
  const keys = key.map(quoted).join(", ");
  const others = columns.filter((name) => !key.includes(name));
  const insert = `INSERT INTO ${quoted(table)} (${list})`;
  if (mode === "ignore" || others.length === 0) {
    return `${insert} SELECT ${list} FROM ${SESSION_TABLE} ORDER BY ${keys}, ${PLACE} ON CONFLICT (${keys}) DO NOTHING`;
  }
  const last = `SELECT DISTINCT ON (${keys}) ${list} FROM ${SESSION_TABLE} ORDER BY ${keys}, ${PLACE} DESC`;
  const sets = others.map((name) => `${quoted(name)} = EXCLUDED.${quoted(name)}`);
  return `${insert} ${last} ON CONFLICT (${keys}) DO UPDATE SET ${sets.join(", ")}`;
}
