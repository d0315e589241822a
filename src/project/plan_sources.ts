/**
 * Plans sources and tables. Tables that all pipelines share are planned when a transform asks for them: the others are not
 * read. Invariant: a table that was handed out has a key that finds at most one row.
 */
import { CHANGELOG_SETTINGS, type MissingRow, parseMissing } from "../component/changelog.ts";
import { type EventTimePlan, TIME_SETTINGS } from "../component/event_time.ts";
import {
  isChangelog,
  type SchemaPlan,
  type SourcePlan,
  type SourceSpec,
  type TablePlan,
  type TransformPlan,
} from "../component/component.ts";
import { type Field, isNumeric, typeText } from "../data/types.ts";
import type { Placed } from "./documents.ts";
import { suggestion } from "./nearest.ts";
import { type NodeReader, type NodeReading, readSource } from "./nodes.ts";
import { planContext, type Planning } from "./plan_context.ts";
import type { PlanIntake, Registry } from "./registry.ts";
import { inlineSchema, readSchema, SCHEMA_KEYS } from "./schemas.ts";
import { textFromNode } from "./setting_scalars.ts";
import { readGroup } from "./settings.ts";
import type { CheckedGroup } from "./setting_group.ts";
import { KeyedRows } from "./table_rows.ts";
import type { TomlTable } from "./toml.ts";

/** A source after planning. `plan` is null when it has faults; its type is known all the same. */
export interface PlannedSource {
  readonly reading: NodeReading<SourceSpec> | null;
  readonly name: string;
  readonly schema: SchemaPlan | null;
  readonly plan: SourcePlan | null;
  readonly intake: TransformPlan | null;
  readonly time: PlannedTime | null;
}
/** `time` of a source. */
export interface PlannedTime {
  readonly settings: CheckedGroup;
  readonly plan: EventTimePlan;
}
/** What a table says that is kept from changes. */
export interface PlannedChangelog {
  readonly settings: CheckedGroup;
  readonly missing: MissingRow;
  readonly ready: "caught_up" | "at_once";
}
export interface PlannedTable extends PlannedSource {
  readonly key: string;
  /** null: every lane keeps its own rows. */
  readonly rows: KeyedRows | null;
  /** null: read once, at the first start. */
  readonly changelog: PlannedChangelog | null;
  readonly schema: SchemaPlan;
  /** Fields that look-ups read. */
  readonly read: Set<string>;
}
/** What sources and tables are planned from. */
export interface SourcePlanner {
  readonly planning: Planning;
  readonly registry: Registry;
  readonly reader: NodeReader;
  readonly schemas: ReadonlyMap<string, SchemaPlan | null>;
  readonly intake: PlanIntake;
}

/** Plans one [sources.X] or [tables.X]. */
export function planSource(name: string, placed: Placed, role: "source" | "table", planner: SourcePlanner): PlannedSource {
  const { planning, registry, reader } = planner;
  const { faults } = planning.settings;
  const reading = readSource(name, placed, role, registry.sources, reader);
  const table = placed.entry.value;
  const schema = table.kind === "table" ? schemaOf(name, table, `the ${role} "${name}"`, planner) : null;
  const time = role === "source" && table.kind === "table" ? readTime(name, table, schema, planner) : null;
  if (!reading?.settings || !schema || reading.connection?.settings === null) {
    return { reading, name, schema, plan: null, intake: null, time };
  }
  const context = planContext(planning, name, reading.settings, reading.connection ?? null, faults.report);
  const key = role === "table" && table.kind === "table" ? table.entries.get("key")?.value : undefined;
  const tableKey = key?.kind === "string" ? { tableKey: key.text } : {};
  const plan = reading.spec.plan({ ...context, type: schema.type, schema, ...tableKey });
  const before = faults.reported;
  // Rows of a changelog replace one another: their key is the only thing that is unique.
  const asked = role === "table" && isChangelog(reading.spec, reading.settings) ? { ...schema, unique: [] } : schema;
  const intake = asked.unique.length > 0 || asked.require.length > 0 ? planner.intake(asked, context) : null;
  return { reading, name, schema, plan: faults.reported === before ? plan : null, intake, time };
}

