/**
 * Snapshots of reference tables as bytes: the needed columns of all rows, one column behind the other. Invariant: rows come back as
 * they were, in their order; a snapshot is read by the version that wrote it, for the run that it belongs to.
 *
 *   snapshot := rows:u32 column* objects             columns in the order of the fields
 *   column   := valid numbers                        number-like types: their packed values, 0 where null
 *             | valid lengths bytes                  text: UTF-8
 *   objects  := NDJSON of the fields of other types  nothing where there are none
 *   valid    := %x01 (nothing is null) | %x00 byte*  1 for each row that is there
 *   numbers, lengths: packed, see engine/state/packed_numbers.ts
 */
import type { Batch, Column, TextColumn } from "../data/batch.ts";
import { writeBytes, writeText } from "../data/bytes.ts";
import { cell, countingFrom, makeMeta, numberColumn, textColumn } from "../data/columns.ts";
import { assert } from "../data/fault.ts";
import { compileJsonDecoder, compileJsonEncoder, splitLines } from "../data/json/mod.ts";
import { RECORD_BYTES_MAX } from "../data/limits.ts";
import { type Field, isNumeric, type RecordType, STRING } from "../data/types.ts";
import { BinaryReader, BinaryWriter } from "../engine/binary.ts";
import { packNumbers, unpackNumbers } from "../engine/state/packed_numbers.ts";

/** The fields `needed` of all rows. */
export function encodeSnapshot(type: RecordType, needed: ReadonlySet<string>, batches: readonly Batch[]): Uint8Array {
  const writer = new BinaryWriter(1 << 20);
  const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
  writer.u32(rows);
  type.fields.forEach((field, index) => {
    if (!needed.has(field.name) || isObject(field)) return;
    const parts = batches.map((batch): Part => {
      const column = batch.columns[index];
      assert(column, "a table's needed fields are decoded");
      return { column, rows: batch.rows };
    });
    if (isNumeric(field.type)) writeNumbers(writer, parts, rows);
    else writeTexts(writer, parts, rows);
  });
  writeObjects(writer, objectsOf(type, needed), batches);
  return writer.written();
}

/** What `encodeSnapshot` was given, as one batch. */
export function decodeSnapshot(name: string, type: RecordType, needed: ReadonlySet<string>, bytes: Uint8Array): Batch {
  const reader = new BinaryReader(bytes);
  const rows = reader.u32();
  const columns = type.fields.map((field): Column | null => {
    if (!needed.has(field.name) || isObject(field)) return null;
    const valid = readValid(reader, rows);
    return isNumeric(field.type) ? numberColumn(unpackNumbers(reader, rows), valid) : readTexts(reader, valid, rows);
  });
  const objects = readObjects(bytes.subarray(reader.at), objectsOf(type, needed), rows);
  return {
    rows,
    type,
    columns: columns.map((column, index) => objects.get(type.fields[index].name) ?? column),
    meta: makeMeta(name, 0, countingFrom(1, rows)),
  };
}

const isObject = ({ type }: Field): boolean => !isNumeric(type) && type.kind !== "string";

/** Fields that are neither numbers nor text, in their plain form. */
function objectsOf({ fields }: RecordType, needed: ReadonlySet<string>): RecordType {
  return { fields: fields.filter((field) => needed.has(field.name) && isObject(field)).map(({ name, type }) => ({ name, type })) };
}

function writeObjects(writer: BinaryWriter, type: RecordType, batches: readonly Batch[]): void {
  if (type.fields.length === 0) return;
  const encode = compileJsonEncoder(type, { decimals: "string" });
  for (const batch of batches) {
    const columns = type.fields.map(({ name }) => batch.columns[batch.type.fields.findIndex((field) => field.name === name)]);
    const narrow: Batch = { ...batch, type, columns };
    for (let row = 0; row < batch.rows; row++) encode(narrow, row, writer);
  }
}

function readObjects(bytes: Uint8Array, type: RecordType, rows: number): ReadonlyMap<string, Column | null> {
  if (type.fields.length === 0) {
    assert(bytes.length === 0, "a snapshot ends with its last column");
    return new Map();
  }
  const needed = new Set(type.fields.map(({ name }) => name));
  const decode = compileJsonDecoder({ type, needed, numericText: "accept", unknownFields: "reject" });
  const { records, tooLong } = splitLines(bytes, 0, bytes.length, "end", RECORD_BYTES_MAX);
  const { columns, bad } = decode(records);
  assert(records.rows === rows && bad.length === 0 && tooLong.length === 0, "a table's snapshot is read as it was written");
  return new Map(type.fields.map(({ name }, index) => [name, columns[index]]));
}

/** The column of one batch. */
interface Part {
  readonly column: Column;
  readonly rows: number;
}

