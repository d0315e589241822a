/**
 * Compiles the encoder of a table's rows: one generated loop over columns, no object per row. What stands in a row and how:
 * binary_values.ts. Behind the user's columns every row has the same `tail`, whose epoch and row number are filled in when the epoch
 * has its number. Invariant: the room asked for is never less than what is written.
 */
import type { Batch, Column } from "../../data/batch.ts";
import type { RowsEncoder } from "../../data/codec.ts";
import { assert } from "../../data/fault.ts";
import { sourceName } from "../../data/source_name.ts";
import { type Field, isNumeric } from "../../data/types.ts";
import { COPY_SLACK, copyWords, viewOf } from "../../data/words.ts";
import { LENGTH_BYTES_MAX, numberForm, putLength, putNumber, putString, putWhole, refuse, valueWriter } from "./binary_values.ts";
import type { ColumnType } from "./column_type.ts";

/** A field that is written, and the column that takes it. */
export interface BoundColumn {
  /** Its place in the batch's type. */
  readonly index: number;
  readonly field: Field;
  readonly column: ColumnType;
}

/** Why a column cannot take a field's values; null where it can. */
export function misfit({ field, column }: BoundColumn): string | null {
  const writer = valueWriter(field, field.type, column);
  return typeof writer === "string" ? writer : null;
}

/** An encoder of the columns, in their order, and the tail. The columns were checked by `misfit`. */
export function compileRowBinary(columns: readonly BoundColumn[], tail: Uint8Array): RowsEncoder {
  const code = new EncoderCode(tail);
  for (const column of columns) code.add(column);
  const body = `
return function row_binary(batch, from, to, into, ends, at) {
  ${code.binding.join("\n  ")}
  let b = into.bytes, view = into.view, p = into.length;
  for (let row = from; row < to; row++) {
    let need = ${code.room};
    ${code.measuring.join("\n    ")}
    if (p + need > b.length) { into.length = p; into.reserve(need); b = into.bytes; view = into.view; }
    ${code.writing.join("\n    ")}
    b.set(tail, p); p += ${tail.length};
    ends[at++] = p;
  }
  into.length = p;
};${sourceName("row_binary")}`;
  return new Function(...Object.keys(code.constants), body)(...Object.values(code.constants)) as RowsEncoder;
}

/** Pieces of the encoder, in the order of the columns. */
class EncoderCode {
  readonly constants: Record<string, unknown> = {
    bind: columnOfKind,
    viewOf,
    copyWords,
    putLength,
    putString,
    putNumber,
    putWhole,
    refuse,
  };
  readonly binding: string[] = [];
  readonly measuring: string[] = [];
  readonly writing: string[] = [];
  /** Bytes that any row may take besides its texts. */
  room: number;

  constructor(tail: Uint8Array) {
    this.constants.tail = tail;
    this.room = tail.length;
  }

  add({ index, field, column }: BoundColumn): void {
    const isNullable = column.kind === "nullable";
    const inner = isNullable ? column.of : column;
    this.constants[`f${index}`] = field;
    const form = isNumeric(field.type) ? numberForm({ ...field.type, nullable: false }, inner) : null;
    if (form !== null) this.#addNumber(index, isNullable, form);
    else if (field.type.kind === "string" && inner.kind === "string") this.#addText(index, isNullable);
    else this.#addValue(index, field, column);
  }

