/**
 * Code generated for one header: reads record after record and stops at the first that is not everyday. Invariant: a record it
 * accepts gives what the slow path would give; it may refuse any. The byte behind a record may be read (it is always there),
 * but a record is only accepted when it was left exactly at its end.
 */
import type { DecoderSpec } from "../codec.ts";
import type { DecodedColumns } from "../decoded_columns.ts";
import { POWERS_OF_TEN } from "../exact.ts";
import { isOneOf, numberReader, timeTextOf } from "../field_text.ts";
import { Refusal } from "../json/refusal.ts";
import { numberCode } from "../number_code.ts";
import { sourceName } from "../source_name.ts";
import type { Field } from "../types.ts";
import { isUtf8 } from "../utf8.ts";
import { fieldEnd, fieldText, PLAIN_BYTES, QUOTED_BYTES, unquote } from "./fields.ts";
import { csvConverter } from "./slow.ts";

/** Reads rows [from, to); gives the first row that it could not read, or `to`. */
export type FastCsv = (columns: DecodedColumns, from: number, to: number) => number;

/** A column of the header being compiled. `index`: its field, -1 for a column that the schema does not have. */
interface Column {
  readonly field: Field | null;
  readonly index: number;
  readonly stored: boolean;
  readonly last: boolean;
}

/** Compiles for records with these columns; null when the slow path has to refuse every record. */
export function compileFastCsv(spec: DecoderSpec, header: readonly string[]): FastCsv | null {
  const { fields } = spec.type;
  if (fields.some((field) => !field.type.nullable && !header.includes(field.name))) return null;
  if (spec.unknownFields === "reject" && header.some((name) => !fields.some((field) => field.name === name))) return null;
  const constants: Record<string, unknown> = { PLAIN: PLAIN_BYTES, QUOTED: QUOTED_BYTES, POWERS: POWERS_OF_TEN, isUtf8, isOneOf, unquote };
  const locals = fields.map(({ name }, i) =>
    spec.needed.has(name) ? `const { values: v${i}, start: s${i}, end: e${i}, valid: n${i} } = stores[${i}];` : ""
  );
  const columns = header.map((name, place) => {
    const index = fields.findIndex((field) => field.name === name);
    const column = { field: fields[index] ?? null, index, stored: spec.needed.has(name), last: place === header.length - 1 };
    return `${columnCode(column, spec, constants)}
      ${column.last ? "if (p !== stop) break record;" : "if (p >= stop || b[p++] !== 44) break record;"}`;
  });
  const body = `
return function csv_decoder(columns, from, to) {
  const { records: { bytes: b, start, end }, stores, arena, arenaBase } = columns;
  ${locals.join("\n  ")}
  for (let row = from; row < to; row++) {
    let p = start[row], v = 0, x = 0, d = 0, q = 0, t = 0, high = 0;
    const stop = end[row];
    record: {
      ${columns.join("\n      ")}
      if (high !== 0 && !isUtf8(b, start[row], stop)) break record;
      continue;
    }
    return row;
  }
  return to;
};${sourceName("csv_decoder")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as FastCsv;
}

/** Reads the column's field at `p` and leaves `p` at what should be a comma or the record's end. */
function columnCode(column: Column, spec: DecoderSpec, constants: Record<string, unknown>): string {
  const { field, index, stored, last } = column;
  if (field === null || field.type.kind === "string") return textCode(column, constants);
  const reader = numberReader(field, "text");
  const nullable = field.type.nullable;
  if (reader === null) {
    constants[`read${index}`] = valueReader(field, spec);
    return `p = read${index}(b, p, stop, ${stored ? `v${index}` : "null"}, row); if (p < 0) break record; high = 1;`;
  }
  constants[`text${index}`] = reader;
  const store = stored ? `v${index}[row] = v; ${nullable ? `n${index}[row] = 1;` : ""}` : "";
  const storeNull = !nullable ? "break record;" : stored ? `n${index}[row] = 0;` : "";
  const kind = field.type.kind;
  const number = kind === "int" || kind === "decimal" || kind === "double";
  return `if (${last ? "p === stop" : "b[p] === 44"}) { ${storeNull} }
      else if (b[p] === 34) {
        q = ++p; while (q < stop && QUOTED[b[q]] === 0) q++;
        if (q >= stop || b[q] !== 34) break record;
        if (p === q) { ${storeNull} } else { v = text${index}(b, p, q); if (v - v !== 0) break record; ${store} }
        p = q + 1;
      } else { ${number ? numberCode(field.type, "text", "break record;") : wordCode(field, index)} ${store} }`;
}

/** A number-like value that is not written in digits alone: its end is known from its pattern, or looked for. */
function wordCode(field: Field, index: number): string {
  const bytes = timeTextOf(field)?.fixedBytes ?? null;
  const end = bytes !== null ? `q = p + ${bytes}; if (q > stop) break record;` : "q = p; while (q < stop && PLAIN[b[q]] === 0) q++;";
  return `${end} v = text${index}(b, p, q); if (v - v !== 0) break record; p = q;`;
}

/**
 * Text, also of columns that the schema does not have: those are only skipped. One loop reads both forms, in quotes and without, so
 * that few branches are left that a first record may take late.
 */
function textCode({ field, index, stored }: Column, constants: Record<string, unknown>): string {
  const nullable = field?.type.nullable === true;
  const checks: string[] = [];
  if (field?.oneOf !== undefined) {
    const encoder = new TextEncoder();
    constants[`oneOf${index}`] = field.oneOf.map((text) => encoder.encode(text));
    checks.push(`if (${nullable ? "p !== q && " : ""}!isOneOf(b, p, q, oneOf${index})) break record;`);
  }
  if (stored) {
    checks.push(`s${index}[row] = p; e${index}[row] = q;`);
    if (nullable) checks.push(`n${index}[row] = p === q ? 0 : 1;`);
  }
  const valid = stored && nullable ? `n${index}[row] = 1;` : "";
  const doubled = field?.oneOf !== undefined ? "break record;" : `
          x = arena.length;
          q = unquote(b, p, stop, arena); if (q < 0) break record;
          ${stored ? `s${index}[row] = arenaBase + x; e${index}[row] = arenaBase + arena.length;` : "arena.length = x;"} ${valid}
          high = 1;`;
  return `{
        const quote = b[p] === 34 ? 1 : 0, kinds = quote !== 0 ? QUOTED : PLAIN;
        q = p += quote;
        while ((t = kinds[b[q]]) < 2) { high |= t; q++; }
        if (quote !== 0 && (q >= stop || b[q + 1] === 34)) {
          if (q >= stop) break record;${doubled}
        } else { ${checks.join(" ")} }
        p = q + quote;
      }`;
}

/** Lists, maps, structs and json stand as JSON text in their field and go through the slow path's rules. */
function valueReader(field: Field, spec: DecoderSpec) {
  const convert = csvConverter(field, spec);
  return (bytes: Uint8Array, at: number, to: number, into: unknown[] | null, row: number): number => {
    const end = fieldEnd(bytes, at, to);
    const value = end < 0 ? null : convert(fieldText(bytes, at, end));
    if (value instanceof Refusal) return -1;
    if (into !== null) into[row] = value;
    return end;
  };
}
