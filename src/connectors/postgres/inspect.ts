/** What `check --connect` learns from a server: whether a table can be read or written as the project wants it. Changes nothing. */
import type { Finding } from "../../component/component.ts";
import { placeOf } from "../sql/address.ts";
import { MARKER_TABLE } from "../sql/markers.ts";
import type { ServerWorld } from "../sql/server.ts";
import type { TableRead } from "../sql/table_source.ts";
import type { Session } from "./driver.ts";
import type { PostgresAddress } from "./postgres_connection.ts";
import { postgresServer, type PostgresSinkOptions } from "./postgres_sink.ts";
import { requireFit } from "./prepare_table.ts";
import { countRows, lookUpTable } from "./source_table.ts";
import { tableInfo } from "./table_info.ts";

/** Throws where the server does not answer, or the table cannot be read. */
export async function inspectSource(address: PostgresAddress, read: TableRead, world: ServerWorld): Promise<Finding[]> {
  return await withSession(address, world, async (session) => {
    const table = await lookUpTable(session, read);
    const rows = await countRows(session, table);
    const key = table.key.map(({ name }) => name).join(", ");
    return [{ level: "fine", text: `${serverName(session)}: table ${read.table} has ${rows} rows, read by ${key}` }];
  });
}

/** Throws where the server does not answer, or the table cannot take the rows. */
export async function inspectSink({ address, target, precision }: PostgresSinkOptions, world: ServerWorld): Promise<Finding[]> {
  return await withSession(address, world, async (session) => {
    const found = await tableInfo(session, target.table);
    if (found) requireFit(found, { target, precision, place: placeOf(address) });
    const findings: Finding[] = [tableFinding(session, target.table, found ? "there" : target.create)];
    if (!found && target.create === "must_exist") return findings;
    if (!(await tableInfo(session, MARKER_TABLE))) findings.push({ level: "fine", text: `${MARKER_TABLE} will be made` });
    const [[fsync]] = await session.select("SHOW fsync");
    if (fsync === "off") {
      findings.push({
        level: "weak",
        text: "the server does not wait for its disk (fsync = off): a power cut may take back what was committed",
        hint: "set fsync = on at the server",
      });
    }
    return findings;
  });
}

function tableFinding(session: Session, table: string, state: "there" | "create" | "must_exist"): Finding {
  const server = serverName(session);
  switch (state) {
    case "there":
      return { level: "fine", text: `${server}: table ${table} takes the rows` };
    case "create":
      return { level: "fine", text: `${server}: table ${table} will be made` };
    case "must_exist":
      return { level: "fault", text: `${server}: there is no table ${table}`, hint: "make it, or add create = true to the sink" };
  }
}

const serverName = ({ facts: { version } }: Session): string => `PostgreSQL ${version}`;

/** Over one connection, opened for it and closed behind it. */
export async function withSession<T>(address: PostgresAddress, world: ServerWorld, action: (session: Session) => Promise<T>): Promise<T> {
  const session = await postgresServer(address, world).open();
  try {
    return await action(session);
  } finally {
    await session.close();
  }
}
