/** The `clickhouse` source: settings, their check, and the plan; how it reads is that of every server (sql/table_source.ts). */
import type { Finding, SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { placeOf } from "../sql/address.ts";
import type { ServerWorld } from "../sql/server.ts";
import { planTableRead, SqlTableSource, TABLE_SOURCE_PLAN, TABLE_SOURCE_SETTINGS, type TableRead } from "../sql/table_source.ts";
import { type ClickhouseConnection, planClickhouse } from "./clickhouse_connection.ts";
import { serverOfConnection } from "./clickhouse_sink.ts";
import { clickhouseProof } from "./proof.ts";
import { clickhouseQueries, countRows, lookUpTable } from "./source_table.ts";

export const clickhouseSource: SourceSpec = {
  role: "source",
  type: "clickhouse",
  connection: "clickhouse",
  summary: "Reads a ClickHouse table or view in the order of a key.",
  notes:
    `Resumes by key, so it can be stopped and killed; the table must keep its rows until the run has ended. \`meta.position\` is the row's
number in that order, from 1. The key's columns are integers, decimals, dates or text; since the server keeps no key unique, it is made sure at the
start that no two rows share one, which reads the key columns once. Of a table that a \`clickhouse\` sink writes, read the view. A user who may only read is
enough. Numbers arrive
with all their digits; a value that does not fit its field rejects the row, whose bytes are the row as JSON.`,
  settings: {
    kind: "group",
    doc: "A ClickHouse table or view.",
    fields: {
      ...TABLE_SOURCE_SETTINGS,
      read_by: {
        kind: "text_list",
        optional: true,
        doc: "Columns that order the rows; together unique and not null. Default: what the table is ordered by.",
      },
    },
  },
  examples: [{
    title: "A view in the order of its id",
    toml:
      `[connections.warehouse]\ntype = "clickhouse"\nurl  = "\${CLICKHOUSE_URL:-http://127.0.0.1:8123/analytics}"\n\n[sources.payments]\nconnection = "warehouse"\ntable      = "payments"\nread_by    = ["id"]\nfields     = { id = "int", amount = "decimal(2)" }\n`,
  }],
  plan: planClickhouseSource,
};

function planClickhouseSource(context: SourceContext): SourcePlan | null {
  const { connection: settings, schema: { unknownFields }, name } = context;
  assert(settings, "a clickhouse source has a connection");
  const connection = planClickhouse(context, settings);
  if (!connection) return null;
  const readOf = (needed: ReadonlySet<string>) => planTableRead(context, placeOf(connection.address), needed);
  return {
    ...TABLE_SOURCE_PLAN,
    proof: clickhouseProof(context, connection, context.settings.text("table")),
    inspect: (world) => inspectSource(connection, readOf(new Set()), world),
    create: (world, needed) =>
      new SqlTableSource({ name, read: readOf(needed), unknownFields }, serverOfConnection(connection, world), clickhouseQueries),
  };
}

/** Throws where the server does not answer, or the table cannot be read. */
async function inspectSource(connection: ClickhouseConnection, read: TableRead, world: ServerWorld): Promise<Finding[]> {
  const session = await serverOfConnection(connection, world).open();
  try {
    const table = await lookUpTable(session, read);
    const key = table.key.map(({ name }) => name).join(", ");
    const rows = await countRows(session, table);
    return [{ level: "fine", text: `ClickHouse ${session.version}: table ${read.table} has ${rows} rows, read by ${key}` }];
  } finally {
    await session.close();
  }
}
