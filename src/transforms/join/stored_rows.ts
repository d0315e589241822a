/** Rows of batches in state columns and back: what a join holds of its two sides. Works a column at a time. */
import { Buffer } from "node:buffer";
import type { Batch, Column, TextColumn } from "../../data/batch.ts";
import { cell, detach, numberColumn, textColumn, valueColumn } from "../../data/columns.ts";
import { isNumeric, type Type } from "../../data/types.ts";
import type { KeyPart, StateColumnKind, StateTable } from "../../engine/contracts.ts";

/** How a field's values are stored. */
export function storedKind(type: Type): StateColumnKind {
  return isNumeric(type) ? "number" : type.kind === "string" ? "text" : "value";
}

/** Writes row `i` of `column` into slot `slots[i]`, for the first `count` rows; a negative slot is passed over. */
export function storeColumn(table: StateTable, name: string, type: Type, column: Column, slots: Int32Array, count: number): void {
  if (column.kind === "number") {
    const { values, valid } = table.number(name);
    for (let row = 0; row < count; row++) {
      if (slots[row] < 0) continue;
      const there = column.valid === null ? 1 : column.valid[row];
      values[slots[row]] = there === 0 ? 0 : column.values[row];
      valid[slots[row]] = there;
    }
    return;
  }
  if (type.kind === "string") {
    const { values } = table.text(name);
    for (let row = 0; row < count; row++) {
      if (slots[row] < 0) continue;
      const text = cell(column, type, row) as string | null;
      values[slots[row]] = text === null ? null : detach(text);
    }
    return;
  }
  const { values } = table.value(name);
  for (let row = 0; row < count; row++) {
    if (slots[row] >= 0) values[slots[row]] = toJson(cell(column, type, row), type);
  }
}

/** A stored column as a column of the rows in these slots. */
export function loadColumn(table: StateTable, name: string, type: Type, slots: Int32Array): Column {
  switch (storedKind(type)) {
    case "number": {
      const { values, valid } = table.number(name);
      const there = type.nullable ? Uint8Array.from(slots, (slot) => valid[slot]) : null;
      return numberColumn(Float64Array.from(slots, (slot) => values[slot]), there);
    }
    case "text": {
      const { values } = table.text(name);
      return valueColumn(Array.from(slots, (slot) => values[slot]));
    }
    default: {
      const { values } = table.value(name);
      return valueColumn(Array.from(slots, (slot) => fromJson(values[slot], type)));
    }
  }
}

/** State keeps what JSON can hold: a map is a list of its entries there. */
export function toJson(value: unknown, type: Type): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case "map":
      return [...(value as ReadonlyMap<unknown, unknown>)].map(([key, item]) => [key, toJson(item, type.value)]);
    case "list":
      return (value as readonly unknown[]).map((item) => toJson(item, type.item));
    case "struct":
      return Object.fromEntries(
        type.fields.map((field) => [field.name, toJson((value as Record<string, unknown>)[field.name], field.type)]),
      );
    default:
      return value;
  }
}
/** The opposite of `toJson`. */
export function fromJson(value: unknown, type: Type): unknown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case "map":
      return new Map((value as readonly (readonly [unknown, unknown])[]).map(([key, item]) => [key, fromJson(item, type.value)]));
    case "list":
      return (value as readonly unknown[]).map((item) => fromJson(item, type.item));
    case "struct":
      return Object.fromEntries(
        type.fields.map((field) => [field.name, fromJson((value as Record<string, unknown>)[field.name], field.type)]),
      );
    default:
      return value;
  }
}

/** Reads a part of a key from a column: bools as 0 and 1. */
export function keyReader(column: Column, type: Type): (row: number) => KeyPart {
  if (column.kind === "number") {
    const { values, valid } = column;
    return valid === null ? (row) => values[row] : (row) => valid[row] === 0 ? null : values[row];
  }
  return (row) => cell(column, type, row) as string | null;
}

/** The bytes of a record as text that state can keep: one character per byte, whatever they are. */
export function rawText(raw: TextColumn, row: number): string {
  return Buffer.from(raw.bytes.buffer, raw.bytes.byteOffset + raw.start[row], raw.end[row] - raw.start[row]).toString("latin1");
}
/** The opposite of `rawText`; null when there were no records. */
export function rawColumn(texts: readonly (string | null)[]): TextColumn | null {
  if (texts.every((text) => text === null)) return null;
  const pieces = texts.map((text) => Buffer.from(text ?? "", "latin1"));
  const bytes = new Uint8Array(Buffer.concat(pieces));
  const start = new Int32Array(pieces.length);
  const end = new Int32Array(pieces.length);
  let at = 0;
  for (const [row, piece] of pieces.entries()) {
    start[row] = at;
    end[row] = at += piece.length;
  }
  return textColumn(bytes, start, end, null);
}

/** A batch's field column, or null when nobody decoded it. */
export function columnNamed(batch: Batch, name: string): Column | null {
  return batch.columns[batch.type.fields.findIndex((field) => field.name === name)];
}
