/** How topic sinks write records: one word, or a table that also says how decimals and timestamps look. One setting for all of them. */
import type { SinkContext } from "../component/component.ts";
import type { Setting } from "../component/settings.ts";
import type { RecordsEncoder } from "../data/codec.ts";
import { recordByRecord } from "../data/encoder_code.ts";
import { MillraceError } from "../data/fault.ts";
import { compileChangeEncoder, compileJsonRecordsEncoder, type JsonOptions } from "../data/json/mod.ts";
import { encodeRaw } from "./raw_records.ts";

const FORMAT = {
  kind: "choice",
  default: "json",
  doc: "How records are written.",
  choices: {
    json: "one JSON object per record",
    debezium:
      "a table's row after a change, as Debezium's unwrapped records: decimals and JSON as text, dates as days since 1970, `\"__deleted\"` behind the fields",

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
        optional: true,
        doc: "Decimals in JSON. Default: number; of `debezium` string.",
        choices: { number: "as numbers with exactly their scale", string: "as texts, for readers that would make doubles of them" },
      },
      timestamps: {
        kind: "text",
        optional: true,
        doc: "Pattern of all timestamps, or epoch_ms and the like. Default: each field's own format, else RFC 3339.",
      },
      keys: {
        kind: "choice",
        optional: true,
        doc: "How a key is written that names a field. Default: text; of `debezium` object.",
        choices: { text: "as its value's text", object: '`{"FIELD": value}`, as change data capture writes keys' },
      },
    },
  }],
} as const satisfies Setting;

/** What `format` comes to. */
export interface TopicFormat {
  readonly encoder: RecordsEncoder;
  /** The fields of the input that it writes. */
  readonly needs: ReadonlySet<string>;
  /** Whether a key that names a field is its text, or an object of that field. */
  readonly keys: "text" | "object";
}

/** Compiles the encoder; null when faults were reported. */
export function planTopicFormat({ settings, input, fault }: SinkContext): TopicFormat | null {
  const group = settings.which("format") === 1 ? settings.group("format") : null;
  const type = group?.text("type") ?? settings.text("format");
  const usualKeys = type === "debezium" ? "object" : "text";
  const keys = (group?.has("keys") ? group.text("keys") : usualKeys) as TopicFormat["keys"];
  if (type === "raw") return { encoder: encodeRaw, needs: new Set(), keys };
  const usual = type === "debezium" ? "string" : "number";
  const options: JsonOptions = {
    decimals: (group?.has("decimals") ? group.text("decimals") : usual) as JsonOptions["decimals"],
    ...(group?.has("timestamps") ? { timestamps: group.text("timestamps") } : {}),
  };
  const needs = new Set(input.fields.map((field) => field.name));
  try {
    if (type === "debezium") return { encoder: recordByRecord(compileChangeEncoder(input, options)), needs, keys };
    return { encoder: compileJsonRecordsEncoder(input, options), needs, keys };
  } catch (error) {
    if (!(error instanceof MillraceError) || group === null) throw error;
    fault(group.at("timestamps"), error.message, error.hint);
    return null;
  }
}
