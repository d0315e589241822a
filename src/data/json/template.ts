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
import { spelledForms } from "./spelling.ts";
import { testCode } from "./literal_code.ts";
import { met, skipString, skipValue } from "./skip.ts";
import { nullCode, storeLocals, type TemplateCode, unknownCode, valueCode } from "./template_values.ts";

/** Bytes that reading one value may look beyond what it takes, a number of 15 digits and its sign included. */
const VALUE_LOOKAHEAD = 40;

/**
 * Compiles for records of this layout. Members of nullable fields other than the first may be missing. `lacking` "accepted": the layout
 * lacks fields that must be there, and a record that is read is known to be wrong in nothing else; what is stored of it means nothing.
 */
export function compileTemplate(spec: DecoderSpec, layout: Layout, lacking: "refused" | "accepted" = "refused"): FastJson {
  const { fields } = spec.type;
  const code: TemplateCode = {
    spec,
    constants: { STRING: STRING_BYTES, POWERS: POWERS_OF_TEN, isUtf8, isOneOf, closingQuote, unescape, met, skipString, skipValue },
  };
  const locals = fields.map((field, index) => spec.needed.has(field.name) ? storeLocals(index) : "");
  const lines = fields.map((field, index) => {
    if (layout.keys.includes(field.name)) return "";
    if (!field.type.nullable) return lacking === "refused" ? "break record;" : "";
    return spec.needed.has(field.name) ? nullCode(field, index) : "";
  });
  // Text that must come next. A string that is never null leaves its closing quote here, to be compared together with what follows.
  let pending = "";
  layout.keys.forEach((key, place) => {
    const index = fields.findIndex((field) => field.name === key);
    const before = layout.before[place];
    if (index < 0) {
      lines.push(expectCode(pending + before), unknownCode());
      pending = "";
      return;
    }
    const field = fields[index];
    const isText = field.type.kind === "string" && !field.type.nullable;
    const value = valueCode(field, index, code);
    if (field.type.nullable && place > 0) {
      lines.push(expectCode(pending), `if (${testCode(before, "===", "&&")}) { p += ${bytesOf(before).length}; ${value} }`);
      lines.push(`else { forms = 0; ${spec.needed.has(field.name) ? nullCode(field, index) : ""} }`);
      pending = "";
      return;
    }
    lines.push(expectCode(pending + before + (isText ? '"' : "")), value);
    pending = isText ? '"' : "";
  });
  lines.push(expectCode(pending + layout.after));
  const literals = [...layout.before, layout.after].reduce((sum, text) => sum + bytesOf(text).length + 2, 0);
  const lookahead = literals + VALUE_LOOKAHEAD * (layout.keys.length + 1);
  const body = `
return function json_template(columns, from, to) {
  const { records: { bytes: b, start, end }, view, stores, arena, arenaBase, forms: rowForms } = columns;
  const last = b.length - ${lookahead};
  ${locals.join("\n  ")}
  for (let row = from; row < to; row++) {
    let p = start[row], v = 0, x = 0, y = 0, w = 0, d = 0, q = 0, t = 0, high = 0, forms = ${spelledForms(spec.type, layout)};
    const stop = end[row];
    if (stop > last) return row;
    record: {
      ${lines.filter((line) => line !== "").join("\n      ")}
      if (p !== stop) break record;
      if (high !== 0 && !isUtf8(b, start[row], stop)) break record;
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
