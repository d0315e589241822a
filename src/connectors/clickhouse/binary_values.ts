/**
 * Single values in RowBinary, the form in which rows go to ClickHouse. All numbers are little-endian.
 *
 *     row      = value of each column
 *     String   = varuint bytes          IntN, UIntN, Float64 = N bits          Bool = 00 | 01
 *     Nullable = 01 | 00 value          Array = varuint item*                  Map = varuint (key value)*
 *     Decimal  = a count of 10^-scale in 4, 8 or 16 bytes, by its digits
 *     Date     = UInt16 days   Date32 = Int32 days   DateTime = UInt32 seconds   DateTime64 = Int64 ticks, all since 1970
 *
 * Invariant: a value is written as it is, or `MillraceError` "clickhouse_value" says which field it was; nothing is rounded or cut.
 */
import { Buffer } from "node:buffer";
import { encodeText, putText } from "../../data/bytes.ts";
import type { ByteWriter } from "../../data/codec.ts";
import { MillraceError, unreachable } from "../../data/fault.ts";
import { jsonText } from "../../data/json/mod.ts";
import type { Field, Type } from "../../data/types.ts";
import type { ColumnType } from "./column_type.ts";

/** Appends one run-time value; null only where the column is Nullable. */
export type ValueWriter = (into: ByteWriter, value: unknown) => void;

const TWO_32 = 2 ** 32;

/** The value cannot be kept by its column. Its digits are not shown: they may be what nobody should read in a log. */
export function refuse(field: Field, reason: string): never {
  throw new MillraceError("clickhouse_value", `a value of ${field.name} ${reason}`, {
    hint: "make the column fit the field, or the field the column; rows that should not come so far are refused by `require`",
  });
}

/** Bytes of a length up to 2^31. */
export const LENGTH_BYTES_MAX = 5;
/** An unsigned number in groups of seven bits. */
export function putLength(target: Uint8Array, at: number, value: number): number {
  while (value > 127) {
    target[at++] = value & 127 | 128;
    value >>>= 7;
  }
  target[at] = value;
  return at + 1;
}
/** Length and UTF-8 of a string: at most LENGTH_BYTES_MAX and three bytes for each of its UTF-16 units. */
export function putString(target: Uint8Array, at: number, text: string): number {
  // So few units that the length takes one byte whatever they are.
  if (text.length < 43) {
    const end = putText(target, at + 1, text);
    target[at] = end - at - 1;
    return end;
  }
  at = putLength(target, at, Buffer.byteLength(text));
  return at + encodeText(text, target.subarray(at));
}
/** An exact integer in `bytes` bytes, its sign continued. */
export function putWhole(view: DataView, at: number, value: number, bytes: 1 | 2 | 4 | 8 | 16): number {
  switch (bytes) {
    case 1:
      view.setInt8(at, value);
      break;
    case 2:
      view.setInt16(at, value, true);
      break;
    case 4:
      view.setInt32(at, value, true);
      break;
    default: {
      const high = Math.floor(value / TWO_32);
      view.setInt32(at, value - high * TWO_32, true);
      view.setInt32(at + 4, high, true);
      if (bytes === 16) view.setBigInt64(at + 8, value < 0 ? -1n : 0n, true);
    }
  }
  return at + bytes;
}
/** value * factor, exactly, in 8 or 16 bytes. */
export function putScaled(view: DataView, at: number, value: number, factor: bigint, bytes: 8 | 16): number {
  const product = BigInt(value) * factor;
  view.setBigInt64(at, BigInt.asIntN(64, product), true);
  if (bytes === 16) view.setBigInt64(at + 8, product >> 64n, true);
  return at + bytes;
}

/** A writer of values of a field's type into such a column; or, as a text, why there is none. */
export function valueWriter(field: Field, type: Type, column: ColumnType): ValueWriter | string {
  const cannot = `${field.name} cannot be kept by it`;
  if (column.kind === "nullable") {
    const inner = valueWriter(field, { ...type, nullable: false }, column.of);
    if (typeof inner === "string") return inner;
    return (into, value) => {
      const isNull = value === null || value === undefined;
      writeByte(into, isNull ? 1 : 0);
      if (!isNull) inner(into, value);
    };
  }
  if (type.nullable) return "the field may be null, the column may not";
  if (column.kind === "other") return "this type is not written by millrace";
  if (column.kind === "string") return textWriter(field, type);
  if (column.kind === "array") return type.kind === "list" ? listWriter(field, type.item, column.item) : cannot;
  if (column.kind === "map") return type.kind === "map" ? mapWriter(field, type, column) : cannot;
  const number = numberForm(type, column);
  return number === null ? cannot : (into, value) => {
    into.reserve(16);
    into.length = putNumber(field, number, into.view, into.length, value === true ? 1 : value === false ? 0 : value as number);
  };
}

function textWriter(field: Field, type: Type): ValueWriter {
  const inner: Field = { ...field, type };
  return (into, value) => {
    const json = type.kind === "string" ? value as string : jsonText(inner, value, {});
    // Times and durations are texts of their own.
    const text = type.kind !== "string" && json[0] === '"' && isScalar(type) ? JSON.parse(json) as string : json;
    into.reserve(3 * text.length + LENGTH_BYTES_MAX);
    into.length = putString(into.bytes, into.length, text);
  };
}
const isScalar = ({ kind }: Type): boolean => kind === "timestamp" || kind === "date" || kind === "duration" || kind === "decimal";

