/**
 * Compiles encoders of rows: functions per record type that bind a batch's columns once and then write row after row with a
 * single check of the room left. The formats (JSON, CSV) say what stands around the values and how text is written.
 * Invariant: the room asked for is never less than what is written.
 */
import type { Batch, Column } from "./batch.ts";
import { NUMBER_BYTES_MAX, putDecimal, putDouble, putInteger, putText } from "./bytes.ts";
import type { Encoder, RowsEncoder } from "./codec.ts";
import { formatDuration } from "./duration.ts";
import { assert } from "./fault.ts";
import { sourceName } from "./source_name.ts";
import type { TimeText } from "./time_text.ts";
import { type Field, isNumeric, type RecordType } from "./types.ts";

/** What a format adds to the values. All texts are ASCII or valid UTF-8. */
export interface EncoderForm {
  /** Text in front of the field's value, given its place among the columns. */
  before(field: Field, place: number): string;
  /** Text behind the last value. */
  readonly end: string;
  readonly nullText: string;
  /** Put around times and durations. */
  quoteOf(field: Field): string;
  /** Put around decimals. */
  readonly decimalQuote: string;
  timeText(field: Field): TimeText;
  /** Writes a text slice; at most `bytesPerByte` bytes for each of its bytes, and two more. */
  putSlice(target: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): number;
  readonly bytesPerByte: number;
  /** The finished text of a run-time value that is not null. */
  valueText(field: Field, value: unknown): string;
}

