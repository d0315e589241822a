/**
 * Compiles encoders of rows: one function per record type that binds a batch's columns once and then writes row after row with
 * a single check of the room left. The formats (JSON, CSV) say what stands around the values and how text is written.
 * Invariant: the room asked for is never less than what is written.
 */
import type { Batch, Column } from "./batch.ts";
import { NUMBER_BYTES_MAX, putDecimal, putDouble, putInteger, putText } from "./bytes.ts";
import type { Encoder } from "./codec.ts";
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

/**
 * An encoder of the fields `indexes` of `type`, in that order. Its batches must have these columns decoded. It holds on to the
 * columns of the last batch until it gets another one.
 */
export function compileEncoder(type: RecordType, indexes: readonly number[], form: EncoderForm): Encoder {
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
      names.push(`k${index}`);
      binding.push(`k${index} = bind(batch, ${index}, f${index}, "text");`);
      measuring.push(measureCode(index, form, constants));
      writing.push(`if (x${index} !== null) p = putText(b, p, x${index}); else p = putSlice(b, p, k${index}.bytes, s${index}, e${index});`);
    }
  }
  writing.push(literalCode(form.end));
  room += 3 * form.end.length;
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

/** For text and other values: where the slice is, or the finished text, before anything is written. */
function measureCode(index: number, form: EncoderForm, constants: Record<string, unknown>): string {
  constants.valueText = (field: Field, value: unknown) =>
    value === null || value === undefined ? form.nullText : form.valueText(field, value);
  const nullText = JSON.stringify(form.nullText);
  return `let s${index} = 0, e${index} = 0, x${index} = null;
  if (k${index}.kind === "value") { x${index} = valueText(f${index}, k${index}.values[row]); need += 3 * x${index}.length; }
  else if (k${index}.valid !== null && k${index}.valid[row] === 0) x${index} = ${nullText};
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
