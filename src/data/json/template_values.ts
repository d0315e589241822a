/**
 * The values of a template: statements that read one value at `p` of the bytes `b`, store it where it is needed and leave `p`
 * behind it, or leave the record with `break record`. They use the locals declared in template.ts. Invariant: `forms` loses a bit
 * wherever the value is not spelled as our encoder would write it in that form (spelling.ts).
 */
import type { DecoderSpec } from "../codec.ts";
import { epochScale } from "../epoch_format.ts";
import { DIGITS_EXACT } from "../exact.ts";
import { numberReader, timeTextOf } from "../field_text.ts";
import { INTEGER_MAX } from "../limits.ts";
import { type Field, INT } from "../types.ts";
import { DAYS_LEAST, DAYS_MOST, isDays, TEXT_TOO } from "./change_rows.ts";
import { converterOf } from "./convert.ts";
import { Refusal } from "./refusal.ts";
import { JsonReader } from "./reader.ts";
import { met } from "./skip.ts";
import { compileStructReader, type ValueReader } from "./struct_reader.ts";
import { DECIMAL_NUMBERS, DECIMAL_STRINGS, spelling } from "./spelling.ts";

/** What is common to the values of one template. */
export interface TemplateCode {
  readonly spec: DecoderSpec;
  /** By the name that the code uses. */
  readonly constants: Record<string, unknown>;
}

/** The stores of a needed field, as locals. */
export function storeLocals(index: number): string {
  return `const { values: v${index}, start: s${index}, end: e${index}, valid: n${index} } = stores[${index}];`;
}
/** Stores null. */
export function nullCode(field: Field, index: number): string {
  return numberReader(field, "json") === null && field.type.kind !== "string" ? `v${index}[row] = null;` : `n${index}[row] = 0;`;
}

/** Reads the value of a field. A string that is never null is read from behind its opening quote, which the template compares with what stands before it. */
export function valueCode(field: Field, index: number, { spec, constants }: TemplateCode): string {
  const stored = spec.needed.has(field.name);
  const { type } = field;
  const valid = type.nullable && stored ? `n${index}[row] = 1;` : "";
  const storeNull = type.nullable && stored ? nullCode(field, index) : "";
  const storeNumber = stored ? `v${index}[row] = v; ${valid}` : "";
  const orNull = (code: string): string =>
    type.nullable ? `if (view.getInt32(p, true) === ${NULL_WORD}) { p += 4; ${storeNull} } else { ${code} }` : code;
  const acceptsText = spec.numericText === "accept";
  const noText = acceptsText && type.nullable ? `if (b[p + 1] === 34) { p += 2; forms = 0; ${storeNull} } else ` : "";
  switch (type.kind) {
    case "string": {
      const body = stringCode(index, stored, oneOfTest(field, index, constants)) + valid;
      return type.nullable ? orNull(`if (b[p] !== 34) break record; p++; ${body}`) : body;
    }
    case "int":
    case "decimal":
    case "double": {
      const plain = `${numberCode(field, "json")} ${storeNumber}`;
      if (!acceptsText) return orNull(plain);
      const text = `p++; ${numberCode(field, "text")} if (b[p] !== 34) break record; p++; ${storeNumber}`;
      return orNull(`if (b[p] === 34) { ${noText}{ ${text} } } else { ${plain} }`);
    }
    case "bool": {
      const bool = `w = view.getInt32(p, true);
        if (w === ${TRUE_WORD}) { v = 1; p += 4; } else if (w === ${FALS_WORD} && b[p + 4] === 101) { v = 0; p += 5; } else break record;`;
      const quoted = field.format === TEXT_TOO ? `if (b[p] === 34) { p++; ${bool} if (b[p] !== 34) break record; p++; } else ` : "";
      return orNull(`${quoted}{ ${bool} } ${storeNumber}`);
    }
    case "date":
      if (isDays(field, spec)) {
        const days = `${numberCode({ ...field, type: INT }, "json")} if (v < ${DAYS_LEAST} || v > ${DAYS_MOST}) break record;`;
        const text = `${noText}{ ${timeCode(field, index, constants)} ${storeNumber} }`;
        return orNull(`if (b[p] === 34) { ${text} } else { ${days} ${storeNumber} }`);
      }
      return orNull(`if (b[p] !== 34) break record; ${noText}{ ${timeCode(field, index, constants)} ${storeNumber} }`);
    case "timestamp":
    case "duration":
      return orNull(`if (b[p] !== 34) break record; ${noText}{ ${timeCode(field, index, constants)} ${storeNumber} }`);
    default:
      constants[`read${index}`] = valueReader(field, spec);
      return `p = read${index}(b, view, p, stop, ${stored ? `v${index}` : "null"}, row); if (p < 0) break record; high |= met.high;`;
  }
}

