/** The `postgres` source: settings, their check, and the plan; how it reads is that of every server (sql/table_source.ts). */
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { placeOf } from "../sql/address.ts";
import { planTableRead, SqlTableSource, TABLE_SOURCE_PLAN, TABLE_SOURCE_SETTINGS } from "../sql/table_source.ts";
import { inspectSource } from "./inspect.ts";
import { planPostgres } from "./postgres_connection.ts";
import { postgresServer } from "./postgres_sink.ts";
import { postgresQueries } from "./source_table.ts";

export const postgresSource: SourceSpec = {
  role: "source",
  type: "postgres",
  connection: "postgres",
  summary: "Reads a PostgreSQL table in the order of a key.",
  notes:
    `Resumes by key, so it can be stopped and killed. \`meta.position\` is the row's number in that order, from 1. Numbers arrive with all their
digits, TIMESTAMP as local time of the field's \`zone\` (default UTC), TIMESTAMPTZ as what it is, arrays as lists; a value that does not fit
its field (NaN and infinities among them) rejects the row, whose bytes are the row as JSON. The key's columns are numbers, dates and
times, text, uuid, bytes, booleans or enums.`,
  settings: { kind: "group", doc: "A PostgreSQL table.", fields: TABLE_SOURCE_SETTINGS },
  examples: [{
    title: "A table in the order of its id",
    toml:
      `[connections.bank]\ntype = "postgres"\nurl  = "\${POSTGRES_URL:-postgres://me@127.0.0.1/bank}"\n\n[sources.payments]\nconnection = "bank"\ntable      = "payments"\nread_by    = ["id"]\nfields     = { id = "int", amount = "decimal(2)" }\n`,
  }],
  plan: planPostgresSource,
};

function planPostgresSource(context: SourceContext): SourcePlan | null {
  const { connection, schema: { unknownFields }, name } = context;
  assert(connection, "a postgres source has a connection");
  const address = planPostgres(context, connection);
  if (!address) return null;
  const readOf = (needed: ReadonlySet<string>) => planTableRead(context, placeOf(address), needed);
  return {
    ...TABLE_SOURCE_PLAN,
    inspect: (world) => inspectSource(address, readOf(new Set()), world),
    create: (world, needed) =>
      new SqlTableSource({ name, read: readOf(needed), unknownFields }, postgresServer(address, world), postgresQueries),
  };
}
