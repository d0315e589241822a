/**
 * [schemas.X], and the same keys beside an inline `fields` of a source: types, checks and how lenient to read. Invariant: a
 * schema that is handed out has only fields whose types can be read and written.
 */
import type { SchemaPlan } from "../component/component.ts";
import type { Fault } from "../data/fault.ts";
import { MillraceError } from "../data/fault.ts";
import { dateText, timestampText } from "../data/time.ts";
import type { Field, Type } from "../data/types.ts";
import { withNull } from "../data/types.ts";
import { suggestion } from "./nearest.ts";
import type { SettingContext } from "./settings.ts";
import { TableReader } from "./table_reader.ts";
import type { TomlEntry, TomlTable } from "./toml.ts";
import { parseType } from "./type_notation.ts";

/** Keys of a schema; a source or table with `fields` may have them too. */
export const SCHEMA_KEYS = ["fields", "id", "numeric_text", "unknown_fields", "unique", "require"] as const;
const FIELD_KEYS = ["type", "format", "zone", "one_of", "tag", "fields"];

/** The schema's keys of a source's table, as a table of their own. */
export function inlineSchema(table: TomlTable): TomlTable {
  return { ...table, entries: new Map([...table.entries].filter(([key]) => (SCHEMA_KEYS as readonly string[]).includes(key))) };
}

/** Reads a schema; null with faults. */
export function readSchema(name: string, table: TomlTable, title: string, context: SettingContext): SchemaPlan | null {
  const before = context.faults.reported;
  const reader = new TableReader(table, title, SCHEMA_KEYS, context);
  reader.required("fields", `list them under [schemas.${name}.fields], as in amount = "decimal(2)"`);
  const fieldsTable = reader.inner("fields");
  const fields = fieldsTable ? readFields(fieldsTable, title, context) : [];
  if (fieldsTable && fieldsTable.entries.size === 0) reader.fault("missing_key", fieldsTable.span, `${title} has no fields`);
  const id = reader.text("id");
  const unique = reader.texts("unique") ?? [];
  const known = [...fieldsTable?.entries.keys() ?? []];
  for (const [key, names] of [["id", id === null ? [] : [id]], ["unique", unique]] as const) {
    for (const field of names) {
      if (fieldsTable && !known.includes(field)) {
        reader.fault("unknown_name", reader.at(key), `${title} has no field "${field}"`, suggestion(field, known));
      }
    }
  }
  const schema: SchemaPlan = {
    name,
    type: { fields },
    id,
    numericText: reader.choice("numeric_text", ["accept", "reject"], "reject") ?? "reject",
    unknownFields: reader.choice("unknown_fields", ["ignore", "reject"], "ignore") ?? "ignore",
    unique,
    require: readRequire(reader, title, context),
  };
  return context.faults.reported === before ? schema : null;
}

function readRequire(reader: TableReader, title: string, context: SettingContext): SchemaPlan["require"] {
  return reader.tables("require").flatMap((table) => {
    const item = new TableReader(table, `${title}: require`, ["code", "that"], context);
    item.required("code", "the reason that rejected records carry");
    item.required("that", "a CEL condition that every record meets");
    const code = item.text("code");
    const that = item.cel("that");
    return code !== null && that ? [{ code, that }] : [];
  });
}

function readFields(table: TomlTable, title: string, context: SettingContext): Field[] {
  const fields: Field[] = [];
  for (const [name, entry] of table.entries) {
    if (name === "" || name === "...") context.faults.add("bad_name", entry.keySpan, `"${name}" cannot be a field's name`);
    const field = readField(name, entry, `${title}: field "${name}"`, context);
    if (field) fields.push(field);
  }
  return fields;
}

