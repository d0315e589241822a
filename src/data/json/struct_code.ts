/** Generated code for structs of plain values whose members come in any order. Invariant: as struct_reader.ts. */
import { POWERS_OF_TEN } from "../exact.ts";
import { numberCode } from "../number_code.ts";
import { sourceName } from "../source_name.ts";
import type { Field, Type } from "../types.ts";
import type { ShortTexts } from "./short_texts.ts";
import { met, plainKeyEnd, skipBlanks, skipValue } from "./skip.ts";
import type { ValueReader } from "./struct_reader.ts";

/** Names in one object that no field has: they are compared with each other, for none may come twice. */
const UNKNOWN_MAX = 16;

/** For an object that begins at the given place. Adds to `met`. */
export function compileStructCode(fields: readonly Field[], texts: ShortTexts): ValueReader {
  const constants: Record<string, unknown> = {
    POWERS: POWERS_OF_TEN,
    met,
    plainKeyEnd,
    skipBlanks,
    skipValue,
    texts,
    unknowns: new Int32Array(2 * UNKNOWN_MAX),
    isKnown,
  };
  const missing = fields.map(({ type }, i) => type.nullable ? "" : `if ((seen & ${1 << i}) === 0) return -1;`);
  const members = fields.map((field, i) => `${JSON.stringify(field.name)}: x${i}`);
  const body = `
return function struct_reader(b, view, p, stop, into, row) {
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
      p = skipValue(b, view, skipBlanks(b, p, stop), stop);
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
      return boolCode(index);
    default:
      // What follows a number is looked at by the caller: an exponent is no comma.
      return `${numberCode(type, "json", "return -1;")} x${index} = v;`;
  }
}

/** Reads true or false at `p` into the local of the field. */
export function boolCode(index: number): string {
  return `if (b[p] === 116 && b[p + 1] === 114 && b[p + 2] === 117 && b[p + 3] === 101) { x${index} = true; p += 4; }
        else if (b[p] === 102 && b[p + 1] === 97 && b[p + 2] === 108 && b[p + 3] === 115 && b[p + 4] === 101) { x${index} = false; p += 5; }
        else return -1;`;
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
