/** Small components for the project's tests: each asks for the kinds of settings and faults that the loader must serve. */
import type {
  ConnectionSpec,
  PlanContext,
  SchemaPlan,
  SinkContext,
  SinkPlan,
  SinkSpec,
  SourcePlan,
  SourceSpec,
  TransformContext,
  TransformPlan,
  TransformSpec,
} from "../../src/component/component.ts";
import { scopeOf } from "../../src/component/component.ts";
import type { GroupSetting, Setting } from "../../src/component/settings.ts";
import { INT, type RecordType } from "../../src/data/types.ts";
import type { Registry } from "../../src/project/mod.ts";

const group = (fields: Record<string, Setting>): GroupSetting => ({ kind: "group", doc: "Settings.", fields });
const never = (): never => {
  throw new Error("these tests plan and never run");
};
const names = (type: RecordType): Set<string> => new Set(type.fields.map((field) => field.name));

const fileSource = (type: string): SourceSpec => ({
  role: "source",
  type,
  summary: `Reads ${type} files.`,
  settings: group({
    path: { kind: "text", doc: "The file." },
    partitions: { kind: "int", unit: "partitions", min: 1, max: 64, default: 1, doc: "How many." },
    key: { kind: "text", doc: "What partitions are keyed by.", optional: true },
    until: { kind: "choice", choices: { end: "the end", never: "never" }, default: "end", doc: "When the input ends." },
  }),
  examples: [{ title: "A file", toml: `[sources.a]\ntype = "${type}"\npath = "a"\nfields = { a = "int" }` }],
  plan: ({ settings }): SourcePlan => ({
    bounded: settings.text("until") === "end",
    partitioned: settings.number("partitions") > 1,
    partitionedBy: settings.has("key") ? settings.text("key") : null,
    create: never,
  }),
});
const topicSource: SourceSpec = {
  role: "source",
  type: "log",
  connection: "log",
  summary: "Reads a topic.",
  settings: group({
    topic: { kind: "text", doc: "The topic." },
    key: { kind: "text", doc: "The topic's key.", optional: true },
    idle: { kind: "duration", default: "5s", doc: "How long to wait." },
  }),
  examples: [],
  plan: ({ settings }) => ({
    bounded: false,
    partitioned: true,
    partitionedBy: settings.has("key") ? settings.text("key") : null,
    create: never,
  }),
};

const SINK_FIELDS: Record<string, Setting> = {
  path: { kind: "text", doc: "The file or folder." },
  publish: { kind: "choice", choices: { one_file: "one file", parts: "a folder" }, default: "parts", doc: "When rows are seen." },
  order_by: { kind: "cel_list", optional: true, doc: "Sort keys." },
  columns: { kind: "text_list", optional: true, doc: "Fields to write." },
  roll: {
    kind: "group",
    doc: "When a file is closed.",
    fields: {
      size: { kind: "size", default: "64MiB", doc: "By size." },
      every: { kind: "duration", default: "1m", doc: "By time." },
    },
  },
  lanes: { kind: "int", unit: "lanes", min: 1, max: 16, default: 1, doc: "Lanes." },
  compress: { kind: "bool", default: false, doc: "Whether to compress." },
  password: { kind: "text", secret: true, optional: true, doc: "A secret." },
};

function planFileSink(context: SinkContext): SinkPlan | null {
  const { settings, input } = context;
  if (settings.text("publish") === "one_file" && !context.bounded) {
    context.fault(settings.at("publish"), "one_file needs an input that ends", 'write publish = "parts"');
    return null;
  }
  const columns = settings.texts("columns");
  const known = names(input);
  for (const column of columns) if (!known.has(column)) context.fault(settings.at("columns"), `there is no field "${column}"`);
  for (const cel of settings.celList("order_by")) context.expressions.check(cel, scopeOf(input, context), context.report);
  return {
    guarantee: "exactly-once",
    guaranteeNote: "parts have one name and one content",
    needs: columns.length > 0 ? new Set(columns) : known,
    place: settings.text("path"),
    create: never,
  };
}
const fileSink = (type: string): SinkSpec => ({
  role: "sink",
  type,
  summary: `Writes ${type} files.`,
  settings: group(SINK_FIELDS),
  examples: [],
  plan: planFileSink,
});
const consoleSink: SinkSpec = {
  role: "sink",
  type: "console",
  summary: "Prints rows.",
  settings: group({}),
  examples: [],
  plan: ({ input }) => ({
    guarantee: "at-least-once",
    guaranteeNote: "a terminal cannot be asked",
    needs: names(input),
    place: "",
    create: never,
  }),
};
const topicSink: SinkSpec = {
  role: "sink",
  type: "log",
  connection: "log",
  summary: "Writes a topic.",
  settings: group({ topic: { kind: "text", doc: "The topic." }, key: { kind: "cel", optional: true, doc: "The key." } }),
  examples: [],
  plan: ({ input, settings }) => ({
    guarantee: "exactly-once",
    guaranteeNote: "one writer",
    needs: names(input),
    place: settings.text("topic"),
    create: never,
  }),
};