function listWriter(field: Field, item: Type, column: ColumnType): ValueWriter | string {
  const write = valueWriter(field, item, column);
  if (typeof write === "string") return write;
  return (into, value) => {
    const items = value as readonly unknown[];
    writeLength(into, items.length);
    for (const each of items) write(into, each);
  };
}
function mapWriter(
  field: Field,
  type: Type & { readonly kind: "map" },
  column: ColumnType & { readonly kind: "map" },
): ValueWriter | string {
  const [writeKey, writeValue] = [valueWriter(field, type.key, column.key), valueWriter(field, type.value, column.value)];
  if (typeof writeKey === "string") return writeKey;
  if (typeof writeValue === "string") return writeValue;
  return (into, value) => {
    const entries = value as ReadonlyMap<unknown, unknown>;
    writeLength(into, entries.size);
    for (const [key, each] of entries) {
      writeKey(into, key);
      writeValue(into, each);
    }
  };
}
function writeByte(into: ByteWriter, byte: number): void {
  into.reserve(1);
  into.bytes[into.length++] = byte;
}
function writeLength(into: ByteWriter, length: number): void {
  into.reserve(LENGTH_BYTES_MAX);
  into.length = putLength(into.bytes, into.length, length);
}

/** How the number of a field becomes the bytes of its column: times `factor`, or divided by `divisor`, in `bytes` bytes. */
export interface NumberForm {
  readonly form: "whole" | "double";
  readonly bytes: 1 | 2 | 4 | 8 | 16;
  /** Of the field's own number, both included. */
  readonly least: number;
  readonly greatest: number;
  readonly factor: number;
  /** The field's number must be a multiple of it. */
  readonly divisor: number;
}
const SAFE = Number.MAX_SAFE_INTEGER;
/** What the server's DateTime64 and Date32 cover: 1900 to 2299. */
const FIRST_DAY = -25_567;
const LAST_DAY = 120_529;
const DAY_MICROS = 86_400_000_000;
/** Digits that a double gives back as they were. */
const DOUBLE_DIGITS = 1e15;

/** Null where such a column cannot keep every value of the type that its range allows. */
export function numberForm(type: Type, column: ColumnType): NumberForm | null {
  const whole = (bytes: NumberForm["bytes"], least: number, greatest: number, factor = 1, divisor = 1): NumberForm => {
    return { form: "whole", bytes, least, greatest, factor, divisor };
  };
  switch (column.kind) {
    case "int": {
      const isWhole = type.kind === "int" || (type.kind === "bool" && !column.signed && column.bits === 8);
      if (!isWhole) return null;
      const most = column.bits === 64 ? SAFE : 2 ** (column.signed ? column.bits - 1 : column.bits) - 1;
      const least = !column.signed ? 0 : column.bits === 64 ? -SAFE : -most - 1;
      return whole(column.bits / 8 as 1 | 2 | 4 | 8, least, most);
    }
    case "decimal": {
      const scale = type.kind === "decimal" ? type.scale : type.kind === "int" ? 0 : -1;
      if (scale < 0 || column.scale < scale) return null;
      const most = Math.min(SAFE, 10 ** (column.precision - (column.scale - scale)) - 1);
      return whole(column.precision <= 9 ? 4 : column.precision <= 18 ? 8 : 16, -most, most, 10 ** (column.scale - scale));
    }
    case "float64": {
      const double = (most: number, divisor: number): NumberForm => ({
        form: "double",
        bytes: 8,
        least: -most,
        greatest: most,
        factor: 1,
        divisor,
      });
      if (type.kind === "double") return double(Infinity, 1);
      if (type.kind === "int") return double(SAFE, 1);
      return type.kind === "decimal" ? double(DOUBLE_DIGITS - 1, 10 ** type.scale) : null;
    }
    case "bool":
      return type.kind === "bool" ? whole(1, 0, 1) : null;
    case "date":
      return type.kind === "date" ? whole(2, 0, 65_535) : null;
    case "date32":
      return type.kind === "date" ? whole(4, FIRST_DAY, LAST_DAY) : null;
    case "datetime":
      return type.kind === "timestamp" ? whole(4, 0, (TWO_32 - 1) * 1e6, 1, 1e6) : null;
    case "datetime64": {
      if (type.kind !== "timestamp") return null;
      const { decimals } = column;
      // Ticks finer than microseconds go to the edge of 64 bits earlier.
      const most = decimals > 8 ? 9_223_372_036_854_000 : (LAST_DAY + 1) * DAY_MICROS - 1;
      const least = decimals > 8 ? -most : FIRST_DAY * DAY_MICROS;
      return whole(8, Math.max(least, FIRST_DAY * DAY_MICROS), most, 10 ** Math.max(0, decimals - 6), 10 ** Math.max(0, 6 - decimals));
    }
    case "string":
    case "nullable":
    case "array":
    case "map":
    case "other":
      return null;
    default:
      return unreachable(column);
  }
}

/** Writes a number in its form; there is room for 16 bytes. */
export function putNumber(field: Field, form: NumberForm, view: DataView, at: number, value: number): number {
  const { bytes, factor, divisor } = form;
  if (!(value >= form.least && value <= form.greatest)) refuse(field, "is outside of what its column keeps");
  if (form.form === "double") {
    view.setFloat64(at, value / divisor, true);
    return at + 8;
  }
  if (divisor !== 1) {
    if (value % divisor !== 0) refuse(field, "is finer than its column");
    return putWhole(view, at, value / divisor, bytes);
  }
  if (factor === 1) return putWhole(view, at, value, bytes);
  const product = value * factor;
  if (Math.abs(product) <= SAFE) return putWhole(view, at, product, bytes);
  return putScaled(view, at, value, BigInt(factor), bytes as 8 | 16);
}
