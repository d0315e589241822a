/** Reads [sources.X], [tables.X], [transforms.X] and [sinks.X]: which component it is, its settings and its connection. */
import { CHANGELOG_SETTINGS } from "../component/changelog.ts";
import type { ComponentSpec, SinkSpec, SourceSpec, TransformSpec } from "../component/component.ts";
import type { Span } from "../data/fault.ts";
import type { Connection, Connections } from "./connections.ts";
import { isTable, type Placed } from "./documents.ts";
import { suggestion } from "./nearest.ts";
import { SCHEMA_KEYS } from "./schemas.ts";
import type { CheckedGroup } from "./setting_group.ts";
import { textFromNode } from "./setting_scalars.ts";
import { readGroup, type SettingContext } from "./settings.ts";
import type { TomlTable } from "./toml.ts";

/** A node as it was read. `settings` is null when they have faults. */
export interface NodeReading<S extends ComponentSpec> {
  readonly name: string;
  /** Of the node's name. */
  readonly span: Span;
  readonly table: TomlTable;
  readonly spec: S;
  readonly settings: CheckedGroup | null;
  readonly connection: Connection | null;
}
export interface NodeReader {
  readonly connections: Connections;
  readonly context: SettingContext;
}

const NODE_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const NODE_KEYS = ["type", "connection", "schema", ...SCHEMA_KEYS];

/** A source, which may have `time`; a table has `key`, and where its source gives changes what CHANGELOG_SETTINGS names. */
export function readSource(
  name: string,
  placed: Placed,
  role: "source" | "table",
  specs: ReadonlyMap<string, SourceSpec>,
  reader: NodeReader,
): NodeReading<SourceSpec> | null {
  if (role === "source") return readNode(name, placed, role, specs, () => [...NODE_KEYS, "time"], reader);
  const changelog = Object.keys(CHANGELOG_SETTINGS.fields);
  const keys = (spec: SourceSpec): readonly string[] => [...NODE_KEYS, "key", ...(spec.changelog ? changelog : [])];
  return readNode(name, placed, role, new Map([...specs].map(([type, spec]) => [type, asTable(spec)])), keys, reader);
}

/** What fills a table goes on as long as those who look into it, unless somebody says when it ends. */
function asTable(spec: SourceSpec): SourceSpec {
  const { until } = spec.settings.fields;
  if (!spec.changelog || until?.kind !== "text") return spec;
  return { ...spec, settings: { ...spec.settings, fields: { ...spec.settings.fields, until: { ...until, default: "never" } } } };
}

/** A transform; its inputs are left to the graph. */
export function readTransform(
  name: string,
  placed: Placed,
  specs: ReadonlyMap<string, TransformSpec>,
  reader: NodeReader,
): NodeReading<TransformSpec> | null {
  return readNode(name, placed, "transform", specs, (spec) => ["type", ...spec.inputs], reader);
}

/** A sink; its inputs are left to the graph. */
export function readSink(
  name: string,
  placed: Placed,
  specs: ReadonlyMap<string, SinkSpec>,
  reader: NodeReader,
): NodeReading<SinkSpec> | null {
  return readNode(name, placed, "sink", specs, () => ["type", "connection", "inputs"], reader);
}

function readNode<S extends SourceSpec | SinkSpec | TransformSpec>(
  name: string,
  { entry }: Placed,
  role: string,
  specs: ReadonlyMap<string, S>,
  reserved: (spec: S) => readonly string[],
  reader: NodeReader,
): NodeReading<S> | null {
  const { faults } = reader.context;
  if (!NODE_NAME.test(name)) {
    faults.add("bad_name", entry.keySpan, `"${name}" cannot be a node's name`, "letters, digits, _ and -, beginning with a letter");
    return null;
  }
  if (!isTable(entry, faults)) return null;
  const table = entry.value;
  const title = `the ${role} "${name}"`;
  const connection = role === "transform" ? null : readConnection(table, title, reader);
  if (connection === undefined) return null;
  const spec = readType(table, title, role, connection, specs, reader);
  if (!spec) return null;
  if (connection) checkConnection(table, title, spec, connection, reader);
  else if ("connection" in spec && spec.connection !== undefined) {
    const hint = `connection = "NAME", of a [connections.NAME] with type = "${spec.connection}"`;
    faults.add("missing_key", table.span, `${title} needs "connection"`, hint);
  }
  const settings = readGroup(spec.settings, table, title, reader.context, new Set(reserved(spec)));
  return { name, span: entry.keySpan, table, spec, settings, connection };
}

/** Null without one; undefined when it cannot be used. */
function readConnection(table: TomlTable, title: string, reader: NodeReader): Connection | null | undefined {
  const entry = table.entries.get("connection");
  if (!entry) return null;
  const { faults } = reader.context;
  const name = textFromNode(entry.value, `${title}: connection`, reader.context);
  if (name === null) return undefined;
  const connection = reader.connections.get(name);
  if (connection === undefined) {
    const names = [...reader.connections.names()];
    faults.add(
      "unknown_name",
      entry.value.span,
      `there is no connection "${name}"`,
      suggestion(name, names) ?? `define [connections.${name}]`,
    );
    return undefined;
  }
  return connection ?? undefined;
}

/** The component: named by `type`, or the one that goes with the connection. */
function readType<S extends SourceSpec | SinkSpec | TransformSpec>(
  table: TomlTable,
  title: string,
  role: string,
  connection: Connection | null,
  specs: ReadonlyMap<string, S>,
  reader: NodeReader,
): S | null {
  const { faults } = reader.context;
  const entry = table.entries.get("type");
  const kind = role === "table" ? "source" : role;
  if (!entry && !connection) {
    const known = [...specs.keys()].join(", ");
    const other = role === "transform" ? "" : "; or name a connection";
    faults.add("missing_key", table.span, `${title} needs "type"`, `one of: ${known}${other}`);
    return null;
  }
  const type = entry ? textFromNode(entry.value, `${title}: type`, reader.context) : connection!.type;
  if (type === null) return null;
  const spec = specs.get(type);
  if (spec) return spec;
  const span = (entry ?? table.entries.get("connection")!).value.span;
  const message = entry ? `there is no ${kind} of type "${type}"` : `a connection of type "${type}" cannot be a ${kind}`;
  faults.add("unknown_name", span, message, suggestion(type, specs.keys()));
  return null;
}

function checkConnection(
  table: TomlTable,
  title: string,
  spec: SourceSpec | SinkSpec | TransformSpec,
  connection: Connection,
  reader: NodeReader,
): void {
  const wished = "connection" in spec && spec.connection !== undefined
    ? spec.connection
    : spec.role === "sink"
    ? spec.optionalConnection
    : undefined;
  if (wished === connection.type) return;
  const message = wished === undefined
    ? `${title}: type "${spec.type}" takes no connection`
    : `${title}: type "${spec.type}" needs a connection of type "${wished}", and "${connection.name}" is of type "${connection.type}"`;
  reader.context.faults.add("wrong_type", table.entries.get("connection")!.value.span, message);
}
