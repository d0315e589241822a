/** How topic sinks write records: one word, or a table that also says how decimals and timestamps look. One setting for all of them. */
import type { SinkContext } from "../component/component.ts";
import type { Setting } from "../component/settings.ts";
import type { Encoder } from "../data/codec.ts";
import { MillraceError } from "../data/fault.ts";
import { compileJsonEncoder, type JsonOptions } from "../data/json/mod.ts";
import { encodeRaw } from "./raw_records.ts";

const FORMAT = {
  kind: "choice",
  default: "json",
  doc: "How records are written.",
  choices: {
    json: "one JSON object per record",
    raw:
      "the bytes with which the record was read; fields that were set on the way are not in them, and rows that no source read stop the run",
  },
} as const satisfies Setting;

/** The setting `format` of topic sinks: `"json"`, or `{ type = "json", timestamps = "...", decimals = "string" }`. */
export const TOPIC_FORMAT = {
  kind: "either",
  doc: "How records are written; a table also says how decimals and timestamps look in JSON.",
  of: [FORMAT, {
    kind: "group",
    doc: "The format and its choices.",
    fields: {
      type: FORMAT,
      decimals: {
        kind: "choice",
        default: "number",
        doc: "Decimals in JSON.",
        choices: { number: "as numbers with exactly their scale", string: "as texts, for readers that would make doubles of them" },
      },
      timestamps: {
        kind: "text",
        optional: true,
        doc: "Pattern of all timestamps, or epoch_ms and the like. Default: each field's own format, else RFC 3339.",
      },
    },
  }],
} as const satisfies Setting;

/** What `format` comes to. */
export interface TopicFormat {
  readonly encoder: Encoder;
  /** The fields of the input that it writes. */
  readonly needs: ReadonlySet<string>;
}

/** Compiles the encoder; null when faults were reported. */
export function planTopicFormat({ settings, input, fault }: SinkContext): TopicFormat | null {
  const group = settings.which("format") === 1 ? settings.group("format") : null;
  if ((group?.text("type") ?? settings.text("format")) === "raw") return { encoder: encodeRaw, needs: new Set() };
  const options: JsonOptions = {
    decimals: (group?.text("decimals") ?? "number") as JsonOptions["decimals"],
    ...(group?.has("timestamps") ? { timestamps: group.text("timestamps") } : {}),
  };
  try {
    return { encoder: compileJsonEncoder(input, options), needs: new Set(input.fields.map((field) => field.name)) };
  } catch (error) {
    if (!(error instanceof MillraceError) || group === null) throw error;
    fault(group.at("timestamps"), error.message, error.hint);
    return null;
  }
}
