/**
 * Code generated for one order of keys: reads record after record and stops at the first that is not as predicted. Invariant:
 * a record it accepts gives what the slow path would give; it may refuse any. The byte behind a record may be read (it is
 * always there), but a record is only accepted when it was left exactly at its end.
 */
import type { DecoderSpec } from "../codec.ts";
import type { DecodedColumns } from "../decoded_columns.ts";
import { POWERS_OF_TEN } from "../exact.ts";
import { isOneOf, numberReader } from "../field_text.ts";
import { numberCode } from "../number_code.ts";
import { sourceName } from "../source_name.ts";
import { type Field, INT } from "../types.ts";
import { isUtf8 } from "../utf8.ts";
import { DAYS_LEAST, DAYS_MOST, isDays, TEXT_TOO } from "./change_rows.ts";
import { closingQuote, STRING_BYTES, unescape } from "./escape.ts";
import { met, skipValue } from "./skip.ts";
import { nullCode, storeLocals, valueReader } from "./template_values.ts";

/** Reads rows [from, to); gives the first row that it could not read, or `to`. */
export type FastJson = (columns: DecodedColumns, from: number, to: number) => number;

/**
 * Compiles for records whose keys come in this order. Keys of nullable fields and unknown keys may be left out; no key may stand
 * here twice.
 */
