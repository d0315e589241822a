/**
 * Rows of [[tests]] as JSON text that the decoders read like any record. Invariant: numbers keep their written digits, and
 * missing fields of given rows are null where they may be, else their type's zero.
 */
import { dateText, timestampText } from "../data/time.ts";
import { type Field, type RecordType, type Type, typeText } from "../data/types.ts";
import { fill } from "./interpolate.ts";
import { suggestion } from "./nearest.ts";
import type { SettingContext } from "./settings.ts";
import type { TomlDate, TomlNode, TomlTable } from "./toml.ts";

/** A given row, completed by `defaults` and by nulls and zeros; null with faults. */
export function givenJson(
  row: TomlTable,
  defaults: TomlTable | null,
  type: RecordType,
  node: string,
  context: SettingContext,
): string | null {
  const before = context.faults.reported;
  refuseUnknown(row, type, `"${node}"`, context);
  const json = objectJson(type.fields, (name) => (row.entries.get(name) ?? defaults?.entries.get(name))?.value, context);
  return context.faults.reported === before ? json : null;
}

/** A wished row: JSON text of the named fields alone; null with faults. */
export function expectedJson(row: TomlTable, type: RecordType, node: string, context: SettingContext): ReadonlyMap<string, string> | null {
  const before = context.faults.reported;
  refuseUnknown(row, type, `"${node}"`, context);
  const fields = new Map<string, string>();
  for (const [name, { value }] of row.entries) {
    const field = type.fields.find((candidate) => candidate.name === name);
    const json = field ? nodeJson(value, field, "as written", context) : null;
    if (json !== null) fields.set(name, json);
  }
  return context.faults.reported === before ? fields : null;
}

function refuseUnknown(row: TomlTable, type: RecordType, title: string, context: SettingContext): void {
  const known = type.fields.map((field) => field.name);
  for (const [name, { keySpan }] of row.entries) {
    if (!known.includes(name)) context.faults.add("unknown_name", keySpan, `${title} has no field "${name}"`, suggestion(name, known));
  }
}

function objectJson(fields: readonly Field[], valueOf: (name: string) => TomlNode | undefined, context: SettingContext): string {
  const members = fields.map((field) => {
    const node = valueOf(field.name);
    return `${JSON.stringify(field.name)}:${node ? nodeJson(node, field, "completed", context) ?? "null" : zeroJson(field)}`;
  });
  return `{${members.join(",")}}`;
}

/** Objects inside are "completed" in given rows and kept "as written" in wished ones. */
type Filling = "completed" | "as written";

function nodeJson(node: TomlNode, field: Field | null, filling: Filling, context: SettingContext): string | null {
  const type = field?.type ?? null;
  switch (node.kind) {
    case "string": {
      const filled = fill(node, context.variables, context.faults);
      return filled && JSON.stringify(filled.text);
    }
    case "integer":
    case "boolean":
      return node.text;
    case "float":
      if (/^-?\d/.test(node.text)) return node.text;
      context.faults.add("wrong_type", node.span, `${node.text} is not a number that a record can hold`);
      return null;
    case "date":
      return dateJson(node, field, context);
    case "array": {
      const item = type?.kind === "list" ? { name: "", type: type.item } : null;
      const items = node.items.map((element) => nodeJson(element, item, filling, context));
      return items.every((text) => text !== null) ? `[${items.join(",")}]` : null;
    }
    case "table":
      return tableJson(node, type, filling, context);
  }
}

function tableJson(table: TomlTable, type: Type | null, filling: Filling, context: SettingContext): string | null {
  if (type?.kind === "struct" && filling === "completed") {
    refuseUnknown(table, type, "the object", context);
    return objectJson(type.fields, (name) => table.entries.get(name)?.value, context);
  }
  const members: string[] = [];
  for (const [name, { value }] of table.entries) {
    const inner = type?.kind === "struct"
      ? type.fields.find((field) => field.name === name) ?? null
      : type?.kind === "map"
      ? { name, type: type.value }
      : null;
    const json = nodeJson(value, inner, filling, context);
    if (json === null) return null;
    members.push(`${JSON.stringify(name)}:${json}`);
  }
  return `{${members.join(",")}}`;
}

/** A TOML date in the field's own form. For fields that are no times it is the text that was written. */
function dateJson(node: TomlDate, field: Field | null, context: SettingContext): string | null {
  const text = node.text.replace(/^(\d{4}-\d\d-\d\d)[ t]/, "$1T");
  const kind = field?.type.kind;
  if (!field || (kind !== "timestamp" && kind !== "date")) return JSON.stringify(text);
  const isFitting = kind === "date" ? node.form === "local-date" : node.form === "offset-date-time" || node.form === "local-date-time";
  const value = !isFitting ? NaN : kind === "date" ? dateText().parse(text) : timestampText(undefined, field.zone ?? "UTC").parse(text);
  if (Number.isFinite(value)) return JSON.stringify(formatTime(field, value));
  const example = kind === "date" ? "2025-01-31" : "2025-01-31T10:00:00Z";
  context.faults.add("wrong_type", node.span, `${text} is not of type ${typeText(field.type)}`, `write it as in ${example}`);
  return null;
}

function formatTime({ type, format, zone }: Field, value: number): string {
  return (type.kind === "date" ? dateText(format) : timestampText(format, zone)).format(value);
}

function zeroJson(field: Field): string {
  const { type } = field;
  if (type.nullable) return "null";
  switch (type.kind) {
    case "int":
    case "double":
    case "decimal":
    case "duration":
      return "0";
    case "bool":
      return "false";
    case "string":
      return JSON.stringify(field.oneOf?.[0] ?? "");
    case "timestamp":
    case "date":
      return JSON.stringify(formatTime(field, 0));
    case "list":
      return "[]";
    case "map":
    case "json":
      return "{}";
    case "struct":
      return `{${type.fields.map((inner) => `${JSON.stringify(inner.name)}:${zeroJson(inner)}`).join(",")}}`;
    case "null":
      return "null";
  }
}
