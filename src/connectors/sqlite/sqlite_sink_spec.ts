/** The `sqlite` sink: settings, their check, and the plan. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import type { Decimals } from "./column_types.ts";
import { databaseOptions } from "./sqlite_connection.ts";
import { SqliteSink, type SqliteSinkOptions, type WriteMode } from "./sqlite_sink.ts";

export const sqliteSink: SinkSpec = {
  role: "sink",
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
      table: { kind: "text", doc: "The table's name." },
      mode: {
        kind: "choice",
        default: "append",
        doc: "What a row does.",
        choices: {
          append: "is added",
          upsert: "replaces the row with the same key",
          ignore: "is dropped when its key is there already",
          replace: "is staged; when the input has ended, the staged rows replace the table's content in one transaction",
        },
      },
      create: { kind: "bool", default: false, doc: "Makes the table where it is missing, with typed columns." },
      key: { kind: "text_list", optional: true, doc: "The columns that make a row unique: the primary key of a created table." },
      columns: { kind: "text_list", optional: true, doc: "Fields to write. Default: all." },
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
  const { settings, input, connection, name } = context;
  assert(connection, "a sqlite sink has a connection");
  const columns = settings.has("columns") ? settings.texts("columns") : input.fields.map((field) => field.name);
  const key = settings.has("key") ? settings.texts("key") : [];
  const mode = settings.text("mode") as WriteMode;
  if (!checkNames(context, columns, key) || !checkMode(context, mode, key)) return null;
  const database = databaseOptions(connection);
  const table = settings.text("table");
  const options: Omit<SqliteSinkOptions, "files"> = {
    database,
    name,
    type: input,
    table,
    mode,
    create: settings.bool("create") ? "create" : "must_exist",
    key,
    columns,
    decimals: settings.text("decimals") as Decimals,
  };
  return {
    guarantee: "exactly-once",
    guaranteeNote: "rows and marker in one transaction",
    needs: new Set(columns),
    place: `${database.path}, table ${table}`,
    create: ({ files }) => new SqliteSink({ ...options, files }),
  };
}

function checkNames(context: SinkContext, columns: readonly string[], key: readonly string[]): boolean {
  const { settings, input } = context;
  const known = input.fields.map((field) => field.name);
  let sound = true;
  const refuse = (setting: string, message: string) => {
    context.fault(settings.at(setting), message, `the rows have: ${known.join(", ")}`);
    sound = false;
  };
  for (const [i, column] of columns.entries()) {
    if (!known.includes(column)) refuse("columns", `there is no field "${column}" to write`);
    else if (columns.indexOf(column) !== i) refuse("columns", `column "${column}" is listed twice`);
  }
  for (const column of key) if (!columns.includes(column)) refuse("key", `the key's column "${column}" is not written`);
  return sound;
}

function checkMode(context: SinkContext, mode: WriteMode, key: readonly string[]): boolean {
  const { settings, bounded } = context;
  if ((mode === "upsert" || mode === "ignore") && key.length === 0) {
    context.fault(settings.at("mode"), `mode = "${mode}" needs a key`, 'for example key = ["id"]');
    return false;
  }
  if (mode === "replace" && !bounded) {
    context.fault(
      settings.at("mode"),
      'mode = "replace" needs an input that ends',
      'use mode = "upsert" with a key, or say `until` at the source',
    );
    return false;
  }
  return true;
}
