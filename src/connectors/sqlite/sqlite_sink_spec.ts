/** The `sqlite` sink: settings, their check, and the plan. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { planTableTarget, TABLE_TARGET_SETTINGS } from "../sql/table_target.ts";
import type { Decimals } from "./column_types.ts";
import { readTableRows } from "./delivered_table.ts";
import { databaseOptions } from "./sqlite_connection.ts";
import type { SqliteSinkOptions } from "./sink_lane.ts";
import { SqliteSink } from "./sqlite_sink.ts";

export const sqliteSink: SinkSpec = {
  role: "sink",
  local: true,
  type: "sqlite",
  connection: "sqlite",
  summary: "Writes rows into a SQLite table, exactly once.",
  notes: `Rows and the epoch's marker (table \`millrace_epochs\`) are committed in one transaction; a process that was superseded
changes no marker and so writes nothing. Decimals are stored as TEXT with exactly their scale, because SQLite's NUMERIC is a double:
use \`CAST(amount AS REAL)\` to compare and add in SQL, or \`decimals = "numeric"\`. A new run of an appending sink that may create its
table empties it first; without \`create\` it is refused, since it would double the rows.`,
  settings: {
    kind: "group",
    doc: "A SQLite table.",
    fields: {
      ...TABLE_TARGET_SETTINGS,
      decimals: {
        kind: "choice",
        default: "text",
        doc: "How created tables keep decimals.",
        choices: { text: "TEXT with exactly their scale", numeric: "NUMERIC, for sums and comparisons in SQL; at most 15 digits" },
      },
    },
  },
  examples: [{
    title: "One row per id, the last one wins",
    toml:
      `[sinks.table]\nconnection = "serving"\ninputs     = ["payments"]\ntable      = "payments"\nmode       = "upsert"\nkey        = ["id"]\ncreate     = true\n`,
  }],
  plan: planSqliteSink,
};

function planSqliteSink(context: SinkContext): SinkPlan | null {
  const { settings, connection, name } = context;
  assert(connection, "a sqlite sink has a connection");
  const target = planTableTarget(context);
  if (!target) return null;
  const database = databaseOptions(connection);
  const options: Omit<SqliteSinkOptions, "files"> = { ...target, database, name, decimals: settings.text("decimals") as Decimals };
  return {
    guarantee: "exactly-once",
    guaranteeNote: "rows and marker in one transaction",
    needs: new Set(target.columns),
    place: `${database.path}, table ${target.table}`,
    delivered: ({ files }) => readTableRows(database, target.table, files),
    create: ({ files }) => new SqliteSink({ ...options, files }),
  };
}