/** An encoder of one row at a time. See `encoderCode`. */
export function compileEncoder(type: RecordType, indexes: readonly number[], form: EncoderForm): Encoder {
  const { constants, names, binding, room, measuring, writing } = encoderCode(type, indexes, form);
  const body = `
let last = null${names.map((name) => `, ${name}`).join("")};
return function encoder(batch, row, into) {
  if (batch !== last) { ${binding.join(" ")} last = batch; }
  let need = ${room};
  ${measuring.join("\n  ")}
  into.reserve(need);
  const b = into.bytes;
  let p = into.length;
  ${writing.join("\n  ")}
  into.length = p;
};${sourceName("encoder")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as Encoder;
}

/** An encoder of many rows in one call: cheaper by the row, as all columns stay in local variables. See `encoderCode`. */
export function compileRowsEncoder(type: RecordType, indexes: readonly number[], form: EncoderForm): RowsEncoder {
  const { constants, names, binding, room, measuring, writing } = encoderCode(type, indexes, form);
  const body = `
return function rows_encoder(batch, from, to, into, ends, at) {
  let row = from${names.map((name) => `, ${name}`).join("")};
  ${binding.join(" ")}
  let b = into.bytes, p = into.length;
  for (; row < to; row++) {
    let need = ${room};
    ${measuring.join("\n    ")}
    if (p + need > b.length) { into.length = p; into.reserve(need); b = into.bytes; }
    ${writing.join("\n    ")}
    ends[at++] = p;
  }
  into.length = p;
};${sourceName("rows_encoder")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as RowsEncoder;
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
 * Code that encodes the fields `indexes` of `type`, in that order. Its batches must have these columns decoded. A row-wise encoder
 * holds on to the columns of the last batch until it gets another one.
 */
function encoderCode(type: RecordType, indexes: readonly number[], form: EncoderForm): EncoderCode {
  const constants: Record<string, unknown> = { putInteger, putDecimal, putDouble, putText, putSlice: form.putSlice, bind: columnOfKind };
  const names: string[] = [];
  const binding: string[] = [];
  const measuring: string[] = [];
  const writing: string[] = [];
  let room = 0;
  for (const [place, index] of indexes.entries()) {
    const field = type.fields[index];
    const before = form.before(field, place);
    room += 3 * before.length + NUMBER_BYTES_MAX;
    writing.push(literalCode(before));
    constants[`f${index}`] = field;
    if (isNumeric(field.type)) {
      names.push(`v${index}`, `n${index}`);
      binding.push(`{ const c = bind(batch, ${index}, f${index}, "number"); v${index} = c.values; n${index} = c.valid; }`);
      const time = field.type.kind === "timestamp" || field.type.kind === "date" ? form.timeText(field) : null;
      room += time?.bytesMax ?? 0;
      const value = `{ const v = v${index}[row]; ${numberWriteCode(field, index, form, time, constants)} }`;
      writing.push(`if (n${index} !== null && n${index}[row] === 0) { ${literalCode(form.nullText)} } else ${value}`);
    } else {
      names.push(`k${index}`, `o${index}`, `m${index} = ${JSON.stringify(form.nullText)}`);
      binding.push(`k${index} = bind(batch, ${index}, f${index}, "text");`);
      measuring.push(measureCode(index, form, constants));
      writing.push(`if (x${index} !== null) p = putText(b, p, x${index}); else p = putSlice(b, p, k${index}.bytes, s${index}, e${index});`);
    }
  }
  writing.push(literalCode(form.end));
  room += 3 * form.end.length;
  return { constants, names, binding, room, measuring, writing };
}

/** The column of a field: a wrong kind or a column that was pruned is a mistake of ours. */
function columnOfKind(batch: Batch, index: number, field: Field, kind: "number" | "text"): Column {
  const column = batch.columns[index];
  assert(column !== null && column !== undefined, `field ${field.name} is written but was not decoded`);
  assert((column.kind === "number") === (kind === "number"), `field ${field.name} has a column of kind ${column.kind}`);
  return column;
}

/** Assignments of the text's bytes. */
function literalCode(text: string): string {
  return [...new TextEncoder().encode(text)].map((byte) => `b[p++] = ${byte};`).join(" ");
}

/**
 * For text and other values: where the slice is, or the finished text, before anything is written. Made values are mostly the same
 * as the one before: `o` is that one and `m` its text.
 */
function measureCode(index: number, form: EncoderForm, constants: Record<string, unknown>): string {
  constants.valueText = (field: Field, value: unknown) =>
    value === null || value === undefined ? form.nullText : form.valueText(field, value);
  const nullText = JSON.stringify(form.nullText);
  return `let s${index} = 0, e${index} = 0, x${index} = null;
  if (k${index}.kind === "value") {
    const v = k${index}.values[row];
    if (v !== o${index}) { m${index} = valueText(f${index}, v); o${index} = v; }
    x${index} = m${index}; need += 3 * x${index}.length;
  } else if (k${index}.valid !== null && k${index}.valid[row] === 0) x${index} = ${nullText};
  else { s${index} = k${index}.start[row]; e${index} = k${index}.end[row]; need += ${form.bytesPerByte} * (e${index} - s${index}) + 2; }`;
}

/** Writes the number `v`. */
function numberWriteCode(
  field: Field,
  index: number,
  form: EncoderForm,
  time: TimeText | null,
  constants: Record<string, unknown>,
): string {
  const { type } = field;
  switch (type.kind) {
    case "int":
      return "p = putInteger(b, p, v);";
    case "decimal": {
      const quote = literalCode(form.decimalQuote);
      return `${quote} p = putDecimal(b, p, v, ${type.scale}); ${quote}`;
    }
    case "double":
      return "p = putDouble(b, p, v);";
    case "bool":
      return `if (v !== 0) { ${literalCode("true")} } else { ${literalCode("false")} }`;
    default: {
      const quote = literalCode(form.quoteOf(field));
      constants[`t${index}`] = time?.write ?? putDuration;
      return `${quote} p = t${index}(${time === null ? "b, p, v" : "v, b, p"}); ${quote}`;
    }
  }
}
/** The longest duration, all six units, takes 32 bytes with its sign. */
function putDuration(target: Uint8Array, at: number, micros: number): number {
  return putText(target, at, formatDuration(micros));
}
