/**
 * Which records are spelled exactly as our own encoder would write them, so that it may copy their bytes instead of writing every
 * field anew: compact, all fields in schema order, canonical values. Invariant: a bit is set only where encoding the decoded
 * fields in that form gives the record's bytes; whether a record is copied can therefore not be told from the output.
 */
import { timeTextOf } from "../field_text.ts";
import type { Field, RecordType } from "../types.ts";
import type { JsonOptions } from "../value_text.ts";
import { compactLayout, type Layout, layoutText } from "./layout.ts";

/** Bits of a record's forms: decimals written as JSON numbers, or as strings. Without decimals a record has both. */
export const DECIMAL_NUMBERS = 1;
export const DECIMAL_STRINGS = 2;
/**
 * What stands in the place of a record's forms between its template and the decoder where it is right but for fields that must be there
 * and are not; with it the first of those in the schema.
 */
export const LACKING = 128;

/** The forms that records of this layout can have, before their values are looked at. */
export function spelledForms(type: RecordType, layout: Layout): number {
  const compact = compactLayout(type.fields.map((field) => field.name));
  const isCompact = layout.keys.length > 0 && layoutText(layout) === layoutText(compact);
  return isCompact && type.fields.every((field) => spelling(field) !== "never") ? DECIMAL_NUMBERS | DECIMAL_STRINGS : 0;
}

/**
 * Whether values of this field can be told to be canonical: "always" when they were read at all, "checked" where the decoder looks
 * at the text, "never" where that would cost as much as writing them.
 */
export function spelling(field: Field): "always" | "checked" | "never" {
  switch (field.type.kind) {
    case "string":
    case "bool":
    case "int":
    case "decimal":
    case "double":
      return "checked";
    case "timestamp":
      if (field.format === undefined) return "checked";
      return timeTextOf(field)!.fixedBytes !== null && (field.zone === undefined || field.zone === "UTC") ? "always" : "never";
    case "date":
      return timeTextOf(field)!.fixedBytes !== null ? "always" : "never";
    default:
      return "never";
  }
}

/** The form that an encoder of these fields writes; 0 where it is none that decoders know. */
export function writtenForm(fields: readonly Field[], options: JsonOptions): number {
  const { timestamps } = options;
  const isOwn = timestamps === undefined || fields.every((field) => field.type.kind !== "timestamp" || field.format === timestamps);
  if (!isOwn) return 0;
  return options.decimals === "string" ? DECIMAL_STRINGS : DECIMAL_NUMBERS;
}
