/** The `postgres` source: settings, their check, and the plan; how it reads is that of every server (sql/table_source.ts). */
import type { SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { placeOf } from "../sql/address.ts";
import { planTableRead, SqlTableSource, TABLE_SOURCE_PLAN, TABLE_SOURCE_SETTINGS } from "../sql/table_source.ts";
import { ChangesSource } from "./changes/changes_source.ts";
import { inspectChanges } from "./changes/inspect_changes.ts";
import { CHANGES_SETTINGS, planChanges, requireNoChangesSettings } from "./changes/plan_changes.ts";
import { inspectSource, withSession } from "./inspect.ts";
import { planPostgres, type PostgresAddress } from "./postgres_connection.ts";
import { postgresServer } from "./postgres_sink.ts";
import { runSetup } from "./setup.ts";
import { postgresProof } from "./proof.ts";
import { postgresQueries } from "./source_table.ts";

export const postgresSource: SourceSpec = {
  role: "source",
  type: "postgres",
  connection: "postgres",
  changelog: { setting: "read", value: "changes" },
  summary: "Reads a PostgreSQL table in the order of a key, or its changes as they are committed.",
  notes:
    `With read = "rows" it resumes by key, so it can be stopped and killed. \`meta.position\` is the row's number in that order, from 1. Numbers arrive with all their
digits, TIMESTAMP as local time of the field's \`zone\` (default UTC), TIMESTAMPTZ as what it is, arrays as lists; a value that does not fit
its field (NaN and infinities among them) rejects the row, whose bytes are the row as JSON. The key's columns are numbers, dates and
times, text, uuid, bytes, booleans or enums.

With read = "changes" it follows the server's log over a replication slot (plugin pgoutput): first the table's rows, copied to a file beside
the checkpoints from the snapshot in which the slot begins, then every insert, update and delete in the order of commits, across all
sources of the slot. Nothing is missed and nothing doubled, however often pipeline and server die: the server is told to forget its log only
up to where the checkpoint is. Large transactions are taken in pieces. \`meta.position\` counts the rows since the start, from 1. The server needs
\`wal_level = logical\`, the user the right to replicate, and, to make the publication, to own the tables.

- An update is the row as it is then; one that changes the key is a delete of the old key before it. A delete tells all values where the
  table's replica identity is full, else the key. A long value (about 2 kB and more) that an update left as it was is told with identity full
  only: without it the row is rejected as \`unchanged:F\`.
- Columns that nobody reads may come and go. One that is read and changes its type stops the pipeline, behind the rows before it
  (\`column_changed\`): when the field fits still, start again. TRUNCATE stops too, unless truncate = "ignore".
- Where the slot does not go back to the checkpoint (dropped, moved, made anew, the log removed, another timeline), the pipeline stops with
  \`changes_lost\`. \`--rerun\` copies the tables again and goes on from there.
- A slot has one reader. A second pipeline on it waits for 10 s and ends with \`slot_owned\`, exit code 3.
- **A slot that nobody reads keeps the server's log for ever.** \`check --connect\` says how much; drop it when the pipeline is given up:
  \`SELECT pg_drop_replication_slot('NAME')\`. While a table has no changes its source moves on with the log every 5 s.`,
  settings: {
    kind: "group",
    doc: "A PostgreSQL table.",
    fields: {
      ...TABLE_SOURCE_SETTINGS,
      read: {
        kind: "choice",
        default: "rows",
        doc: "What is read.",
        choices: { rows: "the rows as they are, once", changes: "the rows as they are, then every change as it is committed" },
      },
      ...CHANGES_SETTINGS,
    },
  },
  examples: [{
    title: "A table in the order of its id",
    toml:
      `[connections.bank]\ntype = "postgres"\nurl  = "\${POSTGRES_URL:-postgres://me@127.0.0.1/bank}"\n\n[sources.payments]\nconnection = "bank"\ntable      = "payments"\nread_by    = ["id"]\nfields     = { id = "int", amount = "decimal(2)" }\n`,
  }, {
    title: "The changes of two tables in the order of their commits",
    toml:
      `[connections.bank]\ntype = "postgres"\nurl  = "\${POSTGRES_URL:-postgres://me@127.0.0.1/bank}"\n\n[sources.payments]\nconnection = "bank"\ntable      = "payments"\nread       = "changes"\nslot       = "payments_and_accounts"\ncreate     = true\nfields     = { id = "int", amount = "decimal(2)" }\n\n[sources.accounts]\nconnection = "bank"\ntable      = "accounts"\nread       = "changes"\nslot       = "payments_and_accounts"\ncreate     = true\ndeletes    = "pass"\nfields     = { id = "int", owner = "string?" }\n`,
  }],
  plan: planPostgresSource,
};

function planPostgresSource(context: SourceContext): SourcePlan | null {
  const { connection, settings } = context;
  assert(connection, "a postgres source has a connection");
  const address = planPostgres(context, connection);
  if (!address) return null;
  return settings.text("read") === "changes" ? planOfChanges(context, address) : planOfRows(context, address);
}

function planOfRows(context: SourceContext, address: PostgresAddress): SourcePlan | null {
  const { schema: { unknownFields }, name, settings } = context;
  if (!requireNoChangesSettings(settings, context.fault)) return null;
  const readOf = (needed: ReadonlySet<string>) => planTableRead(context, placeOf(address), needed);
  return {
    ...TABLE_SOURCE_PLAN,
    proof: postgresProof(context, address, settings.text("table")),
    inspect: (world) => inspectSource(address, readOf(new Set()), world),
    create: (world, needed) =>
      new SqlTableSource({ name, read: readOf(needed), unknownFields }, postgresServer(address, world), {
        ...postgresQueries,
        async lookUp(session, read) {
          await runSetup(session, address.setup, world);
          return await postgresQueries.lookUp(session, read);
        },
      }),
  };
}

function planOfChanges(context: SourceContext, address: PostgresAddress): SourcePlan | null {
  const { settings, type, schema: { unknownFields } } = context;
  const plan = planChanges(context, address);
  if (!plan) return null;
  const shapeOf = (needed: ReadonlySet<string>) => ({ table: settings.text("table"), type, needed, unknownFields });
  return {
    bounded: plan.until.kind !== "never",
    partitionedBy: null,
    partitioned: false,
    inspect: (world) => withSession(address, world, (session) => inspectChanges(plan, shapeOf(new Set()), session)),
    create: (world, needed) => new ChangesSource(world, plan, shapeOf(needed)),
  };
}
