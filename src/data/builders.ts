/**
 * Columns made value by value, for operators that make rows. Invariant: after `finish` a builder is empty and may be used again;
 * the column it gave is never touched any more.
 */
import type { Column, NumberColumn, TextColumn, ValueColumn } from "./batch.ts";
import { createWriter, writeBytes, writeText } from "./bytes.ts";
import { textColumn } from "./text_column.ts";
import { isNumeric, type Type } from "./types.ts";

const ROWS_AT_FIRST = 64;

/** Any builder, where the values come as run-time values of their type. */
export interface ColumnBuilder {
  readonly length: number;
  /** Appends a run-time value; null where the type allows it. */
  pushValue(value: unknown): void;
  pushNull(): void;
  finish(): Column;
}

/** Numbers; bool as 0 and 1. */
export class NumberBuilder implements ColumnBuilder {
  length = 0;
  #values = new Float64Array(ROWS_AT_FIRST);
  #valid = new Uint8Array(ROWS_AT_FIRST);
  #nulls = 0;

  push(value: number): void {
    if (this.length === this.#values.length) this.#grow();
    this.#values[this.length] = value;
    this.#valid[this.length++] = 1;
  }
  pushNull(): void {
    this.push(0);
    this.#valid[this.length - 1] = 0;
    this.#nulls++;
  }
  pushValue(value: unknown): void {
    if (value === null || value === undefined) this.pushNull();
    else this.push(Number(value));
  }
  finish(): NumberColumn {
    const valid = this.#nulls === 0 ? null : this.#valid.slice(0, this.length);
    const column: NumberColumn = { kind: "number", values: this.#values.slice(0, this.length), valid };
    this.length = 0;
    this.#nulls = 0;
    return column;
  }
  #grow(): void {
    const values = new Float64Array(2 * this.length);
    values.set(this.#values);
    this.#values = values;
    const valid = new Uint8Array(2 * this.length);
    valid.set(this.#valid);
    this.#valid = valid;
  }
}

/** Strings, collected as UTF-8. */
export class TextBuilder implements ColumnBuilder {
  length = 0;
  #text = createWriter(1024);
  #end = new Int32Array(ROWS_AT_FIRST);
  #valid = new Uint8Array(ROWS_AT_FIRST);
  #nulls = 0;

  push(text: string): void {
    writeText(this.#text, text);
    this.#close(1);
  }
  pushBytes(bytes: Uint8Array, from: number, to: number): void {
    writeBytes(this.#text, bytes, from, to);
    this.#close(1);
  }
  pushNull(): void {
    this.#nulls++;
    this.#close(0);
  }
  pushValue(value: unknown): void {
    if (value === null || value === undefined) this.pushNull();
    else this.push(value as string);
  }
  finish(): TextColumn {
    const end = this.#end.slice(0, this.length);
    const start = new Int32Array(this.length);
    start.set(end.subarray(0, Math.max(0, this.length - 1)), Math.min(1, this.length));
    const valid = this.#nulls === 0 ? null : this.#valid.slice(0, this.length);
    const column = textColumn(this.#text.bytes.slice(0, this.#text.length), start, end, valid);
    this.#text.length = 0;
    this.length = 0;
    this.#nulls = 0;
    return column;
  }
  #close(valid: 0 | 1): void {
    if (this.length === this.#end.length) this.#grow();
    this.#end[this.length] = this.#text.length;
    this.#valid[this.length++] = valid;
  }
  #grow(): void {
    const end = new Int32Array(2 * this.length);
    end.set(this.#end);
    this.#end = end;
    const valid = new Uint8Array(2 * this.length);
    valid.set(this.#valid);
    this.#valid = valid;
  }
}

/** Run-time values of any type, null included. */
export class ValueBuilder implements ColumnBuilder {
  #values: unknown[] = [];
  get length(): number {
    return this.#values.length;
  }
  push(value: unknown): void {
    this.#values.push(value);
  }
  pushNull(): void {
    this.#values.push(null);
  }
  pushValue(value: unknown): void {
    this.#values.push(value ?? null);
  }
  finish(): ValueColumn {
    const column: ValueColumn = { kind: "value", values: this.#values };
    this.#values = [];
    return column;
  }
}

/** The builder whose column fits a field of this type. */
export function builderOf(type: Type): ColumnBuilder {
  if (isNumeric(type)) return new NumberBuilder();
  return type.kind === "string" ? new TextBuilder() : new ValueBuilder();
}