/** Null where there is none, and with faults. */
function readTime(name: string, table: TomlTable, schema: SchemaPlan | null, { planning }: SourcePlanner): PlannedTime | null {
  const { faults } = planning.settings;
  const entry = table.entries.get("time");
  if (!entry) return null;
  const title = `the source "${name}": time`;
  if (entry.value.kind !== "table") {
    faults.add("wrong_type", entry.value.span, `${title} must be a table`, 'time = { field = "NAME", lateness = "2s" }');
    return null;
  }
  const settings = readGroup(TIME_SETTINGS, entry.value, title, planning.settings);
  if (!settings) return null;
  const arrival = settings.text("clock") === "arrival";
  const plan: EventTimePlan = {
    field: arrival ? null : settings.has("field") ? settings.text("field") : "",
    latenessMs: settings.number("lateness"),
    idleMs: settings.number("idle"),
    late: settings.text("late") as EventTimePlan["late"],
  };
  if (plan.field === "") {
    faults.add("missing_key", entry.value.span, `${title} needs "field"`, 'the timestamp field, or clock = "arrival"');
    return null;
  }
  const field = schema?.type.fields.find((candidate) => candidate.name === plan.field);
  if (schema && plan.field !== null && !field) {
    const known = schema.type.fields.map((candidate) => candidate.name);
    faults.add("unknown_name", settings.at("field"), `${title}: there is no field "${plan.field}"`, suggestion(plan.field, known));
  } else if (field && (field.type.kind !== "timestamp" || field.type.nullable)) {
    const hint = "event time is a timestamp without ?: a record without one has no place in time";
    faults.add("wrong_type", settings.at("field"), `${title}: "${field.name}" is a ${typeText(field.type)}`, hint);
  }
  return { settings, plan };
}

/** The schema by name, or the one whose `fields` stand in the source itself. */
function schemaOf(name: string, table: TomlTable, title: string, planner: SourcePlanner): SchemaPlan | null {
  const { settings } = planner.planning;
  const named = table.entries.get("schema");
  const inline = SCHEMA_KEYS.map((key) => table.entries.get(key)).find((entry) => entry !== undefined);
  if (named && inline) {
    const message = `${title} has a schema and "${inline.key}" of its own`;
    settings.faults.add("duplicate_name", inline.keySpan, message, `move "${inline.key}" into the schema, or leave out \`schema\``);
    return null;
  }
  if (!named) {
    if (table.entries.has("fields")) return readSchema(name, inlineSchema(table), title, settings);
    const hint = 'schema = "NAME" of a [schemas.NAME], or fields = { amount = "decimal(2)", ... }';
    settings.faults.add("missing_key", table.span, `${title} needs a schema`, hint);
    return null;
  }
  const schemaName = textFromNode(named.value, `${title}: schema`, settings);
  if (schemaName === null) return null;
  const schema = planner.schemas.get(schemaName);
  if (schema !== undefined) return schema;
  const hint = suggestion(schemaName, planner.schemas.keys()) ?? `define [schemas.${schemaName}.fields]`;
  settings.faults.add("unknown_name", named.value.span, `there is no schema "${schemaName}"`, hint);
  return null;
}

/** All tables of a pipeline as transforms see them; looking one up plans it and keeps it for the blueprint. */
export class PlannedTables implements ReadonlyMap<string, TablePlan> {
  readonly #placed: ReadonlyMap<string, Placed>;
  readonly #planner: SourcePlanner;
  readonly #planned = new Map<string, PlannedTable | null>();
  readonly #asked = new Set<string>();
  #failures = 0;

  constructor(placed: ReadonlyMap<string, Placed>, planner: SourcePlanner) {
    this.#placed = placed;
    this.#planner = planner;
  }

