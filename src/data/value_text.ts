/**
 * Run-time values as JSON text, one at a time: for nested values, rejects and whatever is not a plain column. Invariant: decimals
 * and times are written exactly as the columns' fast code writes them.
 */
import { formatDecimal } from "./decimal.ts";
import { epochScale } from "./epoch_format.ts";
import { formatDuration } from "./duration.ts";
import { timeTextOf } from "./field_text.ts";
import { timestampText } from "./time_text.ts";
import type { Field, Type } from "./types.ts";

/** How JSON is written where there is a choice. */
export interface JsonOptions {
  /** Decimals as JSON numbers (the default) or as strings, for readers that would make doubles of them. */
  readonly decimals?: "number" | "string";
  /** Pattern of all timestamps. Absent: each field's own format, else RFC 3339 with Z. */
  readonly timestamps?: string;
}

/** The JSON of a value; null and undefined are null. */
export function jsonText(field: Field, value: unknown, options: JsonOptions): string {
  if (value === null || value === undefined) return "null";
  const { type } = field;
  switch (type.kind) {
    case "int":
      return formatDecimal(value as number, 0);
    case "decimal": {
      const text = formatDecimal(value as number, type.scale);
      return options.decimals === "string" ? `"${text}"` : text;
    }
    case "double":
      return JSON.stringify(value);
    case "bool":
      return value === true || value === 1 ? "true" : "false";
    case "timestamp": {
      const text = timestampTextOf(field, options).format(value as number);
      return epochScale(options.timestamps ?? field.format) === null ? JSON.stringify(text) : text;
    }
    case "date":
      return JSON.stringify(timeTextOf(field)!.format(value as number));
    case "duration":
      return JSON.stringify(formatDuration(value as number));
    case "list":
      return `[${(value as readonly unknown[]).map((item) => jsonText(inner(field, type.item), item, options)).join(",")}]`;
    case "map": {
      const entries = [...value as ReadonlyMap<unknown, unknown>];
      return `{${entries.map(([key, each]) => member(String(key), inner(field, type.value), each, options)).join(",")}}`;
    }
    case "struct": {
      const struct = value as Readonly<Record<string, unknown>>;
      return `{${type.fields.map((each) => member(each.name, each, struct[each.name], options)).join(",")}}`;
    }
    case "string":
    case "json":
    case "null":
      return JSON.stringify(value);
  }
}
/** The text of a timestamp field under these options. */
export function timestampTextOf(field: Field, options: JsonOptions) {
  return timestampText(options.timestamps ?? field.format, field.zone);
}
function member(name: string, field: Field, value: unknown, options: JsonOptions): string {
  return `${JSON.stringify(name)}:${jsonText(field, value, options)}`;
}
/** Items and map values are written with the pattern and zone of the field they stand in. */
function inner(field: Field, type: Type): Field {
  return { ...field, type };
}
