/** The `mysql` sink: settings, their check, and the plan. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { fieldOf, planTableTarget, TABLE_TARGET_SETTINGS, type TableTarget } from "../sql/table_target.ts";
import { tablePlace } from "../sql/proof_database.ts";
import { planAddress } from "../sql/address.ts";
import { inspectSink } from "./inspect.ts";
import { MYSQL_ADDRESS } from "./mysql_connection.ts";
import { mysqlProof, readMysqlRows } from "./proof.ts";
import { type MysqlSinkOptions, mysqlTableSink } from "./mysql_sink.ts";
import { DECIMAL_PRECISION } from "./table_ddl.ts";

export const mysqlSink: SinkSpec = {
  role: "sink",
  type: "mysql",
  connection: "mysql",
  summary: "Writes rows into a MySQL or MariaDB table, exactly once.",
  notes: `Rows and the epoch's marker (table \`millrace_epochs\`) are committed in one transaction; a process that was superseded
changes no marker and so writes nothing. The table's engine must know transactions (InnoDB does), and a value that its column would
round or cut stops the run.

With \`create\`, numbers become BIGINT, DOUBLE and DECIMAL, timestamps DATETIME(6), text MEDIUMTEXT or, in a key, VARCHAR(255), compared
byte by byte; lists, maps and structs are JSON text. A table without a key gets an invisible numbered one, \`millrace_row\`, so that it can be
read in the order in which its rows came. A DATETIME column holds local time of the field's \`zone\`, default UTC.

Rows of \`append\` and \`replace\` go by LOAD DATA LOCAL where the server has \`local_infile = 1\`, else by INSERT, which takes several times as
long. A new run of an appending sink that may create its table empties it first; without \`create\` it is refused, since it would double the rows.`,
  settings: {
    kind: "group",
    doc: "A MySQL table.",
    fields: {
      ...TABLE_TARGET_SETTINGS,
      precision: {
        kind: "int",
        unit: "digits",
        min: 1,
        max: 65,
        default: DECIMAL_PRECISION,
        doc: "Digits of the decimal columns of a created table; a number with more stops the run.",
      },
      bulk_load: {
        kind: "choice",
        default: "auto",
        doc: "Whether rows may go by LOAD DATA LOCAL.",
        choices: { auto: "where mode and server allow it", off: "never: always by INSERT" },
      },
    },
  },
  examples: [{
    title: "One row per id, the last one wins",
    toml:
      `[connections.serving]\ntype = "mysql"\nurl  = "\${MYSQL_URL:-mysql://me@127.0.0.1/serving}"\n\n[sinks.table]\nconnection = "serving"\ninputs     = ["payments"]\ntable      = "payments"\nmode       = "upsert"\nkey        = ["id"]\ncreate     = true\n`,
  }],
  plan: planMysqlSink,
};

function planMysqlSink(context: SinkContext): SinkPlan | null {
  const { settings, connection, name } = context;
  assert(connection, "a mysql sink has a connection");
  const target = planTableTarget(context);
  const address = planAddress(context, connection, MYSQL_ADDRESS);
  if (!target || !address || !checkColumns(context, target)) return null;
  const bulkLoad = settings.text("bulk_load") as MysqlSinkOptions["bulkLoad"];
  const options: MysqlSinkOptions = { address, name, target, precision: settings.number("precision"), bulkLoad };
  return {
    guarantee: "exactly-once",
    guaranteeNote: "rows and marker in one transaction",
    needs: new Set(target.columns),
    place: tablePlace(address, target.table),
    proof: mysqlProof(context, address, null),
    delivered: (world) => readMysqlRows(address, target.table, target.columns, world),
    inspect: (world) => inspectSink(options, world),
    create: (world) => mysqlTableSink(options, world),
  };
}

/** What no table could hold: names that differ in case alone, keys that may be null, more decimals than digits. */
function checkColumns(context: SinkContext, target: TableTarget): boolean {
  const { settings } = context;
  const { columns, key, create } = target;
  const lower = columns.map((name) => name.toLowerCase());
  const twice = columns.find((_, i) => lower.indexOf(lower[i]) !== i);
  if (twice !== undefined) {
    context.fault(
      settings.at("columns"),
      `two columns are called "${twice}": MySQL does not tell upper case from lower`,
      "rename one in a `map`",
    );
    return false;
  }
  const nullable = create === "create" ? key.filter((name) => fieldOf(target, name).type.nullable) : [];
  if (nullable.length > 0) {
    context.fault(
      settings.at("key"),
      `the key's column "${nullable[0]}" may be null`,
      "a primary key never is: give it a value in a `map`",
    );
    return false;
  }
  return true;
}
