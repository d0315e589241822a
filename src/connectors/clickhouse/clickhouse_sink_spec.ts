/** The `clickhouse` sink: settings, their check, and the plan. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { tablePlace } from "../sql/proof_database.ts";
import { planClickhouse } from "./clickhouse_connection.ts";
import { ClickhouseSink, type ClickhouseSinkOptions, guaranteeOf } from "./clickhouse_sink.ts";
import { CLICKHOUSE_TARGET_SETTINGS, type ClickhouseMode, planClickhouseTarget } from "./clickhouse_target.ts";
import { inspectSink } from "./inspect.ts";
import { TOKEN_WINDOW } from "./limits.ts";
import { clickhouseProof, readClickhouseRows } from "./proof.ts";

export const clickhouseSink: SinkSpec = {
  role: "sink",
  type: "clickhouse",
  connection: "clickhouse",
  summary: "Writes rows into a ClickHouse table: exactly once, or the newest row of each key.",
  notes:
    `ClickHouse has no transactions to put rows and marker into. Instead every row says which it is, and what arrives again is the same row:

| mode | rows lie in | told apart by | read |
| --- | --- | --- | --- |
| \`append\` | \`TABLE_rows\`, ReplacingMergeTree | the key and \`millrace_run\`, \`millrace_lane\`, \`millrace_epoch\`, \`millrace_row\` | view \`TABLE\`: FINAL, without runs that were done again |
| \`upsert\` | \`TABLE_rows\`, ReplacingMergeTree(\`millrace_version\`, \`millrace_deleted\`) | the key; the greatest version stays: time, epoch and number of the row | view \`TABLE\`: FINAL |
| \`token\` | \`TABLE\`, any MergeTree | nothing: the server drops an insert whose token it remembers | \`TABLE\` |

\`append\` and \`upsert\` hold however late and however often an insert arrives, so no writer need be fenced. \`upsert\` needs all rows of a key in
one lane, as a source or a \`repartition\` keyed by it gives them. \`token\` writes into a table without extra columns, and promises less: the
server remembers its last inserts (\`non_replicated_deduplication_window\`, ${TOKEN_WINDOW} in a created table), those of all lanes and other
writers together, and drops a repetition only within them.

A materialized view over \`TABLE_rows\` sees repeated inserts; summaries are therefore exact where they are computed from the view \`TABLE\`, on
read or by a refreshable materialized view. \`millrace_epochs\` says which epochs were delivered whole, \`millrace_retired_runs\` which runs no
longer count. Over a cluster, let one run ask one replica: another one may not have its newest marker yet.

Rows show as they arrive: a reader may see the first inserts of a large epoch before its last. An epoch is one insert and one for its
marker, and every insert makes a part that the server has to merge: \`epoch.every\` of a second or more serves it better than many small ones.
Several pipelines that write one table are fine.

With \`create\`, numbers become Int64, Float64 and Decimal(18, S), timestamps DateTime64(6, 'UTC'), dates Date32; lists and maps of plain
values Array and Map; JSON and structs are JSON text. A table of one's own needs the columns of its mode; each of its columns must take its
field as it is. A value that a column would round or cut stops the run. A new run of an appending sink with \`create\` replaces what an
earlier one wrote (mode token: empties the table); without it is refused.`,
  settings: { kind: "group", doc: "A ClickHouse table.", fields: CLICKHOUSE_TARGET_SETTINGS },
  examples: [
    {
      title: "Every row once",
      toml:
        `[connections.warehouse]\ntype     = "clickhouse"\nurl      = "\${CLICKHOUSE_URL:-http://127.0.0.1:8123}"\ndatabase = "analytics"\n\n[sinks.table]\nconnection = "warehouse"\ninputs     = ["payments"]\ntable      = "payments"\nkey        = ["id"]\ncreate     = true\n`,
    },
    {
      title: "The newest row of each id",
      toml:
        `[connections.warehouse]\ntype = "clickhouse"\nurl  = "\${CLICKHOUSE_URL:-http://127.0.0.1:8123/analytics}"\n\n[sinks.latest]\nconnection = "warehouse"\ninputs     = ["payments"]\ntable      = "latest_payments"\nmode       = "upsert"\nkey        = ["id"]\ncreate     = true\n`,
    },
  ],
  plan: planClickhouseSink,
};

const NOTES: Readonly<Record<ClickhouseMode, string>> = {
  append: "every row says which it is; equal ones are one for whoever reads the view or with FINAL",
  upsert: "the greatest version of a key stays, for whoever reads the view or with FINAL",
  token: "the server drops a repeated insert as long as it remembers its token",
};

function planClickhouseSink(context: SinkContext): SinkPlan | null {
  const { connection: settings, name } = context;
  assert(settings, "a clickhouse sink has a connection");
  const target = planClickhouseTarget(context);
  const connection = planClickhouse(context, settings);
  if (!target || !connection) return null;
  const options: ClickhouseSinkOptions = { connection, name, target };
  return {
    guarantee: guaranteeOf(target),
    guaranteeNote: NOTES[target.mode],
    ...(target.mode === "token" ? { guaranteeHint: 'mode = "append" tells rows apart for ever' } : {}),
    needs: new Set(target.columns),
    place: tablePlace(connection.address, target.table),
    proof: clickhouseProof(context, connection, null),
    delivered: (world) => readClickhouseRows(connection, target.table, target.columns, world),
    inspect: (world) => inspectSink(options, world),
    create: (world) => new ClickhouseSink(options, world),
  };
}
