/**
 * Rows of one shape of a table as JSON records. A shape is what the server says of the table's columns; it holds from one message about
 * them to the next. Invariant: a record has every field of the schema that the table has a column for, in the order of the schema.
 */
import { writeBytes } from "../../../data/bytes.ts";
import type { ByteWriter, Decoder } from "../../../data/codec.ts";
import { MillraceError } from "../../../data/fault.ts";
import { compileJsonDecoder } from "../../../data/json/mod.ts";
import { type RecordType, withNull } from "../../../data/types.ts";
import { decodedType } from "../../sql/decoded_type.ts";
import { timeForm } from "../column_json.ts";
import type { TableColumn } from "../table_info.ts";
import { type OldRow, type Tuple, VALUE } from "./pgoutput.ts";
import { type ValueJson, valueJson } from "./value_json.ts";

/** A column by its name and its type's name, of a domain its base's. */
export interface ShapeColumn {
  readonly name: string;
  readonly type: string;
  /** Part of what names a row. */
  readonly isKey: boolean;
}
export interface ShapeOptions {
  readonly table: string;
  readonly type: RecordType;
  readonly needed: ReadonlySet<string>;
  readonly unknownFields: "ignore" | "reject";
}
interface FieldText {
  /** `,"name":` */
  readonly label: Uint8Array;
  readonly name: string;
  readonly column: number;
  readonly write: ValueJson;
}

const encoder = new TextEncoder();
const NULL = encoder.encode("null");
const [OPEN, CLOSE, LINE_END] = [..."{}\n"].map((letter) => letter.charCodeAt(0));

export class TableShape {
  readonly columns: readonly ShapeColumn[];
  /** Decodes rows that are there. */
  readonly decode: Decoder;
  readonly #fields: readonly FieldText[];
  readonly #options: ShapeOptions;
  readonly #keys: readonly number[];
  readonly #type: RecordType;
  #decodeDeleted: Decoder | null = null;

  /** Throws `column_missing` where a field that must be there has no column. */
  constructor(options: ShapeOptions, columns: readonly ShapeColumn[]) {
    const { type, needed, table, unknownFields } = options;
    const missing = type.fields.filter(({ name, type: { nullable } }) => !nullable && !columns.some((column) => column.name === name));
    if (missing.length > 0) throw columnMissing(table, missing.map(({ name }) => name), columns);
    const present = type.fields.map((field) => ({ field, column: columns.findIndex(({ name }) => name === field.name) }));
    this.#fields = present.filter(({ column }) => column >= 0).map(({ field, column }, i) => ({
      label: encoder.encode(`${i > 0 ? "," : ""}${JSON.stringify(field.name)}:`),
      name: field.name,
      column,
      write: valueJson(field.type.kind, columns[column].type),
    }));
    this.#options = options;
    this.columns = columns;
    this.#keys = columns.flatMap(({ isKey }, i) => isKey ? [i] : []);
    this.#type = decodedType(type, (field) => asTableColumn(columns.find(({ name }) => name === field.name)), timeForm);
    this.decode = compileJsonDecoder({ type: this.#type, needed, numericText: "accept", unknownFields });
  }

  /** Decodes rows that are no more: of those, only the key need be told. */
  get decodeDeleted(): Decoder {
    const { needed, unknownFields } = this.#options;
    const type = { fields: this.#type.fields.map((field) => ({ ...field, type: withNull(field.type) })) };
    return this.#decodeDeleted ??= compileJsonDecoder({ type, needed, numericText: "accept", unknownFields });
  }

  /**
   * Appends a row and a line end. Gives the name of a field whose value nobody told: it is long, did not change, and the row before is
   * not at hand; null where all are there.
   */
  write(row: Tuple, old: OldRow, before: Tuple, into: ByteWriter): string | null {
    let untold: string | null = null;
    into.reserve(2);
    into.bytes[into.length++] = OPEN;
    const fields = this.#fields;
    for (let i = 0; i < fields.length; i++) {
      const { label, column, write, name } = fields[i];
      writeBytes(into, label);
      let tuple = row;
      if (column < row.count && row.kind[column] === VALUE.unchanged) {
        if (old === "full") tuple = before;
        else untold ??= name;
      }
      if (column < tuple.count && tuple.kind[column] === VALUE.text) write(tuple.bytes, tuple.start[column], tuple.end[column], into);
      else writeBytes(into, NULL);
    }
    into.reserve(2);
    into.bytes[into.length++] = CLOSE;
    into.bytes[into.length++] = LINE_END;
    return untold;
  }

  /** Whether an update gave the row another key, so that the old one is no more. */
  changesKey(row: Tuple, old: OldRow, before: Tuple): boolean {
    // The server tells the key alone only where it changed.
    if (old !== "full") return old === "key";
    for (const column of this.#keys) {
      if (row.kind[column] === VALUE.text && before.kind[column] === VALUE.text && !equalTexts(row, before, column)) return true;
    }
    return false;
  }
}

function equalTexts(a: Tuple, b: Tuple, column: number): boolean {
  const length = a.end[column] - a.start[column];
  if (b.end[column] - b.start[column] !== length) return false;
  for (let i = 0; i < length; i++) if (a.bytes[a.start[column] + i] !== b.bytes[b.start[column] + i]) return false;
  return true;
}

/** What `decodedType` looks at is the type. */
function asTableColumn(column: ShapeColumn | undefined): TableColumn | undefined {
  if (!column) return undefined;
  const { name, type } = column;
  const unbounded = { scale: null, lengthMax: null, secondDecimals: 6 };
  return { name, type, declared: type, nullable: true, isEnum: false, isGenerated: false, ...unbounded };
}

function columnMissing(table: string, missing: readonly string[], columns: readonly ShapeColumn[]): MillraceError {
  const found = columns.map(({ name }) => name).join(", ");
  return new MillraceError("column_missing", `the changes of table ${table} have no column ${missing.join(", ")}; they have ${found}`, {
    hint: "a column that was dropped, renamed or added later is no field of all rows: take it out of `fields`, or make it nullable with ?",
  });
}
