/** The `postgres` sink: settings, their check, and the plan. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { tablePlace } from "../sql/proof_database.ts";
import { fieldOf, planTableTarget, TABLE_TARGET_SETTINGS, type TableTarget } from "../sql/table_target.ts";
import { inspectSink } from "./inspect.ts";
import { planPostgres } from "./postgres_connection.ts";
import { postgresProof, qualifiedName, readPostgresRows } from "./proof.ts";
import { type PostgresSinkOptions, postgresTableSink } from "./postgres_sink.ts";
import type { NulText } from "./row_text.ts";
import { DECIMAL_PRECISION } from "./table_ddl.ts";

export const postgresSink: SinkSpec = {
  role: "sink",
  type: "postgres",
  connection: "postgres",
  summary: "Writes rows into a PostgreSQL table, exactly once.",
  notes: `Rows and the epoch's marker (table \`millrace_epochs\`) are committed in one transaction; a process that was superseded
changes no marker and so writes nothing. All rows go by COPY: straight into the table, or, with \`upsert\` and \`ignore\`, into a temporary
table of the session and from there by INSERT ... ON CONFLICT. Of repeats within an epoch \`ignore\` keeps the first, \`upsert\` the last.

With \`create\`, numbers become BIGINT, DOUBLE PRECISION and NUMERIC, timestamps TIMESTAMPTZ(6), text TEXT; lists, maps, structs and json are
JSONB. A table without a key gets a numbered one, \`millrace_row\`, as its last column, so that it can be read in the order in which its rows
came.

A table that is there is written as it is, whatever the types of its columns, as long as they keep the values: decimals in DOUBLE PRECISION
up to 15 digits, timestamps in TEXT in the field's own format, in TIMESTAMP as local time of the field's \`zone\` (default UTC). A column that
cannot keep its field is refused before the first row; a value that a column would round or cut stops the run. Unlogged tables are refused:
the server empties them after a crash.

A new run of an appending sink that may create its table empties it first; without \`create\` it is refused, since it would double the rows.`,
  settings: {
    kind: "group",
    doc: "A PostgreSQL table.",
    fields: {
      ...TABLE_TARGET_SETTINGS,
      precision: {
        kind: "int",
        unit: "digits",
        min: 1,
        max: 1000,
        default: DECIMAL_PRECISION,
        doc: "Digits of the decimal columns of a created table; a number with more stops the run.",
      },
      nul_bytes: {
        kind: "choice",
        default: "stop",
        doc: "What becomes of NUL bytes in texts, which PostgreSQL does not keep.",
        choices: { stop: "the run stops and names the record's place", remove: "they are left out of the text" },
      },
    },
  },
  examples: [{
    title: "One row per id, repeats are ignored",
    toml:
      `[connections.bank]\ntype = "postgres"\nurl  = "\${POSTGRES_URL:-postgres://me@127.0.0.1/bank}"\n\n[sinks.table]\nconnection = "bank"\ninputs     = ["payments"]\ntable      = "payments"\nmode       = "ignore"\nkey        = ["id"]\ncreate     = true\n`,
  }],
  plan: planPostgresSink,
};

function planPostgresSink(context: SinkContext): SinkPlan | null {
  const { settings, connection, name } = context;
  assert(connection, "a postgres sink has a connection");
  const target = planTableTarget(context);
  const address = planPostgres(context, connection);
  if (!target || !address || !checkKey(context, target)) return null;
  const nul = settings.text("nul_bytes") as NulText;
  const options: PostgresSinkOptions = { address, name, target, precision: settings.number("precision"), nul };
  return {
    guarantee: "exactly-once",
    guaranteeNote: "rows and marker in one transaction",
    needs: new Set(target.columns),
    place: tablePlace(address, qualifiedName(address, target.table)),
    proof: postgresProof(context, address, null),
    delivered: (world) => readPostgresRows(address, target.table, target.columns, world),
    inspect: (world) => inspectSink(options, world),
    create: (world) => postgresTableSink(options, world),
  };
}

/** A null is equal to no other: such a key would find no row. */
function checkKey({ settings, fault }: SinkContext, target: TableTarget): boolean {
  const { key, mode, create } = target;
  const isCompared = mode === "upsert" || mode === "ignore" || create === "create";
  const nullable = isCompared ? key.find((name) => fieldOf(target, name).type.nullable) : undefined;
  if (nullable === undefined) return true;
  fault(settings.at("key"), `the key's column "${nullable}" may be null`, "a key never is: give it a value in a `map`");
  return false;
}
