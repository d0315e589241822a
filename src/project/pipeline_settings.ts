/** What a pipeline says about itself: kind, after, state, epoch. */
import type { GroupSetting } from "../component/settings.ts";
import type { PipelineBlueprint, PipelineKind } from "./contracts.ts";
import type { Document } from "./documents.ts";
import { outsideSpan } from "./positions.ts";
import { choiceFromNode, textFromNode, textsFromNode } from "./setting_scalars.ts";
import { readGroup, type SettingContext } from "./settings.ts";
import type { TomlEntry, TomlNode } from "./toml.ts";

/** [epoch]: an epoch closes at whichever comes first. */
export const EPOCH_SETTINGS: GroupSetting = {
  kind: "group",
  doc: "How much one epoch, the unit of atomic delivery, holds. It closes at whichever bound comes first.",
  fields: {
    every: { kind: "duration", default: "100ms", doc: "Time since the epoch was opened." },
    records_max: { kind: "int", unit: "records", min: 1, max: 10_000_000, default: 50_000, doc: "Records read." },
    bytes_max: { kind: "size", default: "32MiB", doc: "Bytes read or waiting to be delivered." },
  },
};
/** The subcommands that a pipeline may belong to. */
export const KINDS: Readonly<Record<PipelineKind, string>> = {
  serve: "a feed for others to read",
  produce: "writes the records that other pipelines read",
  stream: "follows an input as it grows",
  batch: "reads its input to the end",
  load: "moves data into or out of a store",
};
const NO_STATE = ".millrace";

/** Null where it has a fault; undefined where it is left to the sources (endless: stream, else batch). */
export function readKind(document: Document, context: SettingContext): PipelineKind | null | undefined {
  const node = document.value("kind");
  if (!node) return undefined;
  return choiceFromNode({ kind: "choice", doc: "", choices: KINDS }, node, "kind", context) as PipelineKind | null;
}

/** Names of pipelines, each with the place where it stands. */
export function readAfter(document: Document, context: SettingContext): readonly { readonly name: string; readonly node: TomlNode }[] {
  const node = document.value("after");
  const names = node ? textsFromNode(node, "after", context) : [];
  return names && node?.kind === "array" ? names.map((name, index) => ({ name, node: node.items[index] })) : [];
}

/** The folder of all pipelines' states: `state`, else beside the outputs. */
export function readState(document: Document, overrides: ReadonlyMap<string, string>, context: SettingContext): string {
  const override = overrides.get("state");
  if (override !== undefined) return override;
  const node = document.value("state");
  if (node) return textFromNode(node, "state", context) ?? NO_STATE;
  const output = context.variables.parameter("output");
  return output && "text" in output ? `${output.text}/${NO_STATE}` : NO_STATE;
}

/** [epoch] with --set epoch.NAME=... in front; null with faults. */
export function readEpoch(
  document: Document,
  overrides: ReadonlyMap<string, string>,
  context: SettingContext,
): PipelineBlueprint["epoch"] | null {
  const entries = new Map<string, TomlEntry>();
  for (const [name, { entry }] of document.section("epoch")) entries.set(name, entry);
  for (const name of Object.keys(EPOCH_SETTINGS.fields)) {
    const text = overrides.get(`epoch.${name}`);
    const span = outsideSpan("--set");
    if (text !== undefined) entries.set(name, { key: name, keySpan: span, value: overrideNode(text, span) });
  }
  const group = readGroup(EPOCH_SETTINGS, { kind: "table", entries, span: document.span }, "[epoch]", context);
  return group && { everyMs: group.number("every"), recordsMax: group.number("records_max"), bytesMax: group.number("bytes_max") };
}

function overrideNode(text: string, span: TomlNode["span"]): TomlNode {
  if (/^-?\d+$/.test(text)) return { kind: "integer", text, span };
  return { kind: "string", text: text.replaceAll("${", "$${"), span, place: () => span };
}
