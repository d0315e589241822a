/**
 * Patterns of times, compiled to straight-line code over bytes. The language: `yyyy MM dd HH mm ss SSS SSSSSS` (digits, exactly as
 * many), `XXX` (Z or ±HH:mm), `xxx` (±HH:mm), 'quoted' text with '' for an apostrophe, and any other character but ASCII letters
 * for itself. Invariant: the generated code reads nothing outside [from, to).
 */
import { MillraceError } from "./fault.ts";
import { NOT_THE_TYPE } from "./parse_failure.ts";
import { putDigits } from "./bytes.ts";

/** What a text said. `offset` in seconds, NaN where the pattern has none. Reused between calls. */
export interface PatternParts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  micros: number;
  offset: number;
}
/** A pattern as code. */
export interface CompiledPattern {
  /** Gives what `then` gives for the parts, or NOT_THE_TYPE. */
  parse(bytes: Uint8Array, from: number, to: number, then: (parts: PatternParts) => number): number;
  /** Date as packedDate gives it, then the second of the day, the micros of the second and the offset in seconds. */
  write(bytes: Uint8Array, at: number, date: number, secondOfDay: number, micros: number, offset: number): number;
  readonly bytesMax: number;
  readonly hasOffset: boolean;
}

type Part = keyof PatternParts;
type Element =
  | { readonly kind: "digits"; readonly part: Part; readonly width: number; readonly symbol: string }
  | { readonly kind: "offset"; readonly symbol: "XXX" | "xxx" }
  | { readonly kind: "literal"; readonly bytes: Uint8Array };

const SYMBOLS: Readonly<Record<string, { readonly part: Part; readonly width: number }>> = {
  yyyy: { part: "year", width: 4 },
  MM: { part: "month", width: 2 },
  dd: { part: "day", width: 2 },
  HH: { part: "hour", width: 2 },
  mm: { part: "minute", width: 2 },
  ss: { part: "second", width: 2 },
  SSS: { part: "micros", width: 3 },
  SSSSSS: { part: "micros", width: 6 },
};
const KNOWN = [...Object.keys(SYMBOLS), "XXX", "xxx"].join(" ");
const encoder = new TextEncoder();

/** Throws MillraceError `time_pattern`; every pattern needs year, month and day, and a date has nothing else. */
export function compilePattern(pattern: string, kind: "timestamp" | "date"): CompiledPattern {
  const elements = parsePattern(pattern);
  const refuse = (message: string): never => {
    throw new MillraceError("time_pattern", `The pattern ${JSON.stringify(pattern)} ${message}.`, {
      hint: kind === "date" ? "For example yyyy-MM-dd." : "For example yyyy-MM-dd HH:mm:ss, or yyyy-MM-dd'T'HH:mm:ss.SSSXXX.",
    });
  };
  const seen = new Set<string>();
  for (const element of elements) {
    if (element.kind === "literal") continue;
    const part = element.kind === "offset" ? "offset" : element.part;
    if (seen.has(part)) refuse(`has ${element.symbol} or its like twice`);
    seen.add(part);
  }
  for (const [part, symbol] of [["year", "yyyy"], ["month", "MM"], ["day", "dd"]]) {
    if (!seen.has(part)) refuse(`lacks ${symbol}`);
  }
  if (kind === "date" && seen.size > 3) refuse("has more than a date");
  const fixed = elements.reduce((sum, element) => sum + fixedBytes(element), 0);
  const hasOffset = seen.has("offset");
  return {
    parse: compileParse(elements, fixed, hasOffset),
    write: compileWrite(elements),
    bytesMax: fixed + (hasOffset ? 6 : 0),
    hasOffset,
  };
}

function parsePattern(pattern: string): Element[] {
  const elements: Element[] = [];
  const refuse = (message: string): never => {
    throw new MillraceError("time_pattern", `The pattern ${JSON.stringify(pattern)} ${message}.`, { hint: `Known are ${KNOWN}.` });
  };
  const token = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/gy;
  while (token.lastIndex < pattern.length) {
    const at = token.lastIndex;
    const match = token.exec(pattern);
    if (match === null) return refuse(`has a quote without its end at character ${at + 1}`);
    const [text, quoted] = match;
    if (quoted !== undefined) elements.push(literal(quoted === "" ? "'" : quoted.replaceAll("''", "'")));
    else if (/^[A-Za-z]/.test(text)) elements.push(...symbolElements(text) ?? refuse(`has ${text}, which means nothing`));
    else elements.push(literal(text));
  }
  return elements;
}
function symbolElements(text: string): Element[] | null {
  if (text === "XXX" || text === "xxx") return [{ kind: "offset", symbol: text }];
  const symbol = Object.hasOwn(SYMBOLS, text) ? SYMBOLS[text] : null;
  return symbol && [{ kind: "digits", symbol: text, ...symbol }];
}
function literal(text: string): Element {
  return { kind: "literal", bytes: encoder.encode(text) };
}
function fixedBytes(element: Element): number {
  return element.kind === "digits" ? element.width : element.kind === "literal" ? element.bytes.length : 0;
}

