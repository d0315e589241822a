/** The reference pages, one for each component and an index: Markdown made from the components' own definitions. */
import type { ComponentSpec, SinkSpec } from "../component/component.ts";
import type { GroupSetting, Setting } from "../component/settings.ts";
import { CHANGELOG_SETTINGS } from "../component/changelog.ts";
import { TIME_SETTINGS } from "../component/event_time.ts";
import { EPOCH_SETTINGS } from "./pipeline_settings.ts";
import { PANEL_SETTINGS } from "./panels.ts";
import type { Registry } from "./registry.ts";
import { isRequired } from "./setting_schema.ts";
import { kindText } from "./settings.ts";

const ROLES = ["sources", "transforms", "sinks", "connections"] as const;

/** Pages by their path below docs/reference. */
export function referencePages(registry: Registry): Map<string, string> {
  const pages = new Map<string, string>();
  const index = ["# Reference", "", "Generated from the components' definitions; do not edit.", ""];
  for (const role of ROLES) {
    const specs = [...registry[role].values()].sort((a, b) => a.type < b.type ? -1 : 1);
    index.push(`## ${role[0].toUpperCase()}${role.slice(1)}`, "");
    for (const spec of specs) {
      const path = `${spec.role}_${spec.type}.md`;
      pages.set(path, page(spec));
      index.push(`- [${spec.type}](${path}): ${spec.summary}`);
    }
    index.push("");
  }
  index.push(
    "## Event time of a source",
    "",
    TIME_SETTINGS.doc,
    'Written as `time = { field = "...", lateness = "2s" }` of any source.',
    "",
  );
  index.push(...settingsTable(TIME_SETTINGS), "");
  index.push("## Tables kept from a changelog", "", CHANGELOG_TEXT, "", ...settingsTable(CHANGELOG_SETTINGS), "");
  index.push("## [epoch]", "", EPOCH_SETTINGS.doc, "", ...settingsTable(EPOCH_SETTINGS), "");
  index.push("## [[panels]]", "", PANEL_SETTINGS.doc, "", ...settingsTable(PANEL_SETTINGS), "");
  pages.set("README.md", `${index.join("\n").trimEnd()}\n`);
  return pages;
}

const CHANGELOG_TEXT =
  "A `[tables.NAME]` over a source that gives changes holds the newest row of each key, as they come; a row that is marked deleted takes its key out. " +
  "Every lane reads all of it and keeps the key and the fields that look-ups read.";

function page(spec: ComponentSpec): string {
  const lines = [`# ${spec.type} (${spec.role})`, "", spec.summary, ""];
  lines.push(...commonKeys(spec), "");
  if (Object.keys(spec.settings.fields).length > 0) lines.push("## Settings", "", ...settingsTable(spec.settings), "");
  if (spec.notes) lines.push("## Notes", "", spec.notes.trim(), "");
  if (spec.examples.length > 0) lines.push("## Examples", "");
  for (const { title, toml } of spec.examples) lines.push(`### ${title}`, "", "```toml", toml.trim(), "```", "");
  return `${lines.join("\n").trimEnd()}\n`;
}

function commonKeys(spec: ComponentSpec): string[] {
  switch (spec.role) {
    case "source":
      return [
        `Written as \`[sources.NAME]\` with ${
          typeOf(spec.type, spec.connection)
        } and \`schema = "..."\` or \`fields = { ... }\`; as \`[tables.NAME]\` with \`key\` besides${
          spec.changelog ? ": a table that is [kept from its changes](README.md#tables-kept-from-a-changelog)" : ""
        }.`,
      ];
    case "transform": {
      const inputs = spec.inputs.map((input) => input === "inputs" ? '`inputs = ["..."]`' : `\`${input} = "..."\``);
      return [`Written as \`[transforms.NAME]\` with \`type = "${spec.type}"\` and ${inputs.join(", ")}.`];
    }
    case "sink":
      return [`Written as \`[sinks.NAME]\` with ${typeOf(spec.type, spec.connection)} and \`inputs = ["..."]\`${optionalText(spec)}.`];
    case "connection":
      return [`Written as \`[connections.NAME]\` with \`type = "${spec.type}"\`, or as one of several variants chosen by \`use\`.`];
  }
}

const optionalText = ({ optionalConnection }: SinkSpec): string =>
  optionalConnection === undefined ? "" : `; \`connection = "..."\` may name one of type \`${optionalConnection}\``;

const typeOf = (type: string, connection: string | undefined): string =>
  connection === undefined ? `\`type = "${type}"\`` : `\`connection = "..."\` naming a connection of type \`${connection}\``;

function settingsTable(group: GroupSetting): string[] {
  const rows = ["| Setting | Value | Default | Meaning |", "| --- | --- | --- | --- |"];
  for (const [name, setting] of Object.entries(group.fields)) addRows(name, setting, rows);
  return rows;
}

/** One row for a setting and one for each setting inside it, by dotted name. */
function addRows(name: string, setting: Setting, rows: string[]): void {
  rows.push(`| \`${name}\` | ${cell(valueText(setting))} | ${defaultText(setting)} | ${cell(setting.doc)} |`);
  if (setting.kind === "choice") {
    for (const [choice, doc] of Object.entries(setting.choices)) rows.push(`| | \`"${choice}"\` | | ${cell(doc)} |`);
  }
  const inner = setting.kind === "either" ? setting.of : [setting];
  for (const one of inner) {
    const [group, prefix] = one.kind === "group"
      ? [one, name]
      : one.kind === "list"
      ? [one.item, `${name}[]`]
      : one.kind === "map"
      ? [one.item, `${name}.NAME`]
      : [null, ""];
    for (const [field, declared] of Object.entries(group?.fields ?? {})) addRows(`${prefix}.${field}`, declared, rows);
  }
}

function valueText(setting: Setting): string {
  if (setting.kind === "int") return `whole number of ${setting.unit}, ${setting.min} to ${setting.max}`;
  return setting.kind === "choice" ? "one of" : kindText(setting).replace(/^an? /, "");
}

function defaultText(setting: Setting): string {
  if ("default" in setting && setting.default !== undefined) return `\`${JSON.stringify(setting.default)}\``;
  return isRequired(setting) ? "required" : "";
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