  /** What the pipeline reads: the tables of its own file, and the shared ones that were asked for. */
  planned(): readonly PlannedTable[] {
    return [...this.#planned.values()].filter((table) => table !== null);
  }

  /** How often a table was asked for that has faults: who asked need not complain about it again. */
  get failures(): number {
    return this.#failures;
  }

  /** Plans those of the pipeline's own file, so that their faults are told even when nobody looks them up. */
  planOwn(): void {
    for (const [name, { origin }] of this.#placed) if (origin === "own") this.plan(name);
  }

  /** The table by name; null with faults, undefined where there is none. */
  plan(name: string): PlannedTable | null | undefined {
    const placed = this.#placed.get(name);
    if (!placed) return undefined;
    let table = this.#planned.get(name);
    if (table === undefined) {
      table = this.#make(name, placed);
      this.#planned.set(name, table);
    }
    return table;
  }

  #make(name: string, placed: Placed): PlannedTable | null {
    const planned = planSource(name, placed, "table", this.#planner);
    const { schema } = planned;
    if (!schema || placed.entry.value.kind !== "table") return null;
    const key = this.#key(name, placed.entry.value, schema);
    if (key === null) return null;
    const read = new Set<string>();
    const common = { ...planned, schema, key, read };
    const { reading } = planned;
    if (!reading?.settings || !isChangelog(reading.spec, reading.settings)) {
      this.#requireNoChangelogSettings(name, placed.entry.value);
      return { ...common, rows: new KeyedRows(schema.type, key, read), changelog: null };
    }
    const changelog = this.#changelog(name, placed.entry.value);
    return changelog && { ...common, rows: null, changelog };
  }

  /** They are allowed where the component can give changes; here it does not. */
  #requireNoChangelogSettings(name: string, table: TomlTable): void {
    for (const [key, { keySpan }] of table.entries) {
      if (!Object.hasOwn(CHANGELOG_SETTINGS.fields, key)) continue;
      const message = `the table "${name}" is read once: "${key}" is for tables that are kept from changes`;
      this.#planner.planning.settings.faults.add("unknown_key", keySpan, message, `take out "${key}", or read the table's changes`);
    }
  }

  #changelog(name: string, table: TomlTable): PlannedChangelog | null {
    const context = this.#planner.planning.settings;
    const own = new Map([...table.entries].filter(([key]) => Object.hasOwn(CHANGELOG_SETTINGS.fields, key)));
    const settings = readGroup(CHANGELOG_SETTINGS, { ...table, entries: own }, `the table "${name}"`, context);
    if (!settings) return null;
    const missing = parseMissing(settings.text("missing"));
    if (missing) return { settings, missing, ready: settings.text("ready") as PlannedChangelog["ready"] };
    const message = `the table "${name}": "${settings.text("missing")}" does not say what a record does whose row is not there`;
    context.faults.add("wrong_type", settings.at("missing"), message, "write null, wait 10s or emit_again");
    return null;
  }

  #key(name: string, table: TomlTable, schema: SchemaPlan): string | null {
    const { settings } = this.#planner.planning;
    const { faults } = settings;
    const entry = table.entries.get("key");
    if (!entry) {
      faults.add("missing_key", table.span, `the table "${name}" needs "key"`, 'the field that look-ups find its rows by: key = "id"');
      return null;
    }
    const key = textFromNode(entry.value, `the table "${name}": key`, settings);
    if (key === null) return null;
    const field = schema.type.fields.find((candidate) => candidate.name === key);
    if (!field) {
      const known = schema.type.fields.map((candidate) => candidate.name);
      faults.add("unknown_name", entry.value.span, `the table "${name}" has no field "${key}"`, suggestion(key, known));
      return null;
    }
    if (canBeKey(field)) return key;
    const message = `the table "${name}" cannot be keyed by "${key}"`;
    faults.add("wrong_type", entry.value.span, message, "a key is an int, string, decimal, timestamp or date without ?");
    return null;
  }

  /** Does some work, and tells which tables were asked for meanwhile. */
  watch<T>(work: () => T): { readonly result: T; readonly asked: readonly string[] } {
    this.#asked.clear();
    return { result: work(), asked: [...this.#asked] };
  }

  get(name: string): TablePlan | undefined {
    this.#asked.add(name);
    const table = this.plan(name);
    if (table === null) this.#failures++;
    if (!table) return undefined;
    const { key, schema, rows, read, changelog } = table;
    return { name, key, type: schema.type, rows, read, ...(changelog ? { missing: changelog.missing } : {}) };
  }

  has(name: string): boolean {
    return this.#placed.has(name);
  }

  get size(): number {
    return this.#placed.size;
  }

  keys(): MapIterator<string> {
    return new Map(this.#placed).keys();
  }

  entries(): MapIterator<[string, TablePlan]> {
    return this.#all().entries();
  }

  values(): MapIterator<TablePlan> {
    return this.#all().values();
  }

  [Symbol.iterator](): MapIterator<[string, TablePlan]> {
    return this.entries();
  }

  forEach(callback: (value: TablePlan, key: string, map: ReadonlyMap<string, TablePlan>) => void): void {
    for (const [name, table] of this.#all()) callback(table, name, this);
  }

  #all(): Map<string, TablePlan> {
    const all = new Map<string, TablePlan>();
    for (const name of this.#placed.keys()) {
      const table = this.get(name);
      if (table) all.set(name, table);
    }
    return all;
  }
}

function canBeKey({ type }: Field): boolean {
  if (type.nullable || type.kind === "double" || type.kind === "bool") return false;
  return type.kind === "string" || isNumeric(type);
}
