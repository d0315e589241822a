/** JSON Schema of single settings, for editors: what the readers of settings accept, placeholders included. */
import type { GroupSetting, Setting } from "../component/settings.ts";

/** A JSON Schema as plain data. */
export type JsonSchema = { readonly [key: string]: unknown };

/** Definitions that the schemas of settings refer to. */
export const SETTING_DEFINITIONS: JsonSchema = {
  placeholder: { type: "string", pattern: "\\$\\{", description: "${NAME}, ${NAME:-default} or ${params.x}" },
  cel: {
    anyOf: [{ type: "string" }, { type: "number" }, { type: "boolean" }],
    description: "A CEL expression; a number or a boolean stands for itself. Text constants are quoted twice: \"'text'\".",
  },
  cel_table: {
    type: "object",
    additionalProperties: { anyOf: [{ $ref: "#/definitions/cel" }, { $ref: "#/definitions/cel_table" }] },
    description: "Names to CEL expressions, in column order. Dotted keys nest.",
  },
};

const PLACEHOLDER: JsonSchema = { $ref: "#/definitions/placeholder" };
const DURATION = "^(?:[^]*\\$\\{[^]*|0|(?:[0-9]+(?:\\.[0-9]+)?(?:ns|us|µs|ms|s|m|h|d))+)$";
const SIZE = "^(?:[^]*\\$\\{[^]*|[0-9]+ *(?:B|kB|KB|MB|GB|KiB|MiB|GiB|TiB))$";

/** The schema of one setting, with its sentence and its default. */
export function settingSchema(setting: Setting): JsonSchema {
  const standard = "default" in setting && setting.default !== undefined ? { default: setting.default } : {};
  return { ...shape(setting), description: setting.doc, ...standard };
}

function shape(setting: Setting): JsonSchema {
  switch (setting.kind) {
    case "text":
      return { type: "string" };
    case "int":
      return { anyOf: [{ type: "integer", minimum: setting.min, maximum: setting.max }, PLACEHOLDER] };
    case "duration":
      return { type: "string", pattern: DURATION };
    case "size":
      return { type: "string", pattern: SIZE };
    case "bool":
      return { anyOf: [{ type: "boolean" }, PLACEHOLDER] };
    case "choice":
      return {
        anyOf: [...Object.entries(setting.choices).map(([choice, description]) => ({ const: choice, description })), PLACEHOLDER],
      };
    case "cel":
      return { allOf: [{ $ref: "#/definitions/cel" }] };
    case "cel_table": {
      const table = { $ref: "#/definitions/cel_table" };
      return setting.names ? { anyOf: [table, { type: "array", items: { type: "string" } }] } : { allOf: [table] };
    }
    case "cel_list":
      return { type: "array", items: { $ref: "#/definitions/cel" } };
    case "text_list":
      return { type: "array", items: { type: "string" } };
    case "group":
      return groupSchema(setting, {});
    case "list":
      return { type: "array", items: settingSchema(setting.item) };
    case "map":
      return { type: "object", additionalProperties: settingSchema(setting.item) };
    case "either":
      return { anyOf: setting.of.map(settingSchema) };
  }
}

/** An object with the group's settings and `more` keys beside them (which may not be left out when in `required`). */
export function groupSchema(group: GroupSetting, more: JsonSchema, required: readonly string[] = []): JsonSchema {
  const properties: Record<string, unknown> = { ...more };
  const needed = [...required];
  for (const [name, setting] of Object.entries(group.fields)) {
    properties[name] = settingSchema(setting);
    if (isRequired(setting) && !needed.includes(name)) needed.push(name);
  }
  return { type: "object", properties, additionalProperties: false, ...(needed.length > 0 && { required: needed }) };
}

/** Whether a setting must be written. */
export function isRequired(setting: Setting): boolean {
  if (setting.optional || ("default" in setting && setting.default !== undefined)) return false;
  if (setting.kind === "group") return Object.values(setting.fields).some(isRequired);
  return setting.kind !== "either" || setting.of.every(isRequired);
}
