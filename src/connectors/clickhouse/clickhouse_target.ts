/** Where rows go and what they do there, from a sink's settings. Invariant: a target names only fields of its input. */
import type { SinkContext } from "../../component/component.ts";
import type { Setting } from "../../component/settings.ts";
import type { Field, RecordType } from "../../data/types.ts";

/** "append": every row once. "upsert": the newest row of a key. "token": every row, repeated inserts being dropped by the server. */
export type ClickhouseMode = "append" | "upsert" | "token";

export interface ClickhouseTarget {
  readonly type: RecordType;
  /** What people read. */
  readonly table: string;
  readonly mode: ClickhouseMode;
  readonly create: "create" | "must_exist";
  /** What the table is ordered by; in "upsert" it makes a row unique. */
  readonly key: readonly string[];
  /** Fields that are written, in this order. */
  readonly columns: readonly string[];
}

export const CLICKHOUSE_TARGET_SETTINGS = {
  table: { kind: "text", doc: "What people read. Rows lie in TABLE_rows; in mode token in the table itself." },
  mode: {
    kind: "choice",
    default: "append",
    doc: "What a row does.",
    choices: {
      append: "is added, exactly once",
      upsert: "replaces the row with the same key; a row that says its key is no more removes it",
      token: "is added to a table of any MergeTree engine, repeated inserts being dropped by the server as long as it remembers them",
    },
  },
  create: { kind: "bool", default: false, doc: "Makes the database, the table and its view where they are missing, with typed columns." },
  key: {
    kind: "text_list",
    optional: true,
    doc: "The columns that a created table is ordered by; with upsert those that make a row unique.",
  },
  columns: { kind: "text_list", optional: true, doc: "Fields to write. Default: all." },
} as const satisfies Readonly<Record<string, Setting>>;

/** Columns that millrace adds begin so. */
const RESERVED = "millrace_";

/** Null when faults were reported, each at its setting. */
export function planClickhouseTarget(context: SinkContext): ClickhouseTarget | null {
  const { settings, input } = context;
  const known = input.fields.map((field) => field.name);
  const columns = settings.has("columns") ? settings.texts("columns") : known;
  const key = settings.has("key") ? settings.texts("key") : [];
  const mode = settings.text("mode") as ClickhouseMode;
  const create = settings.bool("create") ? "create" : "must_exist";
  let sound = true;
  const refuse = (setting: string, message: string, hint: string) => {
    context.fault(settings.at(setting), message, hint);
    sound = false;
  };
  const rowsHave = `the rows have: ${known.join(", ")}`;
  for (const [at, column] of columns.entries()) {
    if (!known.includes(column)) refuse("columns", `there is no field "${column}" to write`, rowsHave);
    else if (columns.indexOf(column) !== at) refuse("columns", `column "${column}" is listed twice`, rowsHave);
    else if (column.startsWith(RESERVED)) {
      refuse("columns", `column "${column}" has a name that the sink uses itself`, "rename it in a `map`");
    }
  }
  if (columns.length === 0) refuse("columns", "no column is written", rowsHave);
  for (const column of key) {
    if (!columns.includes(column)) refuse("key", `the key's column "${column}" is not written`, rowsHave);
    else if (input.fields.find(({ name }) => name === column)!.type.nullable && create === "create") {
      refuse("key", `the key's column "${column}" may be null`, "what a table is ordered by never is: give it a value in a `map`");
    }
  }
  if (mode === "upsert" && key.length === 0) refuse("mode", 'mode = "upsert" needs a key', 'for example key = ["id"]');
  return sound ? { type: input, table: settings.text("table"), mode, create, key, columns } : null;
}

/** The field of one of the target's columns. */
export function fieldOf({ type }: Pick<ClickhouseTarget, "type">, column: string): Field {
  return type.fields.find((field) => field.name === column)!;
}