  #addNumber(index: number, isNullable: boolean, form: NonNullable<ReturnType<typeof numberForm>>): void {
    this.constants[`form${index}`] = form;
    this.room += 17;
    this.binding.push(
      `const c${index} = bind(batch, ${index}, f${index}, "number"), v${index} = c${index}.values, n${index} = c${index}.valid;`,
    );
    // The everyday forms stand here in full; the others are called.
    const value = `v${index}[row]`;
    const isPlain = form.form === "whole" && form.factor === 1 && form.divisor === 1 && form.bytes <= 8;
    const write = isPlain
      ? `const x = ${value};
      if (!(x >= ${form.least} && x <= ${form.greatest})) refuse(f${index}, "is outside of what its column keeps");
      ${plainWrite(form.bytes)}`
      : form.form === "double" && form.divisor === 1
      ? `view.setFloat64(p, ${value}, true); p += 8;`
      : `p = putNumber(f${index}, form${index}, view, p, ${value});`;
    this.writing.push(nullable(isNullable, `n${index} !== null && n${index}[row] === 0`, `{ ${write} }`));
  }

  #addText(index: number, isNullable: boolean): void {
    this.room += LENGTH_BYTES_MAX + 1 + COPY_SLACK;
    this.binding.push(
      `const k${index} = bind(batch, ${index}, f${index}, "text"), x${index} = k${index}.kind === "value" ? k${index}.values : null;
  let b${index} = null, w${index} = null, s${index} = null, e${index} = null, n${index} = null;
  if (x${index} === null) { b${index} = k${index}.bytes; w${index} = viewOf(b${index}); s${index} = k${index}.start; e${index} = k${index}.end; n${index} = k${index}.valid; }`,
    );
    this.measuring.push(`let y${index} = null, i${index} = 0, j${index} = 0, z${index} = false;
    if (x${index} !== null) { y${index} = x${index}[row]; if (y${index} === null || y${index} === undefined) z${index} = true; else need += 3 * y${index}.length; }
    else if (n${index} !== null && n${index}[row] === 0) z${index} = true;
    else { i${index} = s${index}[row]; j${index} = e${index}[row]; need += j${index} - i${index}; }`);
    const slice = `p = putLength(b, p, j${index} - i${index});
      if (j${index} + ${COPY_SLACK} <= b${index}.length) copyWords(view, p, w${index}, i${index}, j${index});
      else b.set(b${index}.subarray(i${index}, j${index}), p);
      p += j${index} - i${index};`;
    this.writing.push(nullable(isNullable, `z${index}`, `if (y${index} !== null) p = putString(b, p, y${index}); else { ${slice} }`));
  }

  /** Lists, maps, JSON and numbers as text: by the value. */
  #addValue(index: number, field: Field, column: ColumnType): void {
    const write = valueWriter(field, field.type, column);
    assert(typeof write !== "string", `column of ${field.name} was checked`);
    this.constants[`write${index}`] = write;
    if (isNumeric(field.type)) {
      this.binding.push(
        `const c${index} = bind(batch, ${index}, f${index}, "number"), g${index} = (row) => c${index}.valid !== null && c${index}.valid[row] === 0 ? null : c${index}.values[row];`,
      );
    } else {
      this.binding.push(
        `const c${index} = bind(batch, ${index}, f${index}, "text"), g${index} = (row) => c${index}.kind === "value" ? c${index}.values[row] : c${index}.at(row);`,
      );
    }
    // The writer makes room for itself; behind it there must be as much as before.
    this.writing.push(
      `into.length = p; write${index}(into, g${index}(row)); into.reserve(need); b = into.bytes; view = into.view; p = into.length;`,
    );
  }
}

function plainWrite(bytes: number): string {
  switch (bytes) {
    case 1:
      return "b[p++] = x;";
    case 2:
      return "view.setInt16(p, x, true); p += 2;";
    case 4:
      return "view.setInt32(p, x, true); p += 4;";
    default:
      return "const high = Math.floor(x / 4294967296); view.setInt32(p, x - high * 4294967296, true); view.setInt32(p + 4, high, true); p += 8;";
  }
}
const nullable = (isNullable: boolean, isNull: string, write: string): string =>
  isNullable ? `if (${isNull}) b[p++] = 1; else { b[p++] = 0; ${write} }` : write;

/** The column of a field: a wrong kind or a column that was pruned is a mistake of ours. */
function columnOfKind(batch: Batch, index: number, field: Field, kind: "number" | "text"): Column {
  const column = batch.columns[index];
  assert(column !== null && column !== undefined, `field ${field.name} is written but was not decoded`);
  assert((column.kind === "number") === (kind === "number"), `field ${field.name} has a column of kind ${column.kind}`);
  return column;
}
