/**
 * Compiles encoders of rows: functions per record type that bind a batch's columns once and then write row after row with
 * a single check of the room left. The formats (JSON, CSV) say what stands around the values and how text is written.
 * Invariant: the room asked for is never less than what is written.
 */
import type { Batch, Column } from "./batch.ts";
import { NUMBER_BYTES_MAX, putDecimal, putDouble, putInteger, putSmallDecimal, putText, SMALL_END } from "./bytes.ts";
import type { Encoder, RecordsEncoder, RowsEncoder } from "./codec.ts";
import { formatDuration } from "./duration.ts";
import { assert } from "./fault.ts";
import { sourceName } from "./source_name.ts";
import type { TimeText } from "./time_text.ts";
import { type Field, isNumeric, type RecordType } from "./types.ts";
import { COPY_SLACK, viewOf } from "./words.ts";

/** What a format adds to the values. All texts are ASCII or valid UTF-8. */
export interface EncoderForm {
  /** Text in front of the field's value, given its place among the columns. */
  before(field: Field, place: number): string;
  /** Text behind the last value. */
  readonly end: string;
  readonly nullText: string;
  /** Put around texts. Absent: putSlice and valueText do it where a text needs it. */
  readonly textQuote?: string;
  /** Put around times and durations. */
  quoteOf(field: Field): string;
  /** Put around decimals. */
  readonly decimalQuote: string;
  timeText(field: Field): TimeText;
  /** Writes bytes[from, to): at most `bytesPerByte` bytes for each of them, and two more. */
  readonly putSlice: PutSlice;
  readonly bytesPerByte: number;
  /** Gives a writer for the strings of one field. Absent: they are written as their valueText. */
  readonly texts?: () => TextWriter;
  /** The finished text of a run-time value that is not null; a string's only where `texts` is absent. */
  valueText(field: Field, value: unknown): string;
}
/** Writes strings of one field, and gives the position behind: `bytesPerByte` for each UTF-16 unit and COPY_SLACK bytes are free. */
export interface TextWriter {
  put(target: Uint8Array, view: DataView, at: number, text: string): number;
}
/** Gives the position behind. The views show the same bytes as the arrays. */
export type PutSlice = (
  target: Uint8Array,
  at: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  targetView: DataView,
  bytesView: DataView,
) => number;

/** Where a row's first `fields` columns come from: its raw bytes but for the last one, which the form's end writes again. */
export interface CopiedPart {
  readonly fields: number;
  /** The spelling that a row's bytes must have for that (SpelledColumns). */
  readonly form: number;
}

/** What rows are copied from, an object of one form whatever column it was: generated code that met another one would be compiled anew. */
export class RawRows {
  readonly view: DataView;
  /** `forms`: how each row is spelled. */
  constructor(readonly bytes: Uint8Array, readonly start: Int32Array, readonly end: Int32Array, readonly forms: Uint8Array) {
    this.view = viewOf(bytes);
  }
}
/** An encoder with a copied part. */
export type Copying<E> = E extends (...given: infer Given) => infer Result ? (...given: [...Given, raw: RawRows]) => Result : never;

