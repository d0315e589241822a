/**
 * Code generated for one layout of records: it compares what stands between the values four bytes at a time and reads strings and
 * digits by words. Invariants: a record it accepts gives what the slow path would give, every byte of it checked; it may refuse any.
 * `p` never moves back and a record is only accepted when it was left exactly at its end, so reading on into what follows a
 * record is harmless; records so near to the end of the buffer that this could leave it are refused.
 */
import type { DecoderSpec } from "../codec.ts";
import { POWERS_OF_TEN } from "../exact.ts";
import { isOneOf } from "../field_text.ts";
import { sourceName } from "../source_name.ts";
import { isUtf8 } from "../utf8.ts";
import { closingQuote, STRING_BYTES, unescape } from "./escape.ts";
import type { FastJson } from "./fast.ts";
import type { Layout } from "./layout.ts";
import { LACKING, spelledForms } from "./spelling.ts";
import { testCode } from "./literal_code.ts";
import { met, skipString, skipValue } from "./skip.ts";
import { nullCode, storeLocals, type TemplateCode, unknownCode, valueCode } from "./template_values.ts";

/** Bytes that reading one value may look beyond what it takes, a number of 15 digits and its sign included. */
const VALUE_LOOKAHEAD = 40;

/** Of so many fields, the first ones, it is told whether a record lacks them. */
const LACKING_FIELDS_MAX = 31;

/**
 * Compiles for records of this layout. Members other than the first may be missing: nullable ones are null then, and a row that lacks
 * others is not read, but marked as LACKING.
 */
export function compileTemplate(spec: DecoderSpec, layout: Layout): FastJson {
  const { fields } = spec.type;
  const code: TemplateCode = {
    spec,
    constants: { STRING: STRING_BYTES, POWERS: POWERS_OF_TEN, isUtf8, isOneOf, closingQuote, unescape, met, skipString, skipValue },
  };
  // Some changes are told by what they lack.
  const isTold = spec.changes === undefined;
  const absentCode = (index: number): string => {
    const field = fields[index];
    if (!field.type.nullable) return isTold && index < LACKING_FIELDS_MAX ? `lacks |= ${1 << index};` : "break record;";
    return spec.needed.has(field.name) ? nullCode(field, index) : "";
  };
  const locals = fields.map((field, index) => spec.needed.has(field.name) ? storeLocals(index) : "");
  const lines = fields.map(({ name }, index) => layout.keys.includes(name) ? "" : absentCode(index));
  layout.keys.forEach((key, place) => {
    const index = fields.findIndex((field) => field.name === key);
    const before = layout.before[place];
    if (index < 0) {
      lines.push(expectCode(before), unknownCode());
      return;
    }
    const { type } = fields[index];
    const isText = type.kind === "string" && !type.nullable;
    const text = before + (isText ? '"' : "");
    const value = valueCode(fields[index], index, code);
    const found = `if (${testCode(text, "===", "&&")}) { p += ${bytesOf(text).length}; ${value} }`;
    lines.push(place === 0 ? `${expectCode(text)} ${value}` : `${found} else { forms = 0; ${absentCode(index)} }`);
  });
  lines.push(expectCode(layout.after));
  const literals = [...layout.before, layout.after].reduce((sum, text) => sum + bytesOf(text).length + 2, 0);
  const lookahead = literals + VALUE_LOOKAHEAD * (layout.keys.length + 1);
  const body = `
return function json_template(columns, from, to) {
  const { records: { bytes: b, start, end }, view, stores, arena, arenaBase, forms: rowForms } = columns;
  const last = b.length - ${lookahead};
  ${locals.join("\n  ")}
  for (let row = from; row < to; row++) {
    let p = start[row], v = 0, x = 0, y = 0, w = 0, d = 0, q = 0, t = 0, high = 0, lacks = 0, forms = ${spelledForms(spec.type, layout)};
    const stop = end[row];
    if (stop > last) return row;
    record: {
      ${lines.filter((line) => line !== "").join("\n      ")}
      if (p !== stop) break record;
      if (high !== 0 && !isUtf8(b, start[row], stop)) break record;
      if (lacks !== 0) {
        rowForms[row] = ${LACKING} + 31 - Math.clz32(lacks & -lacks);
        break record;
      }
      rowForms[row] = forms;
      continue;
    }
    return row;
  }
  return to;
};${sourceName("json_template")}`;
  return new Function(...Object.keys(code.constants), body)(...Object.values(code.constants)) as FastJson;
}

function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}
const encoder = new TextEncoder();

/** Leaves the record unless `text` stands at `p`, else steps over it. */
function expectCode(text: string): string {
  return text === "" ? "" : `if (${testCode(text, "!==", "||")}) break record; p += ${bytesOf(text).length};`;
}
