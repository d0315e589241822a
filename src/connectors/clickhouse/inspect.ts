/** What `check --connect` learns from a ClickHouse server: whether a table takes the rows, and what its engine really promises. Changes nothing. */
import type { Finding } from "../../component/component.ts";
import { MillraceError } from "../../data/fault.ts";
import { placeOf, serverOf } from "../sql/address.ts";
import type { ServerWorld } from "../sql/server.ts";
import { type ClickhouseSinkOptions, serverOfConnection } from "./clickhouse_sink.ts";
import type { Session } from "./driver.ts";
import { findRowsTable, requireFit } from "./prepare_table.ts";
import { rowsTable } from "./table_ddl.ts";
import { type TableInfo, tokenWindow } from "./table_info.ts";

/** Throws where the server does not answer, or the table cannot take the rows. */
export async function inspectSink(options: ClickhouseSinkOptions, world: ServerWorld): Promise<Finding[]> {
  const { connection, target } = options;
  const willMake = target.create === "create" || connection.setup.length > 0;
  const made = `will be made${connection.setup.length > 0 ? `, ${connection.setup.join(", ")} being run first` : ""}`;
  let session: Session;
  try {
    session = await serverOfConnection(connection, world).open();
  } catch (error) {
    if (!willMake || !(error instanceof MillraceError) || error.code !== "clickhouse_database") throw error;
    return [{
      level: "fine",
      text: `${serverOf(connection.address)}: database ${connection.address.database} and table ${target.table} ${made}`,
    }];
  }
  try {
    const found = await findRowsTable(session, target);
    const server = `ClickHouse ${session.version}`;
    if (found) {
      requireFit(found, target, placeOf(connection.address));
      return await findings(session, server, found, options);
    }
    if (willMake) return [{ level: "fine", text: `${server}: table ${rowsTable(target)} ${made}` }];
    return [{ level: "fault", text: `${server}: there is no table ${target.table}`, hint: "make it, or add create = true to the sink" }];
  } finally {
    await session.close();
  }
}

async function findings(session: Session, server: string, found: TableInfo, { target }: ClickhouseSinkOptions): Promise<Finding[]> {
  const { name, engine, order } = found;
  const table = `${server}: table ${name} takes the rows; ${engine}, ordered by ${order.join(", ")}`;
  if (target.mode === "token") {
    const window = await tokenWindow(session, found);
    const hint = 'mode = "append" with create = true needs no window: its rows are told apart for ever';
    return window === 0
      ? [{ level: "fault", text: `${table}; it remembers no inserts, so that a repeated one doubles its rows`, hint }]
      : [{ level: "weak", text: `${table}; a repeated insert is dropped if it comes within the next ${window} inserts of anybody`, hint }];
  }
  const promise = target.mode === "append"
    ? "exactly once for whoever reads it through the view or with FINAL"
    : "one row per key for whoever reads it through the view or with FINAL";
  return [{ level: "fine", text: `${table}; ${promise}` }];
}
