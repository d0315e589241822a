/**
 * The connection `files` and its source: files in the place of a database's tables, so that one setting of the connection decides
 * which of the two a pipeline reads. The source takes what a table source takes.
 */
import type { ConnectionSpec, SourceContext, SourcePlan, SourceSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { planFile } from "./file_source.ts";
import type { FileFormat } from "./format.ts";

const TABLE = "*";

export const filesConnection: ConnectionSpec = {
  role: "connection",
  type: "files",
  summary: "Files that stand in for the tables of a database.",
  notes: `As one variant of a connection beside \`sqlite\` or \`mysql\` it lets the same source read files or tables. In \`path\`,
\`*\` stands for the table that a source names; without one, every source reads that one file.`,
  settings: {
    kind: "group",
    doc: "Files as tables.",
    fields: {
      path: { kind: "text", place: true, doc: 'The files, for example "data/*.csv". Relative paths start at the working directory.' },
      format: {
        kind: "choice",
        default: "csv",
        doc: "How records are written.",
        choices: { csv: "CSV with a header line", ndjson: "one JSON object per line" },
      },
    },
  },
  examples: [{ title: "A folder of CSV files", toml: `[connections.opening]\ntype = "files"\npath = "data/*.csv"\n` }],
};

export const filesSource: SourceSpec = {
  role: "source",
  type: "files",
  connection: "files",
  summary: "Reads a file that stands in for a table.",
  notes: "Rows come in the order of the file, and `meta.position` is the record's number in it, from 1.",
  settings: {
    kind: "group",
    doc: "A file as a table.",
    fields: {
      table: { kind: "text", doc: "Takes the place of `*` in the connection's `path`." },
      read_by: { kind: "text_list", optional: true, doc: "What orders the rows where the source is a table; a file has its own order." },
    },
  },
  examples: [{
    title: 'The file data/payments.csv, given a connection with path = "data/*.csv"',
    toml: `[sources.payments]\nconnection = "opening"\ntable      = "payments"\nfields     = { id = "int", amount = "decimal(2)" }\n`,
  }],
  plan: planFilesSource,
};

function planFilesSource(context: SourceContext): SourcePlan {
  const { settings, connection } = context;
  assert(connection, "a files source has a connection");
  const path = connection.text("path").replaceAll(TABLE, settings.text("table"));
  return planFile(path, connection.text("format") as FileFormat, context);
}