/** A value that no field takes: all of it must be JSON. */
export function unknownCode(): string {
  return `if (b[p] === 34) { p++; ${SKIPPED_STRING} }
      else if (view.getInt32(p, true) === ${NULL_WORD}) p += 4;
      else { p = skipValue(b, view, p, stop); if (p < 0) break record; high |= met.high; }`;
}

const word = (text: string): number => new DataView(new TextEncoder().encode(text).buffer).getInt32(0, true);
const NULL_WORD = word("null");
const TRUE_WORD = word("true");
const FALS_WORD = word("fals");

/**
 * Moves `q` from the string's first byte to its closing quote: four bytes at a time as long as there is no quote, backslash, control
 * character or part of a longer character among them (the highest bit of a byte of `y` marks it, exactly so for the lowest one).
 */
const SCAN = `q = p;
      while (q < stop) {
        w = view.getInt32(q, true); x = w ^ 0x22222222; y = w ^ 0x5c5c5c5c;
        y = (x - 0x01010101 & ~x | y - 0x01010101 & ~y | w - 0x20202020 & ~w | w) & 0x80808080;
        if (y !== 0) { q += 31 - Math.clz32(y & -y) >> 3; break; }
        q += 4;
      }`;

/** From behind the opening quote of a string that nobody reads to behind its closing one. */
const SKIPPED_STRING = `${SCAN}
      if (q < stop && b[q] === 34) p = q + 1;
      else { met.high = 0; p = skipString(b, view, q, stop); if (p < 0) break record; high |= met.high; }`;

/** A string's bytes where they stand, or resolved into the arena when it has escapes. `allowed` tests its final extent. */
function stringCode(index: number, stored: boolean, allowed: string): string {
  const store = `${allowed} ${stored ? `s${index}[row] = p; e${index}[row] = q;` : ""}`;
  // Escapes in a value from a fixed set are too rare to have code of their own.
  const escaped = allowed !== "" ? "break record;" : `
          q = closingQuote(b, q, stop); if (q < 0) break record;
          x = arena.length;
          if (!unescape(b, p, q, arena)) break record;
          ${stored ? `s${index}[row] = arenaBase + x; e${index}[row] = arenaBase + arena.length;` : "arena.length = x;"}
          high = 1; forms = 0;`;
  return `${SCAN}
      if (q < stop && b[q] === 34) { ${store} }
      else {
        t = 0;
        while (q < stop && (t = STRING[b[q]]) < 2) { high |= t; q++; }
        if (t === 2) { ${store} } else if (t === 3) {${escaped} } else break record;
      }
      p = q + 1;`;
}

function oneOfTest(field: Field, index: number, constants: Record<string, unknown>): string {
  if (field.oneOf === undefined) return "";
  const encoder = new TextEncoder();
  constants[`oneOf${index}`] = field.oneOf.map((text) => encoder.encode(text));
  return `if (!isOneOf(b, p, q, oneOf${index})) break record;`;
}

/** Four digits at `p`, by themselves: their value is added to `v` times 10,000. */
const FOUR_DIGITS = `w = view.getInt32(p, true) ^ 0x30303030;
      if (((w | w + 0x76767676) & 0x80808080) === 0) { w = Math.imul(w, 10) + (w >>> 8); v = v * 10000 + (w & 255) * 100 + (w >> 16 & 255); p += 4;`;
const DIGITS = "while ((d = b[p] - 48) >= 0 && d <= 9) { v = v * 10 + d; p++; }";

/**
 * An int, decimal or double into `v`; a timestamp since 1970 is one of the first two here. "text" is what stands in quotes: leading
 * zeros are allowed there, but not canonical.
 */
