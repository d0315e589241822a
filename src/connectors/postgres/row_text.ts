/** Rows as the text that COPY reads (its grammar: sql/escaped_text.ts); the server turns it into the columns' types. */
import type { Batch } from "../../data/batch.ts";
import type { Encoder } from "../../data/codec.ts";
import { compileEncoder } from "../../data/encoder_code.ts";
import { assert } from "../../data/fault.ts";
import { timeTextOf } from "../../data/field_text.ts";
import { jsonText } from "../../data/json/mod.ts";
import { dateText, timestampText, type TimeText } from "../../data/time_text.ts";
import type { Field, RecordType } from "../../data/types.ts";
import { NulFound, textEscaper } from "../sql/escaped_text.ts";
import { exactTime } from "../sql/exact_time.ts";
import { RowRefused } from "../sql/row_refused.ts";
import { fieldOf, type TableTarget } from "../sql/table_target.ts";
import { columnOf, type TableColumn, type TableInfo } from "./table_info.ts";

/** Times as the server shows them, and as it is given them. */
export const TIME_PATTERN = "yyyy-MM-dd HH:mm:ss.SSSSSS";
/** PostgreSQL keeps no NUL byte in a text: the run stops, or the bytes are left out. */
export type NulText = "stop" | "remove";

/** An encoder of the target's columns, in their order. Throws `postgres_value` for a time finer than its column, and for NUL bytes. */
export function compileRowText(target: TableTarget, table: TableInfo, nul: NulText): Encoder {
  const { columns } = target;
  const type = columnKinds(target, table);
  const escaper = textEscaper(nul === "stop" ? "refused" : "left_out");
  const timeTexts = new Map(columns.flatMap((name): [string, TimeText][] => {
    const field = fieldOf(target, name);
    const column = columnOf(table, name);
    assert(column, "the table was checked to have the column");
    return field.type.kind === "timestamp" || field.type.kind === "date" ? [[name, columnTimeText(field, column)]] : [];
  }));
  const encode = compileEncoder(type, columns.map((name) => type.fields.findIndex((field) => field.name === name)), {
    before: (_, place) => place === 0 ? "" : "\t",
    end: "\n",
    nullText: "\\N",
    quoteOf: () => "",
    decimalQuote: "",
    timeText: (field) => timeTexts.get(field.name)!,
    putSlice: escaper.putSlice,
    bytesPerByte: 2,
    valueText(field, value) {
      if (field.type.kind === "string") return escaper.escaped(value as string);
      const json = jsonText(field, value, {});
      return escaper.escaped(json.includes("\\u0000") ? withoutNul(json, nul) : json);
    },
  });
  return (batch, row, into) => {
    try {
      encode(batch, row, into);
    } catch (error) {
      throw error instanceof NulFound ? nulFault(batch, row) : error;
    }
  };
}

/** The zone of a time column's text; null for columns of other types, which hold the field's own text. */
export function columnZone({ zone }: Field, { type }: TableColumn): string | null {
  return type === "timestamp" ? zone ?? "UTC" : type === "timestamptz" ? "UTC" : null;
}

/** Booleans are written 1 and 0 for columns of numbers. */
function columnKinds({ type: { fields } }: TableTarget, table: TableInfo): RecordType {
  return {
    fields: fields.map((field) => {
      const asNumber = field.type.kind === "bool" && /^int[248]$/.test(columnOf(table, field.name)?.type ?? "");
      return asNumber ? { ...field, type: { kind: "int", nullable: field.type.nullable } } : field;
    }),
  };
}

function columnTimeText(field: Field, column: TableColumn): TimeText {
  if (field.type.kind === "date") return column.type === "date" ? dateText() : timeTextOf(field)!;
  const zone = columnZone(field, column);
  return zone === null ? timeTextOf(field)! : exactTime(field, column, timestampText(TIME_PATTERN, zone), "postgres_value");
}

/** In JSON a NUL is written as an escape, behind an even number of backslashes. */
function withoutNul(json: string, nul: NulText): string {
  return json.replace(/\\(?:u0000|[\s\S])/g, (escape) => {
    if (escape !== "\\u0000") return escape;
    if (nul === "stop") throw new NulFound();
    return "";
  });
}

function nulFault({ meta: { source, position } }: Batch, row: number): RowRefused {
  const message = `a text of ${source}, position ${position[row]}, has a NUL byte, which PostgreSQL keeps in no text`;
  const hint = `say nul_bytes = "remove" at the sink, or reject such records: a \`require\` with !field.contains("\\u0000")`;
  return new RowRefused("postgres_value", message, "encoding", null, hint);
}
