/**
 * What every sink into a SQL table is told in the same words: the table, the mode, the key, the columns. Invariant: a target that
 * was planned names only fields of its input, and a mode that its input and key allow.
 */
import type { SinkContext } from "../../component/component.ts";
import type { Setting } from "../../component/settings.ts";
import type { Field, RecordType } from "../../data/types.ts";

export type WriteMode = "append" | "upsert" | "ignore" | "replace";

export type RefusedSetting = "stop" | "reject";

/** Where rows go and what they do there. */
export interface TableTarget {
  readonly type: RecordType;
  readonly table: string;
  readonly mode: WriteMode;
  readonly create: "create" | "must_exist";
  /** Columns that make a row unique; empty without. */
  readonly key: readonly string[];
  /** Fields that are written, in this order. */
  readonly columns: readonly string[];
  /** What becomes of rows that the table refuses for what they hold. */
  readonly refused: RefusedSetting;
}

/** Of every sink into a table. */
export const REFUSED_SETTING = {
  kind: "choice",
  default: "stop",
  doc: "What becomes of a row that the table refuses for what it holds: a value that does not fit, a constraint, a key that is taken.",
  choices: {
    stop: "the run stops, and nothing of its epoch is in the table",
    reject: "the other rows go in, and it goes to the rejects of the sink, with the reason sink:NAME:WHY",
  },
} as const satisfies Setting;

/** The settings that `planTableTarget` reads; a sink adds its own. */
export const TABLE_TARGET_SETTINGS = {
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
  refused: REFUSED_SETTING,
} as const satisfies Readonly<Record<string, Setting>>;

/** Null when faults were reported, each at its setting. */
export function planTableTarget(context: SinkContext): TableTarget | null {
  const { settings, input } = context;
  const columns = settings.has("columns") ? settings.texts("columns") : input.fields.map((field) => field.name);
  const key = settings.has("key") ? settings.texts("key") : [];
  const mode = settings.text("mode") as WriteMode;
  const namesAreSound = checkNames(context, columns, key);
  if (!checkMode(context, mode, key) || !namesAreSound) return null;
  const create = settings.bool("create") ? "create" : "must_exist";
  const refused = settings.text("refused") as RefusedSetting;
  if (refused === "reject" && mode === "replace") {
    context.fault(
      settings.at("refused"),
      'refused = "reject" does not go with mode = "replace": rows meet the table only at the end',
      'use mode = "upsert" with a key, or leave refused out',
    );
    return null;
  }
  return { type: input, table: settings.text("table"), mode, create, key, columns, refused };
}

/** The field of one of the target's columns. */
export function fieldOf({ type }: Pick<TableTarget, "type">, column: string): Field {
  return type.fields.find((field) => field.name === column)!;
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
  if (columns.length === 0) refuse("columns", "no column is written");
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
