/**
 * Generated code for structs of one layout: what stands between the values is compared by words. In text that holds the object each quote
 * of it is written with a backslash; a string in it must need no escape of its own. Invariant: as struct_reader.ts.
 */
import { POWERS_OF_TEN } from "../exact.ts";
import { numberCode } from "../number_code.ts";
import { sourceName } from "../source_name.ts";
import type { Field } from "../types.ts";
import type { Layout } from "./layout.ts";
import { testCode } from "./literal_code.ts";
import type { ShortTexts } from "./short_texts.ts";
import { met, skipValue } from "./skip.ts";
import { boolCode } from "./struct_code.ts";
import type { ValueReader } from "./struct_reader.ts";

/** Bytes that reading one number may look beyond what it takes. */
const VALUE_LOOKAHEAD = 40;
const encoder = new TextEncoder();

/** For an object, or for text in quotes, that begins at the given place. */
export function compileStructTemplate(
  fields: readonly Field[],
  layout: Layout,
  form: "object" | "text",
  texts: ShortTexts,
): ValueReader {
  const constants: Record<string, unknown> = { POWERS: POWERS_OF_TEN, met, skipValue, texts };
  const written = (text: string): string => form === "text" ? JSON.stringify(text).slice(1, -1) : text;
  const expect = (text: string): string => `if (${testCode(text, "!==", "||")}) return -1; p += ${encoder.encode(text).length};`;
  const lines = layout.keys.map((key, place) => {
    const before = (place === 0 && form === "text" ? '"' : "") + written(layout.before[place]);
    const index = fields.findIndex((field) => field.name === key);
    return `${expect(before)} ${index < 0 ? unknownCode(form) : memberCode(fields[index], index, form)}`;
  });
  const absent = fields.filter(({ name, type }) => !type.nullable && !layout.keys.includes(name));
  const after = written(layout.after) + (form === "text" ? '"' : "");
  const literals = [...layout.before, layout.after].reduce((sum, text) => sum + encoder.encode(written(text)).length + 2, 0);
  const members = fields.map((field, i) => `${JSON.stringify(field.name)}: x${i}`);
  const body = `
return function struct_template(b, view, p, stop, into, row) {
  let v = 0, x = 0, d = 0, q = 0, k = 0, high = 0;
  let ${fields.map((_, i) => `x${i} = null`).join(", ")};
  if (stop + ${literals + VALUE_LOOKAHEAD * (layout.keys.length + 1)} > b.length) return -1;
  ${absent.length > 0 ? "return -1;" : lines.join("\n  ")}
  ${expect(layout.keys.length === 0 && form === "text" ? `"${after}` : after)}
  if (p > stop) return -1;
  met.high = high >> 7;
  if (into !== null) into[row] = { ${members.join(", ")} };
  return p;
};${sourceName("struct_template")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as ValueReader;
}

function memberCode({ type }: Field, index: number, form: "object" | "text"): string {
  const value = type.kind === "string"
    ? `${stringCode(form)} x${index} = texts.of(b, k, q);`
    : type.kind === "bool"
    ? boolCode(index)
    : `${numberCode(type, "json", "return -1;")} x${index} = v;`;
  const isNull = "b[p] === 110 && b[p + 1] === 117 && b[p + 2] === 108 && b[p + 3] === 108";
  return type.nullable ? `if (${isNull}) p += 4; else { ${value} }` : value;
}

/** A string of which every byte stands for itself: from `k` to `q`. */
function stringCode(form: "object" | "text"): string {
  const open = form === "text"
    ? "if (b[p] !== 92 || b[p + 1] !== 34) return -1; k = q = p + 2;"
    : "if (b[p] !== 34) return -1; k = q = p + 1;";
  const close = form === "text" ? "if (d !== 92 || b[q + 1] !== 34) return -1; p = q + 2;" : "if (d !== 34) return -1; p = q + 1;";
  return `${open} while ((d = b[q]) >= 32 && d !== 34 && d !== 92) { high |= d; q++; } ${close}`;
}

/** A member that no field takes. In text only plain ones are stepped over: a quote without a backslash ends all of it. */
function unknownCode(form: "object" | "text"): string {
  if (form === "object") return "met.high = 0; p = skipValue(b, view, p, stop); if (p < 0) return -1; high |= met.high << 7;";
  return `if (b[p] === 92) { ${stringCode(form)} }
  else if (b[p] === 34 || b[p] === 91 || b[p] === 123) return -1;
  else { p = skipValue(b, view, p, stop); if (p < 0) return -1; }`;
}