/** Copies its input; `set` replaces or appends fields; state by `key`. */
const map: TransformSpec = {
  role: "transform",
  type: "map",
  summary: "Sets fields.",
  inputs: ["inputs"],
  settings: group({
    set: { kind: "cel_table", optional: true, doc: "Fields to set." },
    where: { kind: "cel", optional: true, doc: "Records to keep." },
    key: { kind: "text", optional: true, doc: "Keyed state." },
    lookup: { kind: "text_list", optional: true, doc: "Tables to look up." },
    rules: {
      kind: "list",
      optional: true,
      doc: "Rules.",
      item: group({ code: { kind: "text", doc: "Its name." }, when: { kind: "cel", doc: "Its condition." } }),
    },
    state: { kind: "map", optional: true, doc: "States.", item: group({ as: { kind: "text", doc: "Type." } }) },
    keep: {
      kind: "either",
      optional: true,
      doc: "How long.",
      of: [{ kind: "text", doc: "Words." }, group({ count: { kind: "int", unit: "rows", min: 1, max: 10, doc: "Rows." } })],
    },
  }),
  examples: [],
  plan: planMap,
};
function planMap(context: TransformContext): TransformPlan | null {
  const { settings, inputs: [{ type }], expressions } = context;
  const fields = new Map(type.fields.map((field) => [field.name, field]));
  let good = true;
  if (settings.has("where")) good = expressions.check(settings.cel("where"), scopeOf(type, context), context.report) !== null;
  for (const { path, value } of settings.celTable("set").entries) {
    const checked = expressions.check(value, scopeOf(type, context), context.report);
    if (checked) fields.set(path[0], { name: path[0], type: checked.type });
    else good = false;
  }
  for (const name of settings.texts("lookup")) {
    if (context.tables.get(name)) continue;
    context.fault(settings.at("lookup"), `there is no table "${name}"`);
    good = false;
  }
  if (!good) return null;
  const output = { fields: [...fields.values()] };
  return {
    outputs: new Map([["out", output], ["duplicates", type]]),
    needs: (
      outputs,
    ) => [new Set([...outputs.get("out") ?? [], ...outputs.get("duplicates") ?? []].filter((name) => names(type).has(name)))],
    keyedBy: settings.has("key") ? settings.text("key") : null,
    needsEnd: false,
    create: never,
  };
}

/** Every aggregate is an int; `by` gives the first columns. */
const aggregate: TransformSpec = {
  role: "transform",
  type: "aggregate",
  summary: "Adds up.",
  inputs: ["inputs"],
  settings: group({
    by: { kind: "cel_table", names: true, optional: true, doc: "Keys." },
    aggregate: { kind: "cel_table", doc: "Measures." },
  }),
  examples: [],
  plan: (context) => {
    const { settings, inputs: [{ type }] } = context;
    const read = new Set<string>();
    const keys = settings.celTable("by").entries.flatMap(({ path, value }) => {
      const checked = context.expressions.check(value, scopeOf(type, context), context.report);
      for (const name of checked?.uses ?? []) read.add(name);
      return checked ? [{ name: path[0], type: checked.type }] : [];
    });
    for (const { value } of settings.celTable("aggregate").entries) {
      const argument = /\(\s*([a-z_]+)/.exec(value.text)?.[1];
      if (argument === undefined) continue;
      if (names(type).has(argument)) read.add(argument);
      else context.fault(value.place(value.text.indexOf(argument)), `there is no field "${argument}"`);
    }
    const measures = settings.celTable("aggregate").entries.map(({ path }) => ({ name: path[0], type: INT }));
    return {
      outputs: new Map([["out", { fields: [...keys, ...measures] }]]),
      needs: () => [read],
      keyedBy: "*",
      needsEnd: true,
      create: never,
    };
  },
};
const join: TransformSpec = {
  role: "transform",
  type: "join",
  summary: "Joins.",
  inputs: ["left", "right"],
  settings: group({ on: { kind: "text_list", doc: "Keys." } }),
  examples: [],
  plan: ({ inputs: [left, right] }) => ({
    outputs: new Map([["out", left.type]]),
    needs: (outputs) => [outputs.get("out")!, names(right.type)],
    keyedBy: "*",
    needsEnd: true,
    create: never,
  }),
};
const log: ConnectionSpec = {
  role: "connection",
  type: "log",
  summary: "A folder of topics.",
  settings: group({ path: { kind: "text", doc: "The folder." } }),
  examples: [],
};
const store: ConnectionSpec = {
  role: "connection",
  type: "store",
  summary: "A server.",
  settings: group({ url: { kind: "text", doc: "Its address." } }),
  examples: [],
};

const byType = <S extends { readonly type: string }>(...specs: S[]) => new Map(specs.map((spec) => [spec.type, spec]));

/** A registry of these. */
export const registry: Registry = {
  transforms: byType(map, aggregate, join),
  sources: byType(fileSource("csv"), fileSource("ndjson"), topicSource),
  sinks: byType(fileSink("csv"), fileSink("ndjson"), consoleSink, topicSink),
  connections: byType(log, store),
};

/** An intake that reads the schema's own fields besides what is wanted. */
export function planIntake({ type, unique, require }: SchemaPlan, context: PlanContext): TransformPlan | null {
  for (const { that } of require) if (!context.expressions.check(that, scopeOf(type, context), context.report)) return null;
  return {
    outputs: new Map([["out", type]]),
    needs: (outputs) => [new Set([...outputs.get("out")!, ...unique])],
    keyedBy: null,
    needsEnd: false,
    create: never,
  };
}
