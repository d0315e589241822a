/**
 * Rows as change data capture writes them: the row after the change with "__deleted" behind its columns, decimals and JSON as text, dates
 * as days since 1970. Invariant: the change decoder reads the same values and the same deletes back.
 */
import { putInteger, writeText } from "../bytes.ts";
import type { Encoder } from "../codec.ts";
import { compileEncoder, type EncoderForm } from "../encoder_code.ts";
import { timeTextOf } from "../field_text.ts";
import type { TimeText } from "../time_text.ts";
import type { Field, RecordType } from "../types.ts";
import { type JsonOptions, jsonText } from "../value_text.ts";
import { DELETED, isDays } from "./change_rows.ts";
import { jsonForm } from "./encoder.ts";

const KEPT = `"false"}\n`;
const GONE = `"true"}\n`;
/** Types whose values are columns of JSON. */
const HELD_IN_TEXT: ReadonlySet<string> = new Set(["struct", "list", "map", "json"]);
const CHANGES = { changes: { deletes: "pass", key: null } } as const;

/** Compiles an encoder of all fields of `type`; one of the name `__deleted` is left to the encoder. */
export function compileChangeEncoder(type: RecordType, options: JsonOptions = {}): Encoder {
  const { form, indexes } = jsonForm(type, { decimals: "string", ...options });
  const own = indexes.filter((index) => type.fields[index].name !== DELETED);
  const held = new Map(type.fields.filter((field) => HELD_IN_TEXT.has(field.type.kind)).map((field) => [field, heldText(field, options)]));
  const changes: EncoderForm = {
    ...form,
    end: `${own.length === 0 ? "{" : ","}"${DELETED}":${KEPT}`,
    quoteOf: (field) => isDays(field, CHANGES) ? "" : form.quoteOf(field),
    timeText: (field) => isDays(field, CHANGES) ? { ...timeTextOf(field)!, write: putDays } : form.timeText(field),
    valueText: (field, value) => {
      const write = held.get(field);
      return write === undefined ? jsonText(field, value, options) : `"${write(value)}"`;
    },
  };
  const encode = compileEncoder(type, own, changes);
  return (batch, row, into) => {
    encode(batch, row, into);
    if (!batch.meta.deleted || batch.meta.deleted[row] === 0) return;
    into.length -= KEPT.length;
    writeText(into, GONE);
  };
}

const putDays: TimeText["write"] = (days, bytes, at) => putInteger(bytes, at, days);

/** Characters that stand for themselves in a JSON string, and in one that stands in another. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** Compiles what writes a field's JSON as the inside of a JSON string. */
function heldText(field: Field, options: JsonOptions): (value: unknown) => string {
  const { type } = field;
  if (type.kind === "string") {
    return (value) =>
      value === null || value === undefined ? "null" : PLAIN.test(value as string) ? `\\"${value}\\"` : escaped(JSON.stringify(value));
  }
  if (type.kind !== "struct") return (value) => escaped(jsonText(field, value, options));
  const members = type.fields.map((each, place) => ({
    name: each.name,
    before: `${place === 0 ? "{" : ","}${escaped(JSON.stringify(each.name))}:`,
    write: heldText(each, options),
  }));
  return (value) => {
    if (value === null || value === undefined) return "null";
    const struct = value as Readonly<Record<string, unknown>>;
    let text = "";
    for (let i = 0; i < members.length; i++) text += members[i].before + members[i].write(struct[members[i].name]);
    return members.length === 0 ? "{}" : text + "}";
  };
}
const escaped = (json: string): string => /["\\]/.test(json) ? JSON.stringify(json).slice(1, -1) : json;