function compileParse(elements: readonly Element[], fixed: number, hasOffset: boolean): CompiledPattern["parse"] {
  const lines = [
    hasOffset
      ? `const length = to - p; if (length !== ${fixed + 1} && length !== ${fixed + 6}) return NaN;`
      : `if (to - p !== ${fixed}) return NaN;`,
    "let a, x;",
  ];
  for (const element of elements) {
    if (element.kind === "literal") {
      const tests = [...element.bytes].map((byte, i) => `b[p + ${i}] !== ${byte}`);
      if (tests.length > 0) lines.push(`if (${tests.join(" || ")}) return NaN;`, `p += ${tests.length};`);
    } else if (element.kind === "digits") {
      lines.push("x = 0;");
      for (let i = 0; i < element.width; i++) lines.push(`a = b[p + ${i}] - 48; if (a < 0 || a > 9) return NaN; x = x * 10 + a;`);
      lines.push(`parts.${element.part} = ${element.symbol === "SSS" ? "x * 1000" : "x"}; p += ${element.width};`);
    } else {
      const zero = element.symbol === "XXX" ? "if (b[p] !== 90) return NaN; parts.offset = 0; p += 1;" : "return NaN;";
      lines.push(`if (length === ${fixed + 1}) { ${zero} } else { parts.offset = offset(b, p); p += 6; }`);
      lines.push("if (parts.offset !== parts.offset) return NaN;");
    }
  }
  lines.push("return then(parts);");
  const parts: PatternParts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0, micros: 0, offset: NaN };
  return new Function("offset", "parts", `return (b, p, to, then) => {\n${lines.join("\n")}\n};`)(signedOffset, parts);
}
/** ±HH:mm in six bytes; NaN when it is not. */
function signedOffset(bytes: Uint8Array, at: number): number {
  const sign = bytes[at];
  let seconds = 0;
  for (const [i, unit] of [[1, 36000], [2, 3600], [4, 600], [5, 60]]) {
    const digit = bytes[at + i] - 48;
    if (digit < 0 || digit > 9) return NOT_THE_TYPE;
    seconds += digit * unit;
  }
  const bad = (sign !== 43 && sign !== 45) || bytes[at + 3] !== 58 || bytes[at + 4] > 53 || seconds >= 86400;
  return bad ? NOT_THE_TYPE : sign === 45 ? 0 - seconds : seconds;
}

const WRITTEN: Readonly<Record<string, string>> = {
  year: "date / 10000 | 0",
  month: "(date / 100 | 0) % 100",
  day: "date % 100",
  hour: "second / 3600 | 0",
  minute: "(second / 60 | 0) % 60",
  second: "second % 60",
};
function compileWrite(elements: readonly Element[]): CompiledPattern["write"] {
  const lines = elements.map((element) => {
    if (element.kind === "literal") return [...element.bytes].map((byte) => `b[at++] = ${byte};`).join(" ");
    if (element.kind === "offset") return `at = writeOffset(b, at, offset, "${element.symbol}");`;
    const value = element.part === "micros" ? (element.width === 3 ? "micros / 1000 | 0" : "micros") : WRITTEN[element.part];
    if (element.width !== 2) return `at = digits(b, at, ${value}, ${element.width});`;
    return `x = ${value}; y = x / 10 | 0; b[at] = 48 + y; b[at + 1] = 48 + x - y * 10; at += 2;`;
  });
  const body = `return (b, at, date, second, micros, offset) => {\nlet x = 0, y = 0;\n${lines.join("\n")}\nreturn at;\n};`;
  return new Function("digits", "writeOffset", body)(putDigits, writeOffset);
}
/** Offsets of before the telegraph have seconds; the pattern has no place for them. */
function writeOffset(bytes: Uint8Array, at: number, offset: number, symbol: "XXX" | "xxx"): number {
  if (offset === 0 && symbol === "XXX") {
    bytes[at] = 90;
    return at + 1;
  }
  const minutes = Math.abs(offset) / 60 | 0;
  bytes[at++] = offset < 0 ? 45 : 43;
  at = putDigits(bytes, at, minutes / 60 | 0, 2);
  bytes[at++] = 58;
  return putDigits(bytes, at, minutes % 60, 2);
}
