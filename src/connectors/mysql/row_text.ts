/**
 * Rows as the text that LOAD DATA reads, and back to values for INSERT. One form for both ways, so that a row is the same whichever
 * way it goes; the server turns text into the column's type, as exactly as it can.
 *
 *     file  = row*
 *     row   = field ("\t" field)* "\n"
 *     field = "\N" (null) | text with "\\", "\t", "\n", "\r" and "\0" for the bytes 5c, 9, a, d and 0
 */
import type { ByteWriter, Encoder } from "../../data/codec.ts";
import { compileEncoder } from "../../data/encoder_code.ts";
import { assert } from "../../data/fault.ts";
import { timeTextOf } from "../../data/field_text.ts";
import { jsonText } from "../../data/json/mod.ts";
import { dateText, timestampText, type TimeText } from "../../data/time_text.ts";
import type { Field, RecordType } from "../../data/types.ts";
import { ESCAPE_LETTERS, textEscaper } from "../sql/escaped_text.ts";
import { exactTime } from "../sql/exact_time.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { columnOf, type TableColumn, type TableInfo } from "./table_info.ts";

/** How LOAD DATA is told the grammar above. */
export const ROW_TEXT_SQL = String.raw`CHARACTER SET utf8mb4 FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'`;

const escaper = textEscaper("0");

/** An encoder of the target's columns, in their order. Throws `mysql_value` for a time finer than its column. */
export function compileRowText({ type, columns }: TableTarget, table: TableInfo): Encoder {
  const indexes = columns.map((name) => type.fields.findIndex((field) => field.name === name));
  const times = new Map<string, TimeText>();
  for (const name of columns) {
    const field = type.fields.find((each) => each.name === name)!;
    const column = columnOf(table, name);
    assert(column, "the table was checked to have the column");
    if (field.type.kind === "timestamp" || field.type.kind === "date") times.set(name, columnTimeText(field, column));
  }
  return compileEncoder(asNumbers(type), indexes, {
    before: (_, place) => place === 0 ? "" : "\t",
    end: "\n",
    nullText: "\\N",
    quoteOf: () => "",
    decimalQuote: "",
    timeText: (field) => times.get(field.name)!,
    putSlice: escaper.putSlice,
    bytesPerByte: 2,
    valueText: (field, value) => escaper.escaped(field.type.kind === "string" ? value as string : jsonText(field, value, {})),
  });
}

/** Booleans are written 1 and 0. */
function asNumbers({ fields }: RecordType): RecordType {
  return {
    fields: fields.map((field) => field.type.kind === "bool" ? { ...field, type: { ...field.type, kind: "int" as const } } : field),
  };
}

/** DATETIME has no zone: it holds local time of the field's zone, default UTC. TIMESTAMP is UTC, as the session says. */
function columnTimeText(field: Field, column: TableColumn): TimeText {
  if (field.type.kind === "date") return column.type === "date" ? dateText() : timeTextOf(field)!;
  const zone = columnZone(field, column);
  if (zone === null) return timeTextOf(field)!;
  return exactTime(field, column, timestampText(DATETIME_PATTERNS[column.secondDecimals], zone), "mysql_value");
}

/** The zone of a time column's text; null for columns of other types, which hold the field's own text. */
export function columnZone({ zone }: Field, column: TableColumn): string | null {
  return column.type === "datetime" ? zone ?? "UTC" : column.type === "timestamp" ? "UTC" : null;
}

/** By decimals of seconds. */
export const DATETIME_PATTERNS: readonly string[] = Array.from(
  { length: 7 },
  (_, decimals) => `yyyy-MM-dd HH:mm:ss${decimals === 0 ? "" : decimals <= 3 ? ".SSS" : ".SSSSSS"}`,
);

const UNESCAPED = new Uint8Array(256);
for (const [byte, letter] of [...ESCAPE_LETTERS, [0, "0"] as const]) UNESCAPED[letter.charCodeAt(0)] = byte;
const BACKSLASH = 0x5c;
const TAB = 9;
const LINE_END = 10;
const NULL_LETTER = 0x4e;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The values of rows in text form: `width` of them for each row, from byte `from` on. */
export class RowTextReader {
  #at = 0;
  readonly #bytes: Uint8Array;
  readonly #scratch: Uint8Array;
  constructor({ bytes, length }: Pick<ByteWriter, "bytes" | "length">, private readonly width: number) {
    this.#bytes = bytes.subarray(0, length);
    this.#scratch = new Uint8Array(length);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }
  /** Bytes read. */
  get at(): number {
    return this.#at;
  }

  /** Appends the next row's values. */
  next(into: (string | null)[]): void {
    for (let i = 0; i < this.width; i++) into.push(this.#field());
  }

  #field(): string | null {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    while (bytes[at] !== TAB && bytes[at] !== LINE_END && bytes[at] !== BACKSLASH) at++;
    if (bytes[at] !== BACKSLASH) {
      this.#at = at + 1;
      return decoder.decode(bytes.subarray(from, at));
    }
    if (at === from && bytes[at + 1] === NULL_LETTER) {
      this.#at = at + 3;
      return null;
    }
    return this.#unescaped(from);
  }

  #unescaped(from: number): string {
    const bytes = this.#bytes;
    let length = 0;
    let at = from;
    for (; bytes[at] !== TAB && bytes[at] !== LINE_END; at++) {
      this.#scratch[length++] = bytes[at] === BACKSLASH ? UNESCAPED[bytes[++at]] : bytes[at];
    }
    this.#at = at + 1;
    return decoder.decode(this.#scratch.subarray(0, length));
  }
}
