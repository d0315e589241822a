/**
 * Code generated for structs of plain values, standing in a record as an object or as text that holds one (how change data capture sends
 * columns of JSON). Invariant: a value it takes is what convert.ts would give; it may refuse any.
 */
import type { DecoderSpec } from "../codec.ts";
import { createWriter } from "../bytes.ts";
import { POWERS_OF_TEN } from "../exact.ts";
import { numberCode } from "../number_code.ts";
import { sourceName } from "../source_name.ts";
import type { Field, Type } from "../types.ts";
import { unescape } from "./escape.ts";
import { ShortTexts } from "./short_texts.ts";
import { met, plainKeyEnd, skipBlanks, skipString, skipValue } from "./skip.ts";

/** Reads the value at `at` into `into[row]`, where that is wished, and gives the place behind it, or -1. Sets `met`. */
export type ValueReader = (bytes: Uint8Array, at: number, to: number, into: unknown[] | null, row: number) => number;

/** Names in one object that no field has: they are compared with each other, for none may come twice. */
const UNKNOWN_MAX = 16;
const READABLE: ReadonlySet<Type["kind"]> = new Set(["string", "int", "decimal", "double", "bool"]);

/** A reader of this field; null where its type holds more than plain values, or names must be known. */
export function compileStructReader(field: Field, spec: DecoderSpec): ValueReader | null {
  const { type } = field;
  if (type.kind !== "struct" || spec.unknownFields === "reject") return null;
  const isPlain = type.fields.every((each) => READABLE.has(each.type.kind) && each.oneOf === undefined && each.name !== "__proto__");
  if (!isPlain || type.fields.length === 0 || type.fields.length > 30) return null;
  const object = objectReader(type.fields);
  const text = createWriter(256);
  return (bytes, at, to, into, row) => {
    met.high = 0;
    switch (bytes[at]) {
      case 123:
        return object(bytes, at, to, into, row);
      case 34: {
        const end = skipString(bytes, at + 1, to);
        if (end < 0) return -1;
        if (end === at + 2) return nullAt(type, into, row, end);
        text.length = 0;
        if (!unescape(bytes, at + 1, end - 1, text)) return -1;
        const high = met.high;
        // One byte behind it may be looked at.
        text.reserve(1);
        text.bytes[text.length] = 0;
        if (object(text.bytes, 0, text.length, into, row) !== text.length) return -1;
        met.high = high;
        return end;
      }
      case 110: {
        const end = skipValue(bytes, at, to);
        return end < 0 ? -1 : nullAt(type, into, row, end);
      }
      default:
        return -1;
    }
  };
}

function nullAt(type: Type, into: unknown[] | null, row: number, end: number): number {
  if (!type.nullable) return -1;
  if (into !== null) into[row] = null;
  return end;
}

/** For an object that begins at `at`. */
function objectReader(fields: readonly Field[]): ValueReader {
  const constants: Record<string, unknown> = {
    POWERS: POWERS_OF_TEN,
    met,
    plainKeyEnd,
    skipBlanks,
    skipValue,
    texts: new ShortTexts(),
    unknowns: new Int32Array(2 * UNKNOWN_MAX),
    isKnown,
  };
  const missing = fields.map(({ type }, i) => type.nullable ? "" : `if ((seen & ${1 << i}) === 0) return -1;`);
  const members = fields.map((field, i) => `${JSON.stringify(field.name)}: x${i}`);
  const body = `
return function struct_reader(b, p, stop, into, row) {
  let v = 0, x = 0, d = 0, q = 0, k = 0, seen = 0, unknown = 0, high = 0;
  let ${fields.map((_, i) => `x${i} = null`).join(", ")};
  if (b[p++] !== 123) return -1;
  p = skipBlanks(b, p, stop);
  if (b[p] === 125 && p < stop) p++;
  else for (;;) {
    if (p >= stop || b[p] !== 34) return -1;
    k = p + 1;
    q = plainKeyEnd(b, k, stop);
    if (q < 0) return -1;
    const length = q - k;
    p = skipBlanks(b, q + 1, stop);
    if (b[p++] !== 58) return -1;
    if (b[p] === 32) p++;
    ${fields.map((field, i) => memberCode(field, i)).join("\n    else ")}
    else {
      if (unknown === ${UNKNOWN_MAX} || isKnown(b, k, q, unknowns, unknown)) return -1;
      unknowns[2 * unknown] = k; unknowns[2 * unknown++ + 1] = q;
      high |= met.high;
      p = skipValue(b, skipBlanks(b, p, stop), stop);
      if (p < 0) return -1;
    }
    while (b[p] === 32) p++;
    if (p >= stop) return -1;
    if (b[p] === 44) { p++; while (b[p] === 32) p++; }
    else if (b[p] === 125) { p++; break; }
    else return -1;
  }
  if (p > stop) return -1;
  ${missing.join(" ")}
  met.high |= high;
  if (into !== null) into[row] = { ${members.join(", ")} };
  return p;
};${sourceName("struct_reader")}`;
  return new Function(...Object.keys(constants), body)(...Object.values(constants)) as ValueReader;
}

/** One field: its name between `k` and `q`, its value at `p`. */
function memberCode(field: Field, index: number): string {
  const name = new TextEncoder().encode(field.name);
  const isName = [...name].map((byte, i) => ` && b[k + ${i}] === ${byte}`).join("");
  const none = field.type.nullable ? "p += 4;" : "return -1;";
  return `if (length === ${name.length}${isName}) {
      if ((seen & ${1 << index}) !== 0) return -1;
      seen |= ${1 << index};
      if (b[p] === 110 && b[p + 1] === 117 && b[p + 2] === 108 && b[p + 3] === 108) { ${none} }
      else { ${plainValueCode(field.type, index)} }
    }`;
}

function plainValueCode(type: Type, index: number): string {
  switch (type.kind) {
    case "string":
      return `if (b[p] !== 34) return -1; k = p + 1; q = plainKeyEnd(b, k, stop); if (q < 0) return -1; x${index} = texts.of(b, k, q); p = q + 1;`;
    case "bool":
      return `if (b[p] === 116 && b[p + 1] === 114 && b[p + 2] === 117 && b[p + 3] === 101) { x${index} = true; p += 4; }
        else if (b[p] === 102 && b[p + 1] === 97 && b[p + 2] === 108 && b[p + 3] === 115 && b[p + 4] === 101) { x${index} = false; p += 5; }
        else return -1;`;
    default:
      // What follows a number is looked at by the caller: an exponent is no comma.
      return `${numberCode(type, "json", "return -1;")} x${index} = v;`;
  }
}

function isKnown(bytes: Uint8Array, from: number, to: number, unknowns: Int32Array, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const start = unknowns[2 * i];
    if (unknowns[2 * i + 1] - start !== to - from) continue;
    let at = 0;
    while (from + at < to && bytes[start + at] === bytes[from + at]) at++;
    if (from + at === to) return true;
  }
  return false;
}
