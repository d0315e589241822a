/** The settings of `read = "changes"` and their check. Nothing here touches the outside. */
import type { SourceContext } from "../../../component/component.ts";
import type { Setting, SettingGroup } from "../../../component/settings.ts";
import { parseUntil, type Until } from "../../log/until.ts";
import { placeOf } from "../../sql/address.ts";
import type { PostgresAddress } from "../postgres_connection.ts";
import type { SlotOptions } from "./slot.ts";

/** They mean nothing for a table that is read once. */
export const CHANGES_SETTINGS = {
  slot: {
    kind: "text",
    optional: true,
    doc:
      'With read = "changes": the replication slot. Sources of a pipeline that name the same one read it together. Default: millrace_PIPELINE.',
  },
  publication: {
    kind: "text",
    optional: true,
    doc: 'With read = "changes": the publication that has the table. Default: named as the slot.',
  },
  create: {
    kind: "bool",
    default: false,
    operational: true,
    doc: 'With read = "changes": a missing slot and publication are made, and the table is added to the publication.',
  },
  snapshot: {
    kind: "choice",
    default: "rows",
    doc: 'With read = "changes": what comes first.',
    choices: { rows: "the table's rows, as they are when reading begins", none: "nothing: only what commits after the slot's place" },
  },
  deletes: {
    kind: "choice",
    optional: true,
    doc: 'With read = "changes": rows that are no more. Default: `pass` for a table, else `drop`.',
    choices: { drop: "counted, not passed on", pass: "passed on with their mark" },
  },
  truncate: {
    kind: "choice",
    default: "stop",
    operational: true,
    doc: 'With read = "changes": what a TRUNCATE of the table does.',
    choices: { stop: "stops the pipeline: the server does not tell which rows went", ignore: "nothing: no row of it is known to be gone" },
  },
  until: {
    kind: "text",
    optional: true,
    doc:
      'With read = "changes", when the input ends: `end` (of the log, as seen at the start), `idle 10s`, `count N` (rows), `never`. Default: never.',
  },
} as const satisfies Readonly<Record<string, Setting>>;

export interface ChangesPlan {
  readonly source: string;
  readonly address: PostgresAddress;
  readonly slot: SlotOptions;
  readonly until: Until;
  readonly truncate: "stop" | "ignore";
  readonly deletes: "drop" | "pass";
  /** Where the table's copy lies while it is read; null: none is made. */
  readonly copyFolder: string | null;
}

const SLOT_NAME = /^[a-z0-9_]{1,63}$/;

/** Null when faults were reported. */
export function planChanges(context: SourceContext, address: PostgresAddress): ChangesPlan | null {
  const { settings, name, pipeline, stateFolder, tableKey } = context;
  const slot = settings.has("slot") ? settings.text("slot") : slotOf(pipeline);
  const until = parseUntil(settings.has("until") ? settings.text("until") : "never");
  let isSound = true;
  const fault = (setting: string, message: string, hint: string): void => {
    context.fault(settings.at(setting), message, hint);
    isSound = false;
  };
  if (!SLOT_NAME.test(slot)) fault("slot", `"${slot}" cannot be the name of a slot`, "up to 63 lower-case letters, digits and underscores");
  if (!until) fault("until", `"${settings.text("until")}" does not say when the input ends`, "write end, idle 10s, count 1000 or never");
  if (settings.has("read_by")) fault("read_by", 'read_by is of no use with read = "changes"', "changes come in the order of their commits");
  if (context.replicas === "several") {
    const message = 'read = "changes" is for one process: a slot has one reader, and the copy that comes first lies on one machine';
    fault("read", message, "run the pipeline without [state] url, or write the changes to a topic with a pipeline of its own");
  }
  if (!isSound || !until) return null;
  return {
    source: name,
    address,
    slot: {
      slot,
      publication: settings.has("publication") ? settings.text("publication") : slot,
      create: settings.bool("create"),
      place: placeOf(address),
    },
    until,
    truncate: settings.text("truncate") as ChangesPlan["truncate"],
    deletes: settings.has("deletes") ? settings.text("deletes") as ChangesPlan["deletes"] : tableKey === undefined ? "drop" : "pass",
    copyFolder: settings.text("snapshot") === "rows" ? `${stateFolder}/changes/${slot}` : null,
  };
}

/** What of these settings was said for a table that is read once. */
export function requireNoChangesSettings(settings: SettingGroup, fault: SourceContext["fault"]): boolean {
  // A table's `until` is "never" unless it was written.
  const said = ["slot", "publication", "deletes", "until"].filter((name) => settings.has(name) && settings.text(name) !== "never");
  for (const name of said) {
    fault(settings.at(name), `${name} is of no use without read = "changes"`, `take ${name} out, or read the changes`);
  }
  return said.length === 0;
}

const slotOf = (pipeline: string): string => `millrace_${pipeline.toLowerCase().replaceAll(/[^a-z0-9_]/g, "_")}`.slice(0, 63);
