/**
 * The JSON Schema (draft 7) that editors complete and check files with: one for pipeline files and millrace.toml. Made from the
 * same settings as everything else, so it cannot disagree with the checks; it knows shapes, not names.
 */
import type { ConnectionSpec, SinkSpec, SourceSpec, TransformSpec } from "../component/component.ts";
import { CHANGELOG_SETTINGS } from "../component/changelog.ts";
import { TIME_SETTINGS } from "../component/event_time.ts";
import { EPOCH_SETTINGS, KINDS, STATE_SETTINGS, STOP_WITHIN_SETTING, WORKERS_SETTING } from "./pipeline_settings.ts";
import { PANEL_SETTINGS } from "./panels.ts";
import type { Registry } from "./registry.ts";
import { groupSchema, type JsonSchema, SETTING_DEFINITIONS, settingSchema } from "./setting_schema.ts";

const TEXT: JsonSchema = { type: "string" };
const TEXTS: JsonSchema = { type: "array", items: TEXT };
const CEL: JsonSchema = { $ref: "#/definitions/cel" };
const TABLE: JsonSchema = { type: "object" };

/** The whole schema as plain data. */
export function jsonSchema(registry: Registry): JsonSchema {
  const sources = [...registry.sources.values()];
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "millrace",
    description: "A millrace pipeline, or the millrace.toml of a project.",
    type: "object",
    additionalProperties: false,
    properties: {
      kind: {
        description: "The subcommand that runs it.",
        anyOf: Object.entries(KINDS).map(([kind, description]) => ({ const: kind, description })),
      },
      after: { ...TEXTS, description: "Pipelines that must have reached the end of their input before." },
      workers: settingSchema(WORKERS_SETTING),
      stop_within: settingSchema(STOP_WITHIN_SETTING),
      state: { anyOf: [TEXT, settingSchema(STATE_SETTINGS)], description: `${STATE_SETTINGS.doc} A text is the folder.` },
      epoch: settingSchema(EPOCH_SETTINGS),
      params: named("Switches: --set beats env beats profile beats default.", PARAM),
      profile: { type: "object", properties: { use: TEXT }, additionalProperties: false, description: "Which profile holds." },
      profiles: named("Named sets of parameters; `pipelines` lists the files that belong to one.", TABLE),
      connections: named("One name, one variant per backend.", connectionSchema([...registry.connections.values()])),
      schemas: named("Shapes of records.", schemaSchema(["fields"])),
      tables: named(
        "Reference tables, read once at the first start or kept from a changelog, looked up by key.",
        anyNode(sources, (spec) => sourceSchema(spec, "table")),
      ),
      sources: named("Where records come from.", anyNode(sources, (spec) => sourceSchema(spec, "source"))),
      transforms: named("What is done with records.", anyNode([...registry.transforms.values()], transformSchema)),
      sinks: named("Where records go.", anyNode([...registry.sinks.values()], sinkSchema)),
      checks: named("Control totals, checked before anything is published.", CHECK),
      reports: { type: "array", items: REPORT, description: "Tables that are shown at the end." },
      panels: { type: "array", items: settingSchema(PANEL_SETTINGS), description: "Charts and tables on the page of `--dashboard`." },
      warnings: { type: "array", items: WARNING, description: "Texts that are shown when a condition over params holds." },
      tests: { type: "array", items: TEST, description: "Run by `millrace test`." },
    },
    definitions: { ...SETTING_DEFINITIONS, fields: FIELDS },
  };
}

const named = (description: string, item: JsonSchema): JsonSchema => ({ type: "object", additionalProperties: item, description });
const exact = (properties: JsonSchema, required: readonly string[]): JsonSchema => (
  { type: "object", properties, required, additionalProperties: false }
);

const PARAM = exact({
  type: { ...TEXT, description: "int, decimal(2), double, string, bool, timestamp, date, duration, list<string>; a ? allows null." },
  default: { description: "Without one, a value must be given, or be null where the type allows it." },
  env: { ...TEXT, description: "The environment variable that sets it." },
  one_of: { type: "array", description: "All values that are allowed." },
  secret: { type: "boolean", description: "Never shown." },
}, ["type"]);

const FIELDS: JsonSchema = {
  type: "object",
  description: "Field names to types, in column order.",
  additionalProperties: {
    anyOf: [
      {
        ...TEXT,
        description: "int, decimal(2), double, string, bool, timestamp, date, json, list<string>, map<string, int>; a ? allows null.",
      },
      {
        type: "object",
        properties: {
          type: TEXT,
          format: {
            ...TEXT,
            description:
              "timestamp, date: as in yyyy-MM-dd HH:mm:ss; or a number since 1970: epoch_s, epoch_ms, epoch_us. Default: RFC 3339.",
          },
          zone: { ...TEXT, description: "timestamp: the zone of text without one." },
          one_of: { ...TEXTS, description: "string: all values that are allowed." },
          tag: { ...TEXT, description: "Masks the field wherever people look." },
          fields: { $ref: "#/definitions/fields" },
        },
        additionalProperties: false,
      },
    ],
  },
};

