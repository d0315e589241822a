/** The `csv` and `ndjson` sinks: settings, their check, and the plan. */
import type { Example, SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import type { GroupSetting, Setting } from "../../component/settings.ts";
import { typeText } from "../../data/types.ts";
import { compileRowExpression, type RowExpression } from "../row_expressions.ts";
import { chooseColumns } from "./columns_setting.ts";
import { FileSink } from "./file_sink.ts";
import { encodingOf, type EncodingOptions, type FileFormat, type LineEnd } from "./format.ts";
import { PARTS_NOTES, PARTS_SETTINGS, planParts } from "./parts/parts_plan.ts";
import { textFormat } from "./parts/text_format.ts";
import { partsTable, readTextFile } from "./delivered_text.ts";
import { OneFilePublisher } from "./publisher.ts";
import { isSortable, type SortKey, sortKey } from "./sort_key.ts";

const COMMON: Readonly<Record<string, Setting>> = {
  path: {
    kind: "text",
    place: true,
    doc:
      "The file, or a folder: always one for `parts`, and for `one_file` where the last name has no dot; the file in it is named after the pipeline. Relative paths start at the working directory.",
  },
  publish: {
    kind: "choice",
    optional: true,
    doc: "When people see the rows. Default: one_file where the input ends, else parts.",
    choices: {
      one_file: "one file, renamed into place when the input has ended; its bytes depend neither on lanes nor on crashes",
      parts: "a folder of files that appear as the run goes on, each whole and never changed, with a manifest",
    },
  },
  order_by: {
    kind: "cel_list",
    optional: true,
    doc: "Sort keys of a file's rows; equal ones by lane and order of arrival. Nulls first. parts: of the rows of each epoch in it.",
  },
  columns: { kind: "text_list", optional: true, doc: "Fields to write, in this order. Default: all." },
  ...PARTS_SETTINGS,
};
const CSV_SETTINGS: GroupSetting = {
  kind: "group",
  doc: "A CSV file with a header line (RFC 4180).",
  fields: {
    ...COMMON,
    line_end: { kind: "choice", default: "lf", doc: "What ends a line.", choices: { lf: "\\n", crlf: "\\r\\n" } },
  },
};
const NDJSON_SETTINGS: GroupSetting = {
  kind: "group",
  doc: "One JSON object per line.",
  fields: {
    ...COMMON,
    decimals: {
      kind: "choice",
      default: "number",
      doc: "How decimals are written.",
      choices: { number: "12.30", string: '"12.30", for readers that would turn numbers into doubles' },
    },
  },
};

const NOTES =
  `\`one_file\` is for inputs that end, and for those that may: where a source says \`until\`, which another environment sets to an end. Without an end
the file does not appear.

With \`one_file\` every epoch's rows are kept as an immutable part in the state folder, under a name that follows from the epoch
alone: delivering it again changes nothing, so the sink is exactly-once without locks or transactions. The file appears by one rename
after everything in it is on disk.

${PARTS_NOTES}`;

function example(format: FileFormat): readonly Example[] {
  const toml = `[sinks.result]
type     = "${format}"
inputs   = ["payments"]
path     = "out/result.${format}"
order_by = ["meta.position"]
`;
  return [{ title: "One file in the order of the input", toml }];
}

export const csvSink: SinkSpec = {
  role: "sink",
  local: true,
  type: "csv",
  optionalConnection: "s3",
  summary: "Writes CSV files, exactly once.",
  notes: NOTES,
  settings: CSV_SETTINGS,
  examples: example("csv"),
  plan: (context) => planFileSink(context, "csv"),
};
export const ndjsonSink: SinkSpec = {
  role: "sink",
  local: true,
  type: "ndjson",
  optionalConnection: "s3",
  summary: "Writes files of one JSON object per line, exactly once.",
  notes: NOTES,
  settings: NDJSON_SETTINGS,
  examples: example("ndjson"),
  plan: (context) => planFileSink(context, "ndjson"),
};

function planFileSink(context: SinkContext, format: FileFormat): SinkPlan | null {
  const { settings, input } = context;
  const columns = chooseColumns(context);
  const keys = settings.has("order_by") ? compileOrder(context) : [];
  const publish = choosePublish(context);
  if (!columns || !keys || !publish) return null;
  const options: EncodingOptions = {
    format,
    columns,
    lineEnd: format === "csv" ? settings.text("line_end") as LineEnd : "lf",
    decimals: format === "ndjson" ? settings.text("decimals") as "number" | "string" : "number",
  };
  const key: SortKey | null = keys.length > 0 ? sortKey(keys) : null;
  const path = placeOf(context, publish, format);
  const uses = new Set(keys.flatMap((expression) => [...expression.uses]));
  if (publish === "parts") {
    return planParts(context, path, {
      columns,
      uses,
      make: () => textFormat(encodingOf(input, options), key),
      readBack: (texts) => partsTable(texts, format),
    });
  }
  return {
    guarantee: "exactly-once",
    guaranteeNote: "every epoch has one immutable part",
    needs: new Set([...columns, ...uses]),
    place: path,
    delivered: ({ files }) => readTextFile(files, path, format),
    create({ files }) {
      const { encoder, header } = encodingOf(input, options);
      const publisher = new OneFilePublisher(files, path, header);
      return new FileSink({ files, stateFolder: `${context.stateFolder}/sinks/${context.name}`, encoder, key, publisher });
    },
  };
}

/** The file of `one_file`, the folder of `parts`. */
function placeOf({ settings, pipeline }: SinkContext, publish: "one_file" | "parts", format: FileFormat): string {
  const path = settings.text("path").replace(/(?<=.)\/+$/, "");
  const last = path.slice(path.lastIndexOf("/") + 1);
  return publish === "parts" || last.includes(".") ? path : `${path}/${pipeline}.${format}`;
}

function choosePublish(context: SinkContext): "one_file" | "parts" | null {
  const { settings, bounded, mayEnd = bounded } = context;
  const publish = settings.has("publish") ? settings.text("publish") : bounded ? "one_file" : "parts";
  if (publish === "one_file" && !mayEnd) {
    context.fault(
      settings.at("publish"),
      'publish = "one_file" needs an input that ends',
      'use publish = "parts", or say `until` at the source',
    );
    return null;
  }
  if (publish === "one_file" && settings.has("partition_by")) {
    context.fault(settings.at("partition_by"), "one file has no partitions", 'leave it out, or say publish = "parts"');
    return null;
  }
  if (publish === "one_file" && settings.text("path").startsWith("s3://")) {
    context.fault(settings.at("path"), "an object store takes parts only", 'say publish = "parts"');
    return null;
  }
  return publish as "one_file" | "parts";
}

function compileOrder(context: SinkContext): readonly RowExpression[] | null {
  const keys: RowExpression[] = [];
  let failed = false;
  for (const cel of context.settings.celList("order_by")) {
    const expression = compileRowExpression(cel, context.input, context);
    if (expression && !isSortable(expression.type)) {
      context.fault(cel.span, `rows cannot be ordered by a ${typeText(expression.type)}`, "order by numbers, text, times or booleans");
      failed = true;
    } else if (expression) keys.push(expression);
    else failed = true;
  }
  return failed ? null : keys;
}