export function compileFastJson(spec: DecoderSpec, keys: readonly string[]): FastJson {
  const { fields } = spec.type;
  const constants: Record<string, unknown> = {
    STRING: STRING_BYTES,
    POWERS: POWERS_OF_TEN,
    isUtf8,
    isOneOf,
    closingQuote,
    unescape,
    met,
    skipValue,
  };
  const locals = fields.map((field, index) => spec.needed.has(field.name) ? storeLocals(index) : "");
  const members = keys.map((key) => {
    const index = fields.findIndex((field) => field.name === key);
    if (index < 0) return memberCode(key, SKIP, "");
    const field = fields[index];
    const stored = spec.needed.has(field.name);
    const miss = field.type.nullable ? (stored ? nullCode(field, index) : "") : "break record;";
    return memberCode(key, valueCode(field, index, stored, spec, constants), miss);
  });
  // A field that the prediction leaves out is null; the stores may hold a refused attempt's values.
  const absent = fields.map((field, index) => {
    if (keys.includes(field.name)) return "";
    return !field.type.nullable ? "break record;" : spec.needed.has(field.name) ? nullCode(field, index) : "";
  });
  const body = `
return function json_decoder(columns, from, to) {
  const { records: { bytes: b, start, end }, view, stores, arena, arenaBase } = columns;
  ${locals.join("\n  ")}
  for (let row = from; row < to; row++) {
    let p = start[row], v = 0, x = 0, d = 0, q = 0, t = 0, high = 0, comma = 0;
    const stop = end[row];
    record: {
      if (b[p++] !== 123) break record;
      while (b[p] === 32) p++;
      ${[...absent, ...members].join("\n      ")}
      if (b[p] !== 125 || comma !== 0 || p + 1 !== stop) break record;
      if (high !== 0 && !isUtf8(b, start[row], stop)) break record;
      continue;
    }
    return row;
  }
  return to;
};${sourceName("json_decoder")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as FastJson;
}

/** One member: its key, four bytes at a time, its value, and the comma behind it. */
function memberCode(key: string, value: string, miss: string): string {
  const text = new TextEncoder().encode(JSON.stringify(key) + ":");
  const view = new DataView(text.buffer);
  const tests = [`p + ${text.length} <= stop`];
  let at = 0;
  for (; at + 4 <= text.length; at += 4) tests.push(`view.getInt32(p + ${at}, true) === ${view.getInt32(at, true)}`);
  for (; at < text.length; at++) tests.push(`b[p + ${at}] === ${text[at]}`);
  return `if (${tests.join(" && ")}) {
        p += ${text.length};
        while (b[p] === 32) p++;
        ${value}
        while (b[p] === 32) p++;
        if (b[p] === 44) { p++; comma = 1; while (b[p] === 32) p++; } else { comma = 0; if (b[p] !== 125) break record; }
      } ${miss === "" ? "" : `else { ${miss} }`}`;
}

const SKIP = "p = skipValue(b, view, p, stop); if (p < 0) break record; high |= met.high;";

/** Reads the value at `p`, stores it when `stored`, and leaves `p` behind it. */
function valueCode(field: Field, index: number, stored: boolean, spec: DecoderSpec, constants: Record<string, unknown>): string {
  const { type } = field;
  const storeNull = stored ? nullCode(field, index) : "";
  const nulls = type.nullable
    ? `if (b[p] === 110) { if (b[p + 1] !== 117 || b[p + 2] !== 108 || b[p + 3] !== 108) break record; p += 4; ${storeNull} } else `
    : "";
  const storeNumber = !stored ? "" : `v${index}[row] = v; ${type.nullable ? `n${index}[row] = 1;` : ""}`;
  switch (type.kind) {
    case "string":
      return nulls + stringCode(field, index, stored, constants);
    case "int":
    case "decimal":
    case "double": {
      const plain = `{ ${numberCode(type, "json", "break record;")} ${storeNumber} }`;
      if (spec.numericText === "reject") return nulls + plain;
      return `${nulls}if (b[p] === 34) ${quotedCode(field, index, storeNumber, storeNull, constants)} else ${plain}`;
    }
    case "bool": {
      const quoted = field.format === TEXT_TOO ? `if (b[p] === 34) { p++; ${BOOL} if (b[p] !== 34) break record; p++; } else ` : "";
      return `${nulls}{ ${quoted}{ ${BOOL} } ${storeNumber} }`;
    }
    case "timestamp":
    case "date":
    case "duration": {
      const text = quotedCode(field, index, storeNumber, spec.numericText === "accept" ? storeNull : null, constants);
      if (!isDays(field, spec)) return `${nulls}{ if (b[p] !== 34) break record; ${text} }`;
      const days = `${numberCode(INT, "json", "break record;")} if (v < ${DAYS_LEAST} || v > ${DAYS_MOST}) break record;`;
      return `${nulls}if (b[p] === 34) ${text} else { ${days} ${storeNumber} }`;
    }
    default:
      constants[`read${index}`] = valueReader(field, spec);
      return `p = read${index}(b, view, p, stop, ${stored ? `v${index}` : "null"}, row); if (p < 0) break record; high |= met.high;`;
  }
}

const BOOL = `if (b[p] === 116 && b[p + 1] === 114 && b[p + 2] === 117 && b[p + 3] === 101) { v = 1; p += 4; }
          else if (b[p] === 102 && b[p + 1] === 97 && b[p + 2] === 108 && b[p + 3] === 115 && b[p + 4] === 101) { v = 0; p += 5; }
          else break record;`;

/** Text in quotes that stands for a number or a time; no text stands for null where `storeNull` is given and the type allows it. */
function quotedCode(
  field: Field,
  index: number,
  storeNumber: string,
  storeNull: string | null,
  constants: Record<string, unknown>,
): string {
  constants[`text${index}`] = numberReader(field, "text");
  const empty = storeNull !== null && field.type.nullable ? `if (p === q) { ${storeNull} } else ` : "";
  return `{
          q = ++p; while (q < stop && STRING[b[q]] === 0) q++;
          if (b[q] !== 34) break record;
          ${empty}{ v = text${index}(b, p, q); if (v - v !== 0) break record; ${storeNumber} }
          p = q + 1;
        }`;
}

/** A string: its bytes where they stand, or resolved into the arena when it has escapes. */
function stringCode(field: Field, index: number, stored: boolean, constants: Record<string, unknown>): string {
  let allowed = "";
  if (field.oneOf !== undefined) {
    const encoder = new TextEncoder();
    constants[`oneOf${index}`] = field.oneOf.map((text) => encoder.encode(text));
    allowed = `if (!isOneOf(b, p, q, oneOf${index})) break record;`;
  }
  const valid = stored && field.type.nullable ? `n${index}[row] = 1;` : "";
  // Escapes in a value from a fixed set are too rare to have code of their own.
  const escaped = field.oneOf !== undefined ? "break record;" : `
            q = closingQuote(b, q, stop); if (q < 0) break record;
            x = arena.length;
            if (!unescape(b, p, q, arena)) break record;
            ${stored ? `s${index}[row] = arenaBase + x; e${index}[row] = arenaBase + arena.length;` : "arena.length = x;"}
            high = 1;`;
  return `{
          if (b[p] !== 34) break record;
          q = ++p; t = 0;
          while (q < stop && (t = STRING[b[q]]) < 2) { high |= t; q++; }
          if (t === 2) { ${allowed} ${stored ? `s${index}[row] = p; e${index}[row] = q;` : ""} }
          else if (t === 3) {${escaped}
          } else break record;
          ${valid}
          p = q + 1;
        }`;
}