/** An encoder of one row at a time. See `encoderCode`. It holds on to the columns of the last batch until it gets another one. */
export function compileEncoder(type: RecordType, indexes: readonly number[], form: EncoderForm, copied: CopiedPart | null = null): Encoder {
  const { constants, names, binding, room, measuring, writing } = encoderCode(type, indexes, form, copied);
  const body = `
let last = null${names.map((name) => `, ${name}`).join("")};
return function encoder(batch, row, into, raw) {
  if (batch !== last) { ${binding.join(" ")} last = batch; }
  let need = ${room};
  ${measuring.join("\n  ")}
  into.reserve(need);
  const b = into.bytes, view = into.view;
  let p = into.length;
  ${writing.join("\n  ")}
  into.length = p;
};${sourceName("encoder")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as Encoder;
}

/** An encoder of many rows in one call: cheaper by the row, as all columns stay in local variables. See `encoderCode`. */
export function compileRowsEncoder(
  type: RecordType,
  indexes: readonly number[],
  form: EncoderForm,
  copied: CopiedPart | null = null,
): RowsEncoder {
  const { constants, names, binding, room, measuring, writing } = encoderCode(type, indexes, form, copied);
  const body = `
return function rows_encoder(batch, from, to, into, ends, at, raw) {
  let row = from${names.map((name) => `, ${name}`).join("")};
  ${binding.join(" ")}
  let b = into.bytes, view = into.view, p = into.length;
  for (; row < to; row++) {
    let need = ${room};
    ${measuring.join("\n    ")}
    if (p + need > b.length) { into.length = p; into.reserve(need); b = into.bytes; view = into.view; }
    ${writing.join("\n    ")}
    ends[at++] = p;
  }
  into.length = p;
};${sourceName("rows_encoder")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as RowsEncoder;
}

/** An encoder of chosen rows, each wrapped; with a copied part it ends in front of the first that cannot be copied. See `encoderCode`. */
export function compileRecordsEncoder(
  type: RecordType,
  indexes: readonly number[],
  form: EncoderForm,
  copied: CopiedPart | null = null,
): RecordsEncoder {
  const { constants, names, binding, room, measuring, writing } = encoderCode(type, indexes, form, copied);
  const body = `
return function records_encoder(batch, rows, from, to, into, wrapper, bytesMax, raw) {
  let i = from${names.map((name) => `, ${name}`).join("")};
  ${binding.join(" ")}
  ${copied === null ? "" : "const forms = raw.forms;"}
  let b = into.bytes, view = into.view, p = into.length;
  while (i < to && p <= bytesMax) {
    const row = rows[i];
    ${copied === null ? "" : `if ((forms[row] & ${copied.form}) === 0) break;`}
    i++;
    let need = ${room} + wrapper.room(row);
    ${measuring.join("\n    ")}
    if (p + need > b.length) { into.length = p; into.reserve(need); b = into.bytes; view = into.view; }
    p = wrapper.open(b, view, p, row);
    ${writing.join("\n    ")}
    p = wrapper.close(b, view, p - 1, row);
  }
  into.length = p;
  return i;
};${sourceName("records_encoder")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as RecordsEncoder;
}

/** An encoder of chosen rows by one that writes a row at a time. */
export function recordByRecord(encode: Encoder): RecordsEncoder {
  return (batch, rows, from, to, into, wrapper, bytesMax) => {
    let i = from;
    while (i < to && into.length <= bytesMax) {
      const row = rows[i++];
      const room = wrapper.room(row);
      into.reserve(room);
      into.length = wrapper.open(into.bytes, into.view, into.length, row);
      encode(batch, row, into);
      into.reserve(room);
      into.length = wrapper.close(into.bytes, into.view, into.length - 1, row);
    }
    return i;
  };
}

/** Pieces of an encoder, in the order of the columns. */
interface EncoderCode {
  readonly constants: Readonly<Record<string, unknown>>;
  /** Variables that `binding` fills from a batch. */
  readonly names: readonly string[];
  readonly binding: readonly string[];
  /** Bytes that any row may take besides its texts; `measuring` adds those to `need`. */
  readonly room: number;
  readonly measuring: readonly string[];
  readonly writing: readonly string[];
}

/**
 * Code that encodes the fields `indexes` of `type`, in that order; those of the copied part, if any, are not written but copied. Its
 * batches must have the others decoded.
 */
function encoderCode(type: RecordType, indexes: readonly number[], form: EncoderForm, copied: CopiedPart | null): EncoderCode {
  const constants: Record<string, unknown> = {
    putInteger,
    putDecimal,
    putSmallDecimal,
    putDouble,
    putText,
    viewOf,
    putSlice: form.putSlice,
    bind: columnOfKind,
    noNull,
    valueText: form.valueText,
  };
  const names: string[] = [];
  const binding: string[] = [];
  const measuring: string[] = [];
  const writing: string[] = [];
  const literals = new Literals();
  const textQuote = form.textQuote ?? "";
  let room = 0;
  if (copied !== null) {
    names.push("rawBytes", "rawView", "rawStart", "rawEnd");
    binding.push("({ bytes: rawBytes, view: rawView, start: rawStart, end: rawEnd } = raw);");
    measuring.push(`const first = rawStart[row], end = rawEnd[row] - 1; need += end - first;`);
    // As copyWords does it, here for the room that V8 has for functions within a function; the last turn goes over some bytes of those before.
    // And as doubles, of which V8's middle compiler makes no objects, unlike integers of 64 bits. A double keeps all its bits unless it is no
    // number, and no eight bytes of UTF-8 are such a one, which ends in 7f or ff behind f0 or more: bytes of other kinds are copyWords' work.
    writing.push(`if (end - first < 16) b.set(rawBytes.subarray(first, end), p);
  else {
    const last = end - 16, by = p - first;
    for (let from = first; from < last; from += 16) {
      const front = rawView.getFloat64(from, true), back = rawView.getFloat64(from + 8, true);
      view.setFloat64(from + by, front, true); view.setFloat64(from + 8 + by, back, true);
    }
    const front = rawView.getFloat64(last, true), back = rawView.getFloat64(last + 8, true);
    view.setFloat64(last + by, front, true); view.setFloat64(last + 8 + by, back, true);
  }
  p += end - first;`);
  }
  for (const [place, index] of indexes.entries()) {
    if (copied !== null && place < copied.fields) continue;
    const field = type.fields[index];
    literals.add(form.before(field, place));
    constants[`f${index}`] = field;
    if (isNumeric(field.type)) {
      names.push(`v${index}`, `n${index}`);
      binding.push(`{ const c = bind(batch, ${index}, f${index}, "number"); v${index} = c.values; n${index} = c.valid; }`);
      const time = field.type.kind === "timestamp" || field.type.kind === "date" ? form.timeText(field) : null;
      room += NUMBER_BYTES_MAX + form.nullText.length + (time?.bytesMax ?? 0);
      const write = numberWrite(field, index, form, time, constants);
      if (field.type.nullable) {
        writing.push(literals.take(), nullableCode(`n${index} !== null && n${index}[row] === 0`, write, form.nullText));
      } else {
        literals.add(write.before);
        writing.push(literals.take(), `if (n${index} !== null && n${index}[row] === 0) noNull(f${index});`, write.code);
        literals.add(write.after);
      }
    } else {
      names.push(...["k", "x", "b", "w", "s", "e", "n", "o", "m"].map((name) => name + index));
      binding.push(bindTextCode(index));
      measuring.push(measureCode(field, index, form));
      if (form.texts !== undefined) constants[`r${index}`] = form.texts();
      room += 2 * textQuote.length + form.nullText.length + COPY_SLACK;
      const code = textWriteCode(field, index, form);
      const isText = field.type.kind === "string";
      if (isText && !field.type.nullable) {
        literals.add(textQuote);
        writing.push(literals.take(), code);
        literals.add(textQuote);
      } else {
        const quote = isText ? literalCode(textQuote) : "";
        writing.push(literals.take(), `if (z${index}) { ${literalCode(form.nullText)} } else { ${quote} ${code} ${quote} }`);
      }
    }
  }
  literals.add(form.end);
  writing.push(literals.take());
  return { constants, names, binding, room: room + literals.bytes, measuring, writing };
}

/** The column of a field: a wrong kind or a column that was pruned is a mistake of ours. */
function columnOfKind(batch: Batch, index: number, field: Field, kind: "number" | "text"): Column {
  const column = batch.columns[index];
  if (column && (column.kind === "number") === (kind === "number")) return column;
  assert(false, `field ${field.name} is written but ${column ? `has a column of kind ${column.kind}` : "was not decoded"}`);
}

function noNull(field: Field): never {
  assert(false, `field ${field.name} holds null, which its type does not allow`);
}

/** Texts that follow one another between two values. */
class Literals {
  #pending = "";
  /** Of all of them. */
  bytes = 0;
  add(text: string): void {
    this.#pending += text;
  }
  take(): string {
    this.bytes += encoder.encode(this.#pending).length;
    const code = literalCode(this.#pending);
    this.#pending = "";
    return code;
  }
}
const encoder = new TextEncoder();

/** Writes the text's bytes, four at a time; where their number is no multiple of four, the last two words overlap. */
function literalCode(text: string): string {
  const bytes = encoder.encode(text);
  const words = new DataView(bytes.buffer);
  if (bytes.length < 4) return [...bytes].map((byte) => `b[p++] = ${byte};`).join(" ");
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const place = Math.min(at, bytes.length - 4);
    lines.push(`view.setInt32(p + ${place}, ${words.getInt32(place, true)}, true);`);
  }
  return `${lines.join(" ")} p += ${bytes.length};`;
}

function bindTextCode(index: number): string {
  return `k${index} = bind(batch, ${index}, f${index}, "text");
    x${index} = b${index} = w${index} = s${index} = e${index} = n${index} = null;
    if (k${index}.kind === "value") x${index} = k${index}.values;
    else { b${index} = k${index}.bytes; w${index} = viewOf(b${index}); s${index} = k${index}.start; e${index} = k${index}.end; n${index} = k${index}.valid; }`;
}

/**
 * Before anything is written: y is the string or finished text of a value column, else null and [i, j) the slice; z is whether
 * the value is null. Made values are mostly the same as the one before: o is that one and m its text.
 */
function measureCode(field: Field, index: number, form: EncoderForm): string {
  const isString = field.type.kind === "string";
  const made = isString && form.texts !== undefined
    ? `need += ${form.bytesPerByte} * y${index}.length;`
    : `if (y${index} !== o${index}) { m${index} = valueText(f${index}, y${index}); o${index} = y${index}; }
    y${index} = m${index}; need += 3 * y${index}.length;`;
  return `let i${index} = 0, j${index} = 0, y${index} = null, z${index} = false;
  if (x${index} !== null) { y${index} = x${index}[row]; if (y${index} === null || y${index} === undefined) z${index} = true; else { ${made} } }
  else if (n${index} !== null && n${index}[row] === 0) z${index} = true;
  else { i${index} = s${index}[row]; j${index} = e${index}[row]; need += ${form.bytesPerByte} * (j${index} - i${index}) + 2; }
  ${isString && !field.type.nullable ? `if (z${index}) noNull(f${index});` : ""}`;
}

function textWriteCode(field: Field, index: number, form: EncoderForm): string {
  const put = field.type.kind === "string" && form.texts !== undefined ? `r${index}.put(b, view, p` : "putText(b, p";
  return `if (y${index} !== null) p = ${put}, y${index});
  else p = putSlice(b, p, b${index}, i${index}, j${index}, view, w${index});`;
}

/** How a value is written: constant text, code that moves `p`, constant text. */
interface ValueWrite {
  readonly before: string;
  readonly code: string;
  readonly after: string;
}

/**
 * A number or, where `isNull`, the text of null. Where that is nothing, the number (0, for null) is written too and then forgotten: V8
 * throws compiled code away at the first row for which it comes to a call that it has not seen.
 */
function nullableCode(isNull: string, { before, code, after }: ValueWrite, nullText: string): string {
  if (before + after + nullText === "") return `{ const start = p; ${code} if (${isNull}) p = start; }`;
  return `if (${isNull}) { ${literalCode(nullText)} } else { ${literalCode(before)}${code}${literalCode(after)} }`;
}

/** How the number `v` is written. */
function numberWrite(
  field: Field,
  index: number,
  form: EncoderForm,
  time: TimeText | null,
  constants: Record<string, unknown>,
): ValueWrite {
  const { type } = field;
  const value = `v${index}[row]`;
  switch (type.kind) {
    case "int":
      return { before: "", code: `p = putInteger(b, p, ${value});`, after: "" };
    case "decimal":
      return { before: form.decimalQuote, code: decimalCode(value, type.scale), after: form.decimalQuote };
    case "double":
      return { before: "", code: `p = putDouble(b, p, ${value});`, after: "" };
    case "bool":
      return { before: "", code: `if (${value} !== 0) { ${literalCode("true")} } else { ${literalCode("false")} }`, after: "" };
    default: {
      const quote = form.quoteOf(field);
      constants[`t${index}`] = time?.write ?? putDuration;
      return { before: quote, code: `p = t${index}(${time === null ? `b, p, ${value}` : `${value}, b, p`});`, after: quote };
    }
  }
}
function decimalCode(value: string, scale: number): string {
  if (scale === 0 || scale > 9) return `p = putDecimal(b, p, ${value}, ${scale});`;
  return `{ const d = ${value}; if (d >= 0 && d < ${SMALL_END}) p = putSmallDecimal(b, p, d | 0, ${scale}); else p = putDecimal(b, p, d, ${scale}); }`;
}
/** The longest duration, all six units, takes 32 bytes with its sign. */
function putDuration(target: Uint8Array, at: number, micros: number): number {
  return putText(target, at, formatDuration(micros));
}