function readField(name: string, entry: TomlEntry, title: string, context: SettingContext): Field | null {
  const { value } = entry;
  if (value.kind === "string") {
    const type = readType(entry, context);
    return type && { name, type };
  }
  if (value.kind !== "table") {
    context.faults.add("wrong_type", value.span, `${title} must be a type, a text`, 'as in "int", "decimal(2)", "string?"');
    return null;
  }
  const reader = new TableReader(value, title, FIELD_KEYS, context);
  const inner = reader.inner("fields");
  const typeEntry = reader.entry("type");
  if (!typeEntry && !inner) reader.required("type", 'as in { type = "timestamp", format = "yyyy-MM-dd HH:mm:ss" }');
  const stated = typeEntry ? readType(typeEntry, context) : null;
  const type = inner ? structType(inner, stated, reader, context) : stated;
  if (!type || (typeEntry && !stated)) return null;
  const format = reader.text("format") ?? undefined;
  const zone = reader.text("zone") ?? undefined;
  const oneOf = reader.texts("one_of") ?? undefined;
  const tag = reader.text("tag") ?? undefined;
  checkFitting(type, { format, zone, oneOf }, reader);
  return {
    name,
    type,
    ...(format !== undefined && { format }),
    ...(zone !== undefined && { zone }),
    ...(oneOf !== undefined && { oneOf }),
    ...(tag !== undefined && { tag }),
  };
}

/** `type = "json?"` beside `fields` only says that the object may be missing. */
function structType(inner: TomlTable, stated: Type | null, reader: TableReader, context: SettingContext): Type {
  if (stated && stated.kind !== "json") {
    reader.fault(
      "wrong_type",
      reader.at("type"),
      `${reader.title}: a field with fields of its own has the type json`,
      'write "json", or "json?"',
    );
  }
  const type: Type = { kind: "struct", fields: readFields(inner, reader.title, context), nullable: false };
  return stated?.nullable ? withNull(type) : type;
}

function readType(entry: TomlEntry, context: SettingContext): Type | null {
  const { value } = entry;
  if (value.kind !== "string") {
    context.faults.add("wrong_type", value.span, "a type is a text", 'as in "int", "decimal(2)", "string?"');
    return null;
  }
  const parsed = parseType(value.text);
  if ("type" in parsed) {
    if (parsed.type.kind !== "duration") return parsed.type;
    context.faults.add("type_notation", value.span, "a field cannot be a duration", "read an int and name its unit, as in wait_ms");
    return null;
  }
  const { offset, message, hint } = parsed.error;
  context.faults.add("type_notation", value.place(offset), message, hint);
  return null;
}

interface TextForm {
  readonly format?: string;
  readonly zone?: string;
  readonly oneOf?: readonly string[];
}

function checkFitting(type: Type, { format, zone, oneOf }: TextForm, reader: TableReader): void {
  const { title } = reader;
  if (format !== undefined && type.kind !== "timestamp" && type.kind !== "date") {
    reader.fault("wrong_type", reader.at("format"), `${title}: only a timestamp or a date has a format`);
  } else if (format !== undefined || zone !== undefined) {
    const fault = type.kind === "date" ? dateFault(format) : zoneFault(format, zone);
    if (fault) {
      reader.fault(
        fault.code,
        reader.at(format === undefined || fault.code === "time_zone" ? "zone" : "format"),
        `${title}: ${fault.message}`,
        fault.hint,
      );
    }
  }
  if (zone !== undefined && type.kind !== "timestamp") {
    reader.fault("wrong_type", reader.at("zone"), `${title}: only a timestamp has a zone`);
  }
  if (oneOf !== undefined && type.kind !== "string") {
    reader.fault("wrong_type", reader.at("one_of"), `${title}: only a string has one_of`, "for other types use `require`");
  }
}

type TimeFault = Pick<Fault, "code" | "message" | "hint">;

function dateFault(format: string | undefined): TimeFault | null {
  return millraceFault(() => dateText(format));
}

function zoneFault(format: string | undefined, zone: string | undefined): TimeFault | null {
  return millraceFault(() => timestampText(format, zone));
}

function millraceFault(attempt: () => unknown): TimeFault | null {
  try {
    attempt();
    return null;
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    const message = error.message.charAt(0).toLowerCase() + error.message.slice(1).replace(/\.$/, "");
    return { code: error.code, message, hint: error.hint };
  }
}
