/** The `mysql` source: settings, their check, and the plan; how it reads is that of every server (sql/table_source.ts). */
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { placeOf, planAddress } from "../sql/address.ts";
import { SqlServer } from "../sql/server.ts";
import { planTableRead, SqlTableSource, TABLE_SOURCE_PLAN, TABLE_SOURCE_SETTINGS } from "../sql/table_source.ts";
import { Session } from "./driver.ts";
import { inspectSource } from "./inspect.ts";
import { MYSQL_ADDRESS } from "./mysql_connection.ts";
import { mysqlProof } from "./proof.ts";
import { mysqlQueries } from "./source_table.ts";

export const mysqlSource: SourceSpec = {
  role: "source",
  type: "mysql",
  connection: "mysql",
  summary: "Reads a MySQL or MariaDB table in the order of a key.",
  notes:
    `Resumes by key, so it can be stopped and killed. \`meta.position\` is the row's number in that order, from 1. Numbers arrive with all their
digits, DATETIME as local time of the field's \`zone\` (default UTC), TIMESTAMP as what it is; a value that does not fit its field rejects
the row, whose bytes are the row as JSON. The key's columns are numbers but FLOAT, dates and times, text or bytes.`,
  settings: {
    kind: "group",
    doc: "A MySQL table.",
    fields: TABLE_SOURCE_SETTINGS,
  },
  examples: [{
    title: "A table in the order of its id",
    toml:
      `[connections.serving]\ntype = "mysql"\nurl  = "\${MYSQL_URL:-mysql://me@127.0.0.1/serving}"\n\n[sources.payments]\nconnection = "serving"\ntable      = "payments"\nread_by    = ["id"]\nfields     = { id = "int", amount = "decimal(2)" }\n`,
  }],
  plan: planMysqlSource,
};

function planMysqlSource(context: SourceContext): SourcePlan | null {
  const { connection, settings, schema: { unknownFields }, name } = context;
  assert(connection, "a mysql source has a connection");
  const address = planAddress(context, connection, MYSQL_ADDRESS);
  if (!address) return null;
  const readOf = (needed: ReadonlySet<string>) => planTableRead(context, placeOf(address), needed);
  return {
    ...TABLE_SOURCE_PLAN,
    proof: mysqlProof(context, address, settings.text("table")),
    inspect: (world) => inspectSource(address, readOf(new Set()), world),
    create: (world, needed) => {
      const server = new SqlServer(address, world, (login) => Session.open(login));
      return new SqlTableSource({ name, read: readOf(needed), unknownFields }, server, mysqlQueries);
    },
  };
}