const SCHEMA_PROPERTIES: JsonSchema = {
  fields: { $ref: "#/definitions/fields" },
  id: { ...TEXT, description: "The field that names a record." },
  numeric_text: { enum: ["accept", "reject"], description: "Whether numbers may come as text." },
  unknown_fields: { enum: ["ignore", "reject"], description: "What a field that is not named here does." },
  unique: { ...TEXTS, description: "Fields of which a second equal value is rejected (duplicate:F)." },
  require: { type: "array", items: exact({ code: TEXT, that: CEL }, ["code", "that"]), description: "Conditions that every record meets." },
};
const schemaSchema = (required: readonly string[]): JsonSchema => exact(SCHEMA_PROPERTIES, required);

const REPORT = exact({
  title: TEXT,
  node: TEXT,
  by: { anyOf: [TEXTS, { $ref: "#/definitions/cel_table" }] },
  aggregate: { $ref: "#/definitions/cel_table" },
}, ["title", "node", "aggregate"]);
const WARNING = exact({ when: CEL, text: TEXT }, ["when", "text"]);
const CHECK = exact({
  totals: { type: "array", items: exact({ name: TEXT, node: TEXT, value: CEL }, ["name", "node", "value"]) },
  that: CEL,
  else: { enum: ["fail", "warn"], description: "fail: nothing is published." },
}, ["totals", "that"]);
const TEST = exact({
  name: TEXT,
  defaults: { ...TABLE, description: "Fields of all given rows that have them." },
  given: {
    anyOf: [TABLE, { type: "array", items: TABLE }],
    description: "Rows by node, or rows in arrival order, each with `at` where the clock moves.",
  },
  clock: { description: "What the clock shows at first, a time: for rows whose time is that of their arrival." },
  at_end: {
    enum: ["close", "open", "stop"],
    description: "Behind the last row the input ends (close, the default), goes on (open), or the pipeline is stopped (stop).",
  },
  expect: {
    type: "object",
    additionalProperties: { type: "array", items: TABLE },
    description: "Rows by sink or transform; only the named fields are compared.",
  },
}, ["name", "given", "expect"]);

function connectionSchema(specs: readonly ConnectionSpec[]): JsonSchema {
  const one = specs.map((spec) => ({
    ...groupSchema(spec.settings, { type: { const: spec.type, description: spec.summary } }, ["type"]),
    description: spec.summary,
  }));
  const variants = {
    type: "object",
    properties: { use: TEXT },
    required: ["use"],
    additionalProperties: { type: "object", required: ["type"] },
  };
  return { anyOf: [...one, variants] };
}

function anyNode<S>(specs: readonly S[], schemaOf: (spec: S) => JsonSchema): JsonSchema {
  return { anyOf: specs.map(schemaOf) };
}

interface Typed {
  readonly type: string;
  readonly summary: string;
  readonly connection?: string;
  readonly optionalConnection?: string;
}

/** `type`, or for what goes through a connection `connection`, with the rest of a node's common keys. */
function typed(spec: Typed): {
  readonly properties: JsonSchema;
  readonly required: readonly string[];
} {
  const type = { anyOf: [{ const: spec.type, description: spec.summary }, { $ref: "#/definitions/placeholder" }] };
  const through = spec.connection ?? spec.optionalConnection;
  if (through === undefined) return { properties: { type }, required: ["type"] };
  return {
    properties: { type, connection: { ...TEXT, description: `A connection of type "${through}".` } },
    required: [spec.connection === undefined ? "type" : "connection"],
  };
}

function sourceSchema(spec: SourceSpec, role: "source" | "table"): JsonSchema {
  const { properties, required } = typed(spec);
  const key = role === "table" ? { key: { ...TEXT, description: "The field that look-ups find rows by." } } : {};
  const changelog = role === "table" && spec.changelog
    ? Object.fromEntries(Object.entries(CHANGELOG_SETTINGS.fields).map(([name, setting]) => [name, settingSchema(setting)]))
    : {};
  const time = role === "source" ? { time: settingSchema(TIME_SETTINGS) } : {};
  const more = {
    ...properties,
    ...key,
    ...changelog,
    ...time,
    schema: { ...TEXT, description: "The name of a schema." },
    ...SCHEMA_PROPERTIES,
  };
  const group = groupSchema(spec.settings, more, role === "table" ? [...required, "key"] : required);
  return { ...group, description: spec.summary, anyOf: [{ required: ["schema"] }, { required: ["fields"] }] };
}

function transformSchema(spec: TransformSpec): JsonSchema {
  const inputs = Object.fromEntries(spec.inputs.map((name) => [name, name === "inputs" ? { ...TEXTS, minItems: 1 } : TEXT]));
  const group = groupSchema(spec.settings, { ...typed(spec).properties, ...inputs }, ["type", ...spec.inputs]);
  return { ...group, description: spec.summary };
}

function sinkSchema(spec: SinkSpec): JsonSchema {
  const { properties, required } = typed(spec);
  const group = groupSchema(spec.settings, { ...properties, inputs: { ...TEXTS, minItems: 1 } }, [...required, "inputs"]);
  return { ...group, description: spec.summary };
}