function writeNumbers(writer: BinaryWriter, parts: readonly Part[], rows: number): void {
  const valid = new Uint8Array(rows).fill(1);
  const values = new Float64Array(rows);
  let at = 0;
  for (const { column, rows: count } of parts) {
    assert(column.kind === "number", "numbers lie in number columns");
    values.set(column.values.subarray(0, count), at);
    if (column.valid !== null) valid.set(column.valid.subarray(0, count), at);
    at += count;
  }
  // What lies below a null is anything, but the same table must give the same bytes.
  if (parts.some(({ column }) => column.kind === "number" && column.valid !== null)) clearNulls(values, valid);
  writeValid(writer, valid);
  packNumbers(writer, values);
}

function clearNulls(values: Float64Array, valid: Uint8Array): void {
  for (let row = 0; row < values.length; row++) values[row] = valid[row] === 0 ? 0 : values[row];
}

function writeTexts(writer: BinaryWriter, parts: readonly Part[], rows: number): void {
  const valid = new Uint8Array(rows).fill(1);
  const lengths = new Float64Array(rows);
  const bytes = new BinaryWriter(rows * 32);
  let at = 0;
  for (const part of parts) {
    if (part.column.kind === "text") appendTexts(part, at, { valid, lengths, bytes });
    else appendStrings(part, at, { valid, lengths, bytes });
    at += part.rows;
  }
  writeValid(writer, valid);
  packNumbers(writer, lengths);
  writer.raw(bytes.written());
}

interface Texts {
  readonly valid: Uint8Array;
  readonly lengths: Float64Array;
  readonly bytes: BinaryWriter;
}

function appendTexts({ column, rows }: Part, at: number, texts: Texts): void {
  assert(column.kind === "text", "slices lie in text columns");
  for (let from = 0; from < rows; from += GROUP_ROWS) appendSlices(column, from, Math.min(rows, from + GROUP_ROWS), at, texts);
}

/** The texts of rows [from, to). */
function appendSlices(column: TextColumn, from: number, to: number, at: number, { valid, lengths, bytes }: Texts): void {
  for (let row = from; row < to; row++) {
    if (column.valid !== null && column.valid[row] === 0) {
      valid[at + row] = 0;
      continue;
    }
    lengths[at + row] = column.end[row] - column.start[row];
    writeBytes(bytes, column.bytes, column.start[row], column.end[row]);
  }
}

/** A call of the encoder costs more than the text of a row does: rows are encoded together, and one by one where not all is ASCII. */
function appendStrings({ column, rows }: Part, at: number, texts: Texts): void {
  const group: string[] = [];
  for (let from = 0; from < rows; from += GROUP_ROWS) {
    takeStrings(column, from, Math.min(rows, from + GROUP_ROWS), group, texts.valid.subarray(at + from));
    appendGroup(group, texts.lengths.subarray(at + from), texts.bytes);
  }
}

/** The strings of rows [from, to), empty ones for null. */
function takeStrings(column: Column, from: number, to: number, group: string[], valid: Uint8Array): void {
  group.length = 0;
  for (let row = from; row < to; row++) {
    const value = cell(column, STRING, row) as string | null;
    if (value === null) valid[row - from] = 0;
    group.push(value ?? "");
  }
}

function appendGroup(group: readonly string[], lengths: Float64Array, bytes: BinaryWriter): void {
  const together = group.join("");
  const before = bytes.length;
  // As many bytes as units of UTF-16: then each unit is a byte of its own, and texts are as long in bytes as they are in units.
  const isAscii = appendText(bytes, together) === together.length;
  if (!isAscii) bytes.length = before;
  for (let i = 0; i < group.length; i++) lengths[i] = isAscii ? group[i].length : appendText(bytes, group[i]);
}

/** Returns how many bytes it takes. */
function appendText(bytes: BinaryWriter, text: string): number {
  const before = bytes.length;
  writeText(bytes, text);
  return bytes.length - before;
}
const GROUP_ROWS = 256;

function readTexts(reader: BinaryReader, valid: Uint8Array | null, rows: number): ReturnType<typeof textColumn> {
  const lengths = unpackNumbers(reader, rows);
  const start = new Int32Array(rows);
  const end = new Int32Array(rows);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    start[row] = at;
    end[row] = at += lengths[row];
  }
  return textColumn(reader.take(at), start, end, valid);
}

function writeValid(writer: BinaryWriter, valid: Uint8Array): void {
  const isFull = !valid.includes(0);
  writer.u8(isFull ? 1 : 0);
  if (!isFull) writer.raw(valid);
}

function readValid(reader: BinaryReader, rows: number): Uint8Array | null {
  return reader.u8() === 1 ? null : reader.take(rows);
}
