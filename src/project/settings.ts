/**
 * A TOML table checked against a component's declared settings: placeholders filled in, units parsed, defaults given, unknown
 * keys refused. Invariant: a group is only handed out when all of its settings are of their declared kinds.
 */
import type { Span } from "../data/fault.ts";
import type { GroupSetting, Setting, TextListSetting, TextSetting } from "../component/settings.ts";
import type { Faults } from "./faults.ts";
import { type Variables, wholeParameter } from "./interpolate.ts";
import { nearest, suggestion } from "./nearest.ts";
import type { Secrets } from "./secrets.ts";
import { CheckedGroup, type CheckedSetting } from "./setting_group.ts";
import { celFromNode, celListFromNode, celTableFromNode } from "./setting_cel.ts";
import {
  boolFromNode,
  choiceFromNode,
  durationFromNode,
  filledFromNode,
  filledListFromNode,
  intFromNode,
  sizeFromNode,
} from "./setting_scalars.ts";
import type { TomlNode, TomlTable } from "./toml.ts";

/** What every reader of a setting gets. */
export interface SettingContext {
  readonly faults: Faults;
  readonly secrets: Secrets;
  readonly variables: Variables;
  /** Where a path of this machine is taken instead; absent: as written. */
  readonly relocate?: (path: string) => string;
  /** What names at servers begin with instead; absent: they are as written. */
  readonly proof?: string;
}

/** Keys that the project reads itself, beside the component's own settings. */
export type ReservedKeys = ReadonlySet<string>;

/** The group, or null when anything in it has a fault. `title` names it for people: "the sink \"out\"". */
export function readGroup(
  declared: GroupSetting,
  table: TomlTable,
  title: string,
  context: SettingContext,
  reserved: ReservedKeys = new Set(),
): CheckedGroup | null {
  const before = context.faults.reported;
  const values = new Map<string, CheckedSetting>();
  const misspelt = new Set<string | null>();
  const leftOut = new Set<string>();
  for (const [name, entry] of table.entries) {
    const setting = Object.hasOwn(declared.fields, name) ? declared.fields[name] : undefined;
    if (setting && isLeftOut(setting, entry.value, context)) leftOut.add(name);
    else if (setting) {
      const read = readSetting(setting, entry.value, `${title}: ${name}`, context);
      if (read) values.set(name, read);
    } else if (!reserved.has(name)) {
      const known = [...Object.keys(declared.fields), ...reserved];
      misspelt.add(nearest(name, known));
      context.faults.add("unknown_key", entry.keySpan, `${title} has no setting "${name}"`, suggestion(name, known));
    }
  }
  for (const [name, setting] of Object.entries(declared.fields)) {
    if (table.entries.has(name) && !leftOut.has(name)) continue;
    const made = defaultOf(setting, table.span, `${title}: ${name}`, context);
    if (made) values.set(name, made);
    else if (!setting.optional && !misspelt.has(name)) {
      context.faults.add("missing_key", table.span, `${title} needs "${name}"`, `${name}: ${setting.doc}`);
    }
  }
  return context.faults.reported === before ? new CheckedGroup(declared, table.span, values) : null;
}

/** `count = "${params.count}"`: where the parameter is null, a setting that may stay away does. */
function isLeftOut(setting: Setting, node: TomlNode, { variables }: SettingContext): boolean {
  const mayStayAway = setting.optional || ("default" in setting && setting.default !== undefined);
  return mayStayAway === true && node.kind === "string" && wholeParameter(node.text, variables) === "null";
}

/** One value by its declaration; null when it has a fault. */
export function readSetting(setting: Setting, node: TomlNode, title: string, context: SettingContext): CheckedSetting | null {
  if (setting.kind === "text") {
    const filled = filledFromNode(node, title, context, setting.secret === true ? "secret" : "shown");
    const value = filled && (setting.place && context.relocate ? context.relocate(filled.text) : filled.text);
    return filled && { setting, span: node.span, value: value ?? "", which: 0, secret: filled.secret };
  }
  if (setting.kind === "text_list") {
    const list = filledListFromNode(node, title, context);
    const secret = list?.some((filled) => filled.secret) ?? false;
    return list && { setting, span: node.span, value: list.map(({ text }) => text), which: 0, secret };
  }
  const value = readValue(setting, node, title, context);
  if (value === null) return null;
  if (value instanceof Chosen) return { ...value.setting, which: value.which };
  return { setting, span: node.span, value, which: 0, secret: false };
}

/** The alternative of an "either" that was given. */
class Chosen {
  readonly which: number;
  readonly setting: CheckedSetting;
  constructor(which: number, setting: CheckedSetting) {
    this.which = which;
    this.setting = setting;
  }
}

type OtherSetting = Exclude<Setting, TextSetting | TextListSetting>;

