/**
 * Which columns keep a field's values exactly. PostgreSQL rounds decimals and floats and cuts blanks without a word: what a column
 * cannot keep is refused here, the kind of column before the first row, single values before they are sent.
 */
import type { Batch, Column } from "../../data/batch.ts";
import { MillraceError } from "../../data/fault.ts";
import { type Field, typeText } from "../../data/types.ts";
import { RowRefused } from "../sql/row_refused.ts";
import type { TableTarget } from "../sql/table_target.ts";
import { fieldOf } from "../sql/table_target.ts";
import { columnOf, type TableColumn, type TableInfo } from "./table_info.ts";

const TEXTS = new Set(["text", "varchar", "bpchar", "name", "citext"]);
const INTEGERS = new Set(["int2", "int4", "int8"]);
const JSONS = new Set(["json", "jsonb"]);
/** Whose values are written as texts; others than these would make numbers or times of them. */
const WRITTEN_AS_TEXT = new Set(["uuid", "inet", "cidr", "macaddr", "macaddr8", "xml", "ltree"]);
const DOUBLE_DIGITS = 15;
const REAL_DIGITS = 6;

/** The first row from `from` on whose value the column would not keep, or -1. */
type Search = (column: Column, from: number, rows: number) => number;
/** "kept": all values are, or the server refuses them itself. */
type Fit = "kept" | "never" | Search;

/** Throws `column_type` where a column is of a type that cannot keep the field at all. */
export function requireColumnTypes(target: TableTarget, table: TableInfo, place: string): void {
  for (const name of target.columns) {
    const field = fieldOf(target, name);
    const column = columnOf(table, name)!;
    const where = `column "${name}" ${column.declared} of table "${table.name}" in ${place}`;
    if (column.isGenerated) {
      throw new MillraceError("column_type", `${where} is made by the server`, { hint: "leave it out of `columns`" });
    }
    if (fitOf(field, column) !== "never") continue;
    throw new MillraceError("column_type", `${where} cannot keep a ${typeText(field.type)}`, {
      hint: "declare the field as what the column holds, convert it in a `map`, or use a column of type text",
    });
  }
}

/** What a table's columns do not keep of a batch's rows. */
export interface Keeping {
  /** Throws `postgres_value` where a column would change a value. */
  requireKept(batch: Batch): void;
  /** The rows of which a column would change a value. */
  misfits(batch: Batch): ReadonlyMap<number, RowRefused>;
}

/** Undefined where the columns keep all that their fields can be. */
export function compileKeeping(target: TableTarget, table: TableInfo): Keeping | undefined {
  const searches = target.columns.flatMap((name) => {
    const column = columnOf(table, name)!;
    const search = fitOf(fieldOf(target, name), column);
    return typeof search === "function" ? [{ index: target.type.fields.findIndex((field) => field.name === name), column, search }] : [];
  });
  if (searches.length === 0) return undefined;
  const fault = ({ meta: { source, position } }: Batch, row: number, { name, declared }: TableColumn): RowRefused => {
    const message = `a value of ${source}, position ${position[row]}, would not be kept exactly by column ${name} ${declared}`;
    return new RowRefused("postgres_value", message, "scale", name, "make the column fit the field, or the field the column");
  };
  return {
    requireKept(batch) {
      for (const { index, column, search } of searches) {
        const row = search(batch.columns[index]!, 0, batch.rows);
        if (row >= 0) throw fault(batch, row, column);
      }
    },
    misfits(batch) {
      const found = new Map<number, RowRefused>();
      for (const { index, column, search } of searches) {
        const values = batch.columns[index]!;
        for (let row = search(values, 0, batch.rows); row >= 0; row = search(values, row + 1, batch.rows)) {
          if (!found.has(row)) found.set(row, fault(batch, row, column));
        }
      }
      return found;
    },
  };
}

function fitOf({ type }: Field, column: TableColumn): Fit {
  if (TEXTS.has(column.type)) return type.kind === "string" && column.lengthMax !== null ? longerThan(column.lengthMax) : "kept";
  switch (type.kind) {
    case "int":
      return integerFit(column);
    case "decimal":
      return decimalFit(type.scale, column);
    case "double":
      return doubleFit(column);
    case "bool":
      return column.type === "bool" || INTEGERS.has(column.type) || JSONS.has(column.type) ? "kept" : "never";
    case "timestamp":
      return column.type === "timestamptz" || column.type === "timestamp" ? "kept" : "never";
    case "date":
      return column.type === "date" ? "kept" : "never";
    case "string":
      return column.isEnum || JSONS.has(column.type) || WRITTEN_AS_TEXT.has(column.type) ? "kept" : "never";
    case "duration":
      return "never";
    default:
      return JSONS.has(column.type) ? "kept" : "never";
  }
}

function integerFit(column: TableColumn): Fit {
  if (INTEGERS.has(column.type) || JSONS.has(column.type)) return "kept";
  if (column.type === "numeric") return column.scale !== null && column.scale < 0 ? unlessMultipleOf(10 ** -column.scale) : "kept";
  return floatFit(column);
}

function decimalFit(scale: number, column: TableColumn): Fit {
  if (JSONS.has(column.type)) return "kept";
  if (column.type === "numeric") {
    return column.scale === null || column.scale >= scale ? "kept" : unlessMultipleOf(10 ** (scale - column.scale));
  }
  if (scale === 0 && INTEGERS.has(column.type)) return "kept";
  return floatFit(column);
}

/** So many digits come back from a float as they went in. */
function floatFit({ type }: TableColumn): Fit {
  if (type !== "float8" && type !== "float4") return "never";
  const most = 10 ** (type === "float8" ? DOUBLE_DIGITS : REAL_DIGITS) - 1;
  return numbers((value) => Math.abs(value) <= most);
}

function doubleFit({ type, scale }: TableColumn): Fit {
  if (type === "float8" || JSONS.has(type)) return "kept";
  if (type === "float4") return numbers((value) => Math.fround(value) === value);
  if (type !== "numeric") return "never";
  return scale === null ? "kept" : numbers((value) => Number(value.toFixed(Math.max(0, scale))) === value);
}

const unlessMultipleOf = (unit: number): Search => numbers((value) => value % unit === 0);

function numbers(isKept: (value: number) => boolean): Search {
  return (column, from, rows) => {
    if (column.kind !== "number") return -1;
    const { values, valid } = column;
    for (let row = from; row < rows; row++) if ((valid === null || valid[row] !== 0) && !isKept(values[row])) return row;
    return -1;
  };
}

/** The server cuts blanks at the end, and refuses other text that is too long. */
function longerThan(charactersMax: number): Search {
  return (column, from, rows) => {
    for (let row = from; row < rows; row++) {
      const text = column.kind === "text" ? column.at(row) : column.kind === "value" ? column.values[row] as string | null : null;
      if (text !== null && text.length > charactersMax && [...text].length > charactersMax) return row;
    }
    return -1;
  };
}