function numberCode({ type, format }: Field, form: "json" | "text"): string {
  const scale = type.kind === "decimal" ? type.scale : 0;
  const isTime = epochScale(format) !== null;
  const zero = form === "json" ? " || (q > 1 && b[p - q] === 48)" : "";
  const lines = [
    "const negative = b[p] === 45; if (negative) p++;",
    "q = p; v = 0;",
    // Whole numbers are often long: ids, times in milliseconds.
    type.kind === "int" || isTime ? `${FOUR_DIGITS} ${FOUR_DIGITS} ${FOUR_DIGITS} } } }` : "",
    DIGITS,
    `q = p - q; if (q === 0 || q > ${DIGITS_EXACT}${zero}) break record;`,
  ];
  if (form === "text" && type.kind === "decimal") lines.push("if (q > 1 && b[p - q] === 48) forms = 0;");
  if (type.kind === "double" || scale > 0) {
    const most = type.kind === "double" ? "" : ` || x > ${scale}`;
    lines.push(
      "x = 0;",
      `if (b[p] === 46) { const f = ++p; ${DIGITS} x = p - f; if (x === 0 || q + x > ${DIGITS_EXACT}${most}) break record; }`,
      type.kind === "double"
        // The shortest text of a double of at most 15 digits is these digits; below 1e-6 it has an exponent.
        ? "if (x > 0) { v /= POWERS[x]; if (b[p - 1] === 48 || v < 1e-6) forms = 0; }"
        : `if (x !== ${scale}) { v *= POWERS[${scale} - x]; if (v > ${INTEGER_MAX}) break record; ${isTime ? "" : "forms = 0;"} }`,
      isTime ? "if (x > 0 && b[p - 1] === 48) forms = 0;" : "",
    );
  }
  lines.push("if (negative) { if (v === 0) forms = 0; v = 0 - v; }");
  if (type.kind === "decimal" && !isTime) lines.push(`forms &= ${form === "json" ? DECIMAL_NUMBERS : DECIMAL_STRINGS};`);
  else if (form === "text") lines.push("forms = 0;");
  return `{ ${lines.join(" ")} }`;
}

/** A time in quotes into `v`, from the opening quote to behind the closing one. */
function timeCode(field: Field, index: number, constants: Record<string, unknown>): string {
  constants[`text${index}`] = numberReader(field, "text");
  const length = plainLength(field);
  const scan = length === null ? SCAN : `q = p + ${length};`;
  const isWritten = field.type.kind === "timestamp" && field.format === undefined ? RFC3339_WRITTEN : "";
  return `p++; ${scan}
      if (q >= stop || b[q] !== 34) break record;
      v = text${index}(b, p, q); if (v - v !== 0) break record;
      ${spelling(field) === "never" ? "forms = 0;" : isWritten}
      p = q + 1;`;
}
/** As our encoder writes it: "T", "Z", and no fraction or one without zeros at its end that are not needed. */
const RFC3339_WRITTEN = "if (b[q - 1] !== 90 || b[p + 10] !== 84 || (q - p !== 20 && b[q - 2] === 48)) forms = 0;";

/** The length of a time's text where it is always the same and stands in JSON as it is; the reader checks every byte of it. */
function plainLength(field: Field): number | null {
  const text = timeTextOf(field);
  if (text === null || text.fixedBytes === null) return null;
  const sample = text.format(0);
  return [...sample].every((char) => char >= " " && char <= "~" && char !== '"' && char !== "\\") ? text.fixedBytes : null;
}

/** Structs of plain values have code of their own; lists, maps and whatever that refuses go through the slow path's rules. */
export function valueReader(field: Field, spec: DecoderSpec): ValueReader {
  const convert = converterOf(field, spec);
  const byRules: ValueReader = (bytes, _view, at, to, into, row) => {
    met.high = 1;
    const reader = new JsonReader(bytes, at, to);
    const node = reader.value();
    const value = node === undefined ? undefined : convert(node, bytes);
    if (value === undefined || value instanceof Refusal) return -1;
    if (into !== null) into[row] = value;
    return reader.at;
  };
  const compiled = compileStructReader(field, spec);
  if (compiled === null) return byRules;
  return (bytes, view, at, to, into, row) => {
    const end = compiled(bytes, view, at, to, into, row);
    return end < 0 ? byRules(bytes, view, at, to, into, row) : end;
  };
}
