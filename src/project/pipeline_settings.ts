/** What a pipeline says about itself: kind, after, state, epoch. */
import type { DurationSetting, GroupSetting, IntSetting } from "../component/settings.ts";
import type { PipelineBlueprint, PipelineKind, SharedState } from "./contracts.ts";
import type { Document } from "./documents.ts";
import { outsideSpan } from "./positions.ts";
import type { CheckedGroup } from "./setting_group.ts";
import { choiceFromNode, durationFromNode, intFromNode, textFromNode, textsFromNode } from "./setting_scalars.ts";
import { readGroup, type SettingContext } from "./settings.ts";
import type { TomlEntry, TomlNode } from "./toml.ts";

/** [epoch]: an epoch closes at whichever comes first. */
export const EPOCH_SETTINGS: GroupSetting = {
  kind: "group",
  doc: "How much one epoch, the unit of atomic delivery, holds. It closes at whichever bound comes first.",
  fields: {
    every: { kind: "duration", default: "100ms", doc: "Time since the epoch was opened; at most 10 ms in an owner's first epoch." },
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
/** [state]: where checkpoints lie. A text is `folder`. */
export const STATE_SETTINGS: GroupSetting = {
  kind: "group",
  doc: "Where checkpoints lie: in a folder, or in a store that replicas share.",
  fields: {
    folder: {
      kind: "text",
      optional: true,
      doc: "The folder of checkpoints; by default .millrace beside the outputs. Beside `url` it is a folder that all replicas reach.",
    },
    url: {
      kind: "text",
      default: "",
      doc: 'The address of a denokv server ("http://kv:4512") that keeps the checkpoints; empty: the folder keeps them.',
    },
    token: { kind: "text", default: "", secret: true, doc: "The server's access token." },
    token_file: { kind: "text", optional: true, doc: "A file that holds the access token, instead of `token`." },
    prefix: { kind: "text", default: "millrace", doc: "Keeps projects in one store apart: pipelines of equal names need different ones." },
  },
};
/** How many threads run a pipeline's lanes. */
export const WORKERS_SETTING: IntSetting = {
  kind: "int",
  unit: "threads",
  min: 1,
  max: 64,
  default: 1,
  doc: "Threads over which the lanes are spread. Each has the memory of a program of its own.",
};
/** How long a planned stop may take. */
export const STOP_WITHIN_SETTING: DurationSetting = {
  kind: "duration",
  default: "25s",
  doc: "How long the open epoch may take to complete after SIGTERM or SIGINT; then the program leaves, and the next start completes it.",
};
const NO_STATE = ".millrace";

/** Where a pipeline's state lies. */
export interface StatePlace {
  /** Of all pipelines' states. */
  readonly folder: string;
  /** Whether files in the folder, and beside it, are there for all who run the pipeline. */
  readonly reach: "this machine" | "all replicas";
  readonly shared: SharedState | null;
}

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

/** `state = "folder"` or [state]; null with faults. `--set state` is the folder. */
export function readState(document: Document, overrides: ReadonlyMap<string, string>, context: SettingContext): StatePlace | null {
  const node = document.value("state");
  const override = overrides.get("state");
  const folder = override ?? (node && node.kind !== "table" ? textFromNode(node, "state", context) ?? NO_STATE : null);
  if (node?.kind !== "table") return { folder: folder ?? defaultFolder(context), reach: "this machine", shared: null };
  const group = readGroup(STATE_SETTINGS, node, "[state]", context);
  if (!group) return null;
  const stated = group.has("folder");
  const shared = group.text("url") === "" ? null : readShared(group, context);
  if (shared === "fault") return null;
  const place = folder ?? (stated ? group.text("folder") : defaultFolder(context));
  return { folder: place, reach: shared && stated ? "all replicas" : "this machine", shared };
}

function defaultFolder(context: SettingContext): string {
  const output = context.variables.parameter("output");
  return output && "text" in output ? `${output.text}/${NO_STATE}` : NO_STATE;
}

function readShared(group: CheckedGroup, { faults }: SettingContext): SharedState | "fault" {
  const url = URL.parse(group.text("url"));
  const isAddress = url !== null && (url.protocol === "http:" || url.protocol === "https:") && url.username === "" && url.password === "";
  const token = group.text("token");
  const tokenFile = group.has("token_file") ? group.text("token_file") : null;
  if (!isAddress) faults.add("wrong_type", group.at("url"), "[state]: url is not the address of a server", 'write "http://host:4512"');
  const isOne = (token === "") !== (tokenFile === null);
  if (!isOne) {
    const message = "[state]: a server wants a token or a token_file, one of them";
    faults.add("missing_key", group.at("token"), message, 'for example token = "${KV_TOKEN}"');
  }
  return isAddress && isOne ? { url: url.href.replace(/\/$/, ""), token, tokenFile, prefix: group.text("prefix") } : "fault";
}

/** `workers`, with --set in front; null with a fault. */
export function readWorkers(document: Document, overrides: ReadonlyMap<string, string>, context: SettingContext): number | null {
  const text = overrides.get("workers");
  const node = text === undefined ? document.value("workers") : overrideNode(text, outsideSpan("--set"));
  return node ? intFromNode(WORKERS_SETTING, node, "workers", context) : WORKERS_SETTING.default!;
}

/** `stop_within` in ms, with --set in front; null with a fault. */
export function readStopWithin(document: Document, overrides: ReadonlyMap<string, string>, context: SettingContext): number | null {
  const text = overrides.get("stop_within") ?? (document.value("stop_within") ? undefined : STOP_WITHIN_SETTING.default);
  const node = text === undefined ? document.value("stop_within")! : overrideNode(text, outsideSpan("--set"));
  return durationFromNode(node, "stop_within", context);
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
