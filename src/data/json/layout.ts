/**
 * How the records of a producer are laid out: the keys in their order and the exact text between the values, blanks included.
 * Producers write every record alike, so a decoder that knows the layout compares whole words instead of reading signs.
 */
import { closingQuote } from "./escape.ts";
import { JsonReader } from "./reader.ts";

export interface Layout {
  readonly keys: readonly string[];
  /** Text in front of each value: brace or comma, key, colon, and the blanks around them. */
  readonly before: readonly string[];
  /** Text behind the last value, closing brace included. */
  readonly after: string;
}

/** As our own encoder writes: no blanks. */
export function compactLayout(keys: readonly string[]): Layout {
  const before = keys.map((key, place) => `${place === 0 ? "{" : ","}${JSON.stringify(key)}:`);
  return { keys, before, after: keys.length === 0 ? "{}" : "}" };
}

/** What makes two layouts the same. */
export function layoutText({ before, after }: Layout): string {
  return [...before, after].join("\0");
}

/** The layout of a record that is known to be a JSON object in UTF-8; null where a key is written with escapes. */
export function layoutOf(bytes: Uint8Array, from: number, to: number): Layout | null {
  const keys: string[] = [];
  const before: string[] = [];
  let at = from;
  for (;;) {
    const start = at;
    at = skipSigns(bytes, at, to);
    if (at === to || bytes[at] !== QUOTE) return { keys, before, after: decoder.decode(bytes.subarray(start, to)) };
    const end = closingQuote(bytes, at + 1, to);
    const key = decoder.decode(bytes.subarray(at + 1, end));
    if (end < 0 || key.includes("\\")) return null;
    at = skipSigns(bytes, end + 1, to);
    keys.push(key);
    before.push(decoder.decode(bytes.subarray(start, at)));
    const reader = new JsonReader(bytes, at, to);
    if (reader.value() === undefined) return null;
    at = reader.at;
  }
}

/** Blanks, braces, commas and colons: what can stand between a key and a value. An opening brace ends it behind a key. */
function skipSigns(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  let colon = false;
  for (; at < to; at++) {
    const byte = bytes[at];
    if (byte === COLON) colon = true;
    else if (byte === OPEN && colon) break;
    else if (byte > 32 && byte !== COMMA && byte !== OPEN && byte !== CLOSE) break;
  }
  return at;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN = 123;
const CLOSE = 125;
