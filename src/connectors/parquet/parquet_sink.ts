/** The `parquet` sink: settings, their check, and the plan. Everything about files, epochs and places is that of `parts`. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import { chooseColumns } from "../files/columns_setting.ts";
import { PARTS_NOTES, PARTS_SETTINGS, planParts } from "../files/parts/parts_plan.ts";
import type { CompressionName } from "./codec.ts";
import { parquetFormat } from "./parquet_file.ts";

const NOTES = `| Field | Column |
| --- | --- |
| \`int\` | INT64 |
| \`decimal(s)\` | DECIMAL(18, s) on INT64 |
| \`double\`, \`bool\` | DOUBLE, BOOLEAN |
| \`timestamp\` | TIMESTAMP(MICROS, UTC) on INT64 |
| \`date\` | DATE on INT32 |
| \`string\` | STRING |
| \`duration\` | INT64, microseconds |
| \`json\`, lists, maps, structs | JSON |

A \`?\` makes a column OPTIONAL, otherwise it is REQUIRED. Values that come again are written once per row group (a dictionary) where that
is smaller; every row group has the least and greatest value and the number of nulls of each column, so that readers skip what they do
not ask for. \`roll.size\` counts bytes of the file, what is not written yet by how much the file's earlier rows shrank.

${PARTS_NOTES}`;

export const parquetSink: SinkSpec = {
  role: "sink",
  type: "parquet",
  optionalConnection: "s3",
  local: true,
  summary: "Writes Parquet files, exactly once.",
  notes: NOTES,
  settings: {
    kind: "group",
    doc: "A folder of Parquet files.",
    fields: {
      path: { kind: "text", place: true, doc: 'The folder, or "s3://BUCKET/PREFIX". Relative paths start at the working directory.' },
      publish: {
        kind: "choice",
        default: "parts",
        doc: "When people see the rows.",
        choices: { parts: "a folder of files that appear as the run goes on, each whole and never changed, with a manifest" },
      },
      columns: { kind: "text_list", optional: true, doc: "Fields to write, in this order. Default: all." },
      ...PARTS_SETTINGS,
      compression: {
        kind: "choice",
        default: "zstd",
        doc: "Of pages.",
        choices: { zstd: "small", snappy: "for readers without zstd", none: "as they are" },
      },
      row_group: { kind: "size", default: "16MiB", doc: "Rows that are put together, by their size in memory before they are encoded." },
    },
  },
  examples: [{
    title: "A folder per day, a file at least every ten minutes",
    toml: `[sinks.lake]
type         = "parquet"
inputs       = ["payments"]
path         = "out/lake"
partition_by = { large = "amount > 1000.00" }
roll         = { size = "128MiB", every = "10m" }
`,
  }],
  plan: planParquet,
};

function planParquet(context: SinkContext): SinkPlan | null {
  const { settings, input } = context;
  const columns = chooseColumns(context);
  if (!columns) return null;
  const options = { compression: settings.text("compression") as CompressionName, rowGroupBytes: settings.number("row_group") };
  return planParts(context, settings.text("path").replace(/(?<=.)\/+$/, ""), {
    columns,
    make: () => parquetFormat(input, columns, options),
  });
}
