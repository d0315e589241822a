/**
 * Timestamps as numbers since 1970, which formats call `epoch_s`, `epoch_ms` and `epoch_us`. In text they are decimals whose last place is
 * a microsecond: so they are read by the code for decimals, exactly, and written without zeros behind the point.
 */
import { NUMBER_BYTES_MAX, putDecimal, putInteger } from "./bytes.ts";
import { parseDecimalBytes } from "./decimal.ts";
import type { TimeText } from "./time_text.ts";
import { decimalOf, type Field, INT, type RecordType, type Type } from "./types.ts";

/** Decimals of each format: the places from its unit down to microseconds. */
const SCALES: ReadonlyMap<string, number> = new Map([["epoch_s", 6], ["epoch_ms", 3], ["epoch_us", 0]]);

/** The decimals of a format that counts from 1970; null for patterns. */
export function epochScale(format: string | undefined): number | null {
  return format === undefined ? null : SCALES.get(format) ?? null;
}

/** How such timestamps are read from and written to text. */
export function epochText(scale: number): TimeText {
  const unit = 10 ** scale;
  const write = (value: number, bytes: Uint8Array, at: number): number => {
    if (value % unit === 0) return putInteger(bytes, at, value / unit);
    let end = putDecimal(bytes, at, value, scale);
    while (bytes[end - 1] === 48) end--;
    return end;
  };
  const scratch = new Uint8Array(NUMBER_BYTES_MAX);
  const parseBytes: TimeText["parseBytes"] = (bytes, from, to) => parseDecimalBytes(bytes, from, to, scale, "text");
  return {
    parseBytes,
    parse(text) {
      const bytes = new TextEncoder().encode(text);
      return parseBytes(bytes, 0, bytes.length);
    },
    write,
    format: (value) => new TextDecoder().decode(scratch.subarray(0, write(value, scratch, 0))),
    bytesMax: NUMBER_BYTES_MAX,
    fixedBytes: null,
  };
}

/** The record as decoders see it: timestamps since 1970 are decimals there. Their columns are the same. */
export function asWritten(type: RecordType): RecordType {
  return { fields: type.fields.map(fieldAsWritten) };
}
function fieldAsWritten(field: Field): Field {
  return { ...field, type: typeAsWritten(field.type, epochScale(field.format)) };
}
function typeAsWritten(type: Type, scale: number | null): Type {
  switch (type.kind) {
    case "timestamp":
      return scale === null ? type : { ...(scale === 0 ? INT : decimalOf(scale)), nullable: type.nullable };
    case "list":
      return { ...type, item: typeAsWritten(type.item, scale) };
    case "map":
      return { ...type, value: typeAsWritten(type.value, scale) };
    case "struct":
      return { ...type, fields: type.fields.map(fieldAsWritten) };
    default:
      return type;
  }
}
