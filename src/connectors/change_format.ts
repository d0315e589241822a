/**
 * What the records of a topic may be to its reader: rows, or the changes of a table's rows as Debezium writes them. Invariant: what a sink
 * writes in a format (topic_format.ts), a source of that format reads back.
 */
import type { SourceContext } from "../component/component.ts";
import type { Setting } from "../component/settings.ts";
import type { ChangeRules, DecoderSpec } from "../data/codec.ts";
import { typeText } from "../data/types.ts";

/** What a topic's source may read. */
export const READ_FORMAT = {
  kind: "choice",
  default: "json",
  doc: "How records are written.",
  choices: {
    json: "one JSON object per record",
    debezium:
      "changes of a table's rows: the row after the change with `__deleted`, or the full envelope with `op`, `before` and `after`, told apart record by record",
  },
} as const satisfies Setting;

/** Of sources that tell changes of rows. */
export const DELETES = {
  kind: "choice",
  optional: true,
  doc: "What becomes of deletes. Default: `drop`, and `pass` for a table, where they take the row away.",
  choices: {
    drop: "they are counted (`deletes`) and go no further",
    pass: "they go on like other rows: with the fields that they tell",
  },
} as const satisfies Setting;

/** Of sources with the format `debezium`, in their reference. */
export const CHANGES_NOTE =
  `With \`format = "debezium"\` a record is the row that a table has after a change. Decimals may be text or numbers and lose no digit; a
date is a number of days since 1970 or text; a timestamp is ISO text, or has \`format = "epoch_ms"\` or \`"epoch_us"\` in its schema; JSON may
stand in text. A delete is a row with \`"__deleted": "true"\`, \`op\` d, or a record without a value. One that is dropped need not fit the
schema; one that is passed on must, but for a table, which only asks for its key (a record without a value is told by its own key).`;

type Decoding = Omit<DecoderSpec, "needed">;

/** How a topic's records are decoded; null when faults were reported. Settings: `format`, `deletes`. */
export function topicDecoding(context: SourceContext): Decoding | null {
  const { settings, type, schema: { numericText, unknownFields } } = context;
  if (settings.text("format") === "json") {
    if (!settings.has("deletes")) return { type, numericText, unknownFields };
    context.fault(settings.at("deletes"), "records of the format json tell no deletes", 'say format = "debezium"');
    return null;
  }
  const flag = type.fields.find((field) => field.name === "__deleted");
  if (flag !== undefined && flag.type.kind !== "bool" && flag.type.kind !== "string") {
    context.fault(settings.at("format"), `\`__deleted\` cannot be a ${typeText(flag.type)}`, "make it a string or a bool, or leave it out");
    return null;
  }
  // Change data capture writes decimals as text: that is this format, not a latitude of its producer.
  return { type, numericText: "accept", unknownFields, changes: changeRules(context) };
}

/** The setting `deletes`, for what the rows are read for. */
export function changeRules({ settings, tableKey }: SourceContext): ChangeRules {
  const usual = tableKey === undefined ? "drop" : "pass";
  return { deletes: settings.has("deletes") ? settings.text("deletes") as ChangeRules["deletes"] : usual, key: tableKey ?? null };
}