function readValue(setting: OtherSetting, node: TomlNode, title: string, context: SettingContext): CheckedSetting["value"] | Chosen | null {
  switch (setting.kind) {
    case "int":
      return intFromNode(setting, node, title, context);
    case "duration":
      return durationFromNode(node, title, context);
    case "size":
      return sizeFromNode(node, title, context);
    case "bool":
      return boolFromNode(node, title, context);
    case "choice":
      return choiceFromNode(setting, node, title, context);
    case "cel":
      return celFromNode(node, title, context.faults);
    case "cel_table":
      return celTableFromNode(setting, node, title, context.faults);
    case "cel_list":
      return celListFromNode(node, title, context.faults);
    case "group":
      return node.kind === "table" ? readGroup(setting, node, title, context) : wrongKind(node, title, "a table", context);
    case "list":
      return readList(setting.item, node, title, context);
    case "map":
      return readMap(setting.item, node, title, context);
    case "either":
      return readEither(setting.of, node, title, context);
  }
}

function readList(item: GroupSetting, node: TomlNode, title: string, context: SettingContext): CheckedGroup[] | null {
  if (node.kind !== "array") return wrongKind(node, title, "a list of tables", context);
  const groups: CheckedGroup[] = [];
  node.items.forEach((element, index) => {
    const where = `${title}[${index + 1}]`;
    const group = element.kind === "table" ? readGroup(item, element, where, context) : wrongKind(element, where, "a table", context);
    if (group) groups.push(group);
  });
  return groups.length === node.items.length ? groups : null;
}

function readMap(item: GroupSetting, node: TomlNode, title: string, context: SettingContext): ReadonlyMap<string, CheckedGroup> | null {
  if (node.kind !== "table") return wrongKind(node, title, "a table of tables", context);
  const groups = new Map<string, CheckedGroup>();
  for (const [name, entry] of node.entries) {
    const where = `${title}.${name}`;
    const group = entry.value.kind === "table"
      ? readGroup(item, entry.value, where, context)
      : wrongKind(entry.value, where, "a table", context);
    if (group) groups.set(name, group);
  }
  return groups.size === node.entries.size ? groups : null;
}

function readEither(alternatives: readonly Setting[], node: TomlNode, title: string, context: SettingContext): Chosen | null {
  const which = alternatives.findIndex((alternative) => accepts(alternative, node));
  if (which < 0) return wrongKind(node, title, alternatives.map(kindText).join(" or "), context);
  const read = readSetting(alternatives[which], node, title, context);
  return read && new Chosen(which, read);
}

/** Whether the TOML kind is one that the setting takes; its content is looked at later. */
function accepts(setting: Setting, node: TomlNode): boolean {
  switch (setting.kind) {
    case "text":
    case "duration":
    case "size":
    case "choice":
      return node.kind === "string";
    case "int":
      return node.kind === "integer";
    case "bool":
      return node.kind === "boolean";
    case "cel":
      return node.kind === "string" || node.kind === "integer" || node.kind === "float" || node.kind === "boolean";
    case "cel_table":
      return node.kind === "table" || (setting.names === true && node.kind === "array");
    case "cel_list":
    case "text_list":
      return node.kind === "array" && node.items.every((item) => item.kind !== "table");
    case "list":
      return node.kind === "array";
    case "group":
    case "map":
      return node.kind === "table";
    case "either":
      return setting.of.some((alternative) => accepts(alternative, node));
  }
}

/** What a setting takes, for people. */
export function kindText(setting: Setting): string {
  switch (setting.kind) {
    case "text":
      return "a text";
    case "int":
      return `a whole number (${setting.unit})`;
    case "duration":
      return 'a duration ("10s")';
    case "size":
      return 'a size ("64KiB")';
    case "bool":
      return "true or false";
    case "choice":
      return Object.keys(setting.choices).map((choice) => `"${choice}"`).join(" | ");
    case "cel":
      return "a CEL expression";
    case "cel_table":
      return setting.names ? "a list of names or a table of CEL expressions" : "a table of CEL expressions";
    case "cel_list":
      return "a list of CEL expressions";
    case "text_list":
      return "a list of texts";
    case "group":
      return "a table";
    case "list":
      return "a list of tables";
    case "map":
      return "a table of tables";
    case "either":
      return setting.of.map(kindText).join(" or ");
  }
}

function wrongKind(node: TomlNode, title: string, wished: string, context: SettingContext): null {
  context.faults.add("wrong_type", node.span, `${title} must be ${wished}`);
  return null;
}

function defaultOf(setting: Setting, span: Span, title: string, context: SettingContext): CheckedSetting | null {
  if (setting.kind === "either") {
    for (const [which, alternative] of setting.of.entries()) {
      const made = statedDefault(alternative, span, title, context);
      if (made) return { ...made, which };
    }
    return null;
  }
  const stated = statedDefault(setting, span, title, context);
  if (stated || setting.kind !== "group" || setting.optional) return stated;
  // A group that may stay away as a whole, because all of its settings may.
  const needed = Object.values(setting.fields).some((field) => !field.optional && !defaultOf(field, span, title, context));
  if (needed) return null;
  const group = readGroup(setting, { kind: "table", entries: new Map(), span }, title, context);
  return group && { setting, span, value: group, which: 0, secret: false };
}

function statedDefault(setting: Setting, span: Span, title: string, context: SettingContext): CheckedSetting | null {
  if (!("default" in setting) || setting.default === undefined) return null;
  const made = setting.default;
  if (setting.kind !== "duration" && setting.kind !== "size") return { setting, span, value: made, which: 0, secret: false };
  const text: TomlNode = { kind: "string", text: String(made), span, place: () => span };
  return readSetting(setting, text, title, context);
}
