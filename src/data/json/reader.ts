/**
 * A strict JSON reader (RFC 8259) over bytes that keeps numbers as their text, so that decimals never pass through a double.
 * It refuses what the RFC leaves open: a key twice in one object (which of two amounts is meant?), half a surrogate pair, and
 * nesting deeper than DEPTH_MAX. The bytes are known to be UTF-8, or are checked afterwards.
 */
import { createWriter, writtenText } from "../bytes.ts";
import { closingQuote, unescape } from "./escape.ts";
import { ShortTexts } from "./short_texts.ts";

/** A number as it stands in the bytes. */
export class JsonNumber {
  readonly from: number;
  readonly to: number;
  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
  }
}
/** A value as it was written. */
export type JsonNode = string | boolean | null | JsonNumber | readonly JsonNode[] | ReadonlyMap<string, JsonNode>;

const DEPTH_MAX = 128;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const text = createWriter(256);
/** Names of members: those of one record are those of the next. */
const names = new ShortTexts();

/** The value that is all of bytes[from, to), blanks around it allowed; undefined when it is not JSON. */
export function readJson(bytes: Uint8Array, from: number, to: number): JsonNode | undefined {
  const reader = new JsonReader(bytes, from, to);
  const node = reader.value();
  return node !== undefined && reader.atEnd() ? node : undefined;
}

/** Reads one value after another from bytes[at, to). */
export class JsonReader {
  readonly #bytes: Uint8Array;
  readonly #to: number;
  /** Where reading goes on; meaningless after a failure. */
  at: number;
  #depth = 0;

  constructor(bytes: Uint8Array, at: number, to: number) {
    this.#bytes = bytes;
    this.#to = to;
    this.at = at;
  }

  /** The next value; undefined when there is none. */
  value(): JsonNode | undefined {
    const byte = this.#skipBlanks();
    switch (byte) {
      case 123:
        return this.#nested(() => this.#object());
      case 91:
        return this.#nested(() => this.#array());
      case 34:
        return this.#string();
      case 116:
        return this.#word("true") ? true : undefined;
      case 102:
        return this.#word("false") ? false : undefined;
      case 110:
        return this.#word("null") ? null : undefined;
      default:
        return this.#number();
    }
  }
  /** Whether only blanks are left. */
  atEnd(): boolean {
    return this.#skipBlanks() === -1;
  }

  /** The next byte that is no blank, not yet taken; -1 at the end. */
  #skipBlanks(): number {
    for (; this.at < this.#to; this.at++) {
      const byte = this.#bytes[this.at];
      if (byte !== 32 && byte !== 9 && byte !== 10 && byte !== 13) return byte;
    }
    return -1;
  }
  #nested<N>(read: () => N | undefined): N | undefined {
    if (this.#depth === DEPTH_MAX) return undefined;
    this.#depth++;
    this.at++;
    const node = read();
    this.#depth--;
    return node;
  }
  #object(): ReadonlyMap<string, JsonNode> | undefined {
    const members = new Map<string, JsonNode>();
    if (this.#skipBlanks() === 125) return this.at++, members;
    while (this.#skipBlanks() === 34) {
      const key = this.#string(names);
      if (key === undefined || members.has(key) || this.#skipBlanks() !== 58) return undefined;
      this.at++;
      const value = this.value();
      if (value === undefined) return undefined;
      members.set(key, value);
      const next = this.#skipBlanks();
      this.at++;
      if (next === 125) return members;
      if (next !== 44) return undefined;
    }
    return undefined;
  }
  #array(): readonly JsonNode[] | undefined {
    const items: JsonNode[] = [];
    if (this.#skipBlanks() === 93) return this.at++, items;
    for (;;) {
      const value = this.value();
      if (value === undefined) return undefined;
      items.push(value);
      const next = this.#skipBlanks();
      this.at++;
      if (next === 93) return items;
      if (next !== 44) return undefined;
    }
  }
  /** `known`: where a text that comes again and again is remembered. */
  #string(known?: ShortTexts): string | undefined {
    const from = this.at + 1;
    const end = closingQuote(this.#bytes, from, this.#to);
    if (end < 0) return undefined;
    this.at = end + 1;
    const body = this.#bytes.subarray(from, end);
    if (!body.includes(92)) return known ? known.of(this.#bytes, from, end) : decoder.decode(body);
    text.length = 0;
    return unescape(this.#bytes, from, end, text) ? writtenText(text) : undefined;
  }
  #word(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.at + i >= this.#to || this.#bytes[this.at + i] !== word.charCodeAt(i)) return false;
    this.at += word.length;
    return true;
  }
  #number(): JsonNumber | undefined {
    const from = this.at;
    if (this.#peek() === 45) this.at++;
    const whole = this.at;
    if (!this.#digits() || (this.#bytes[whole] === 48 && this.at - whole > 1)) return undefined;
    if (this.#peek() === 46) {
      this.at++;
      if (!this.#digits()) return undefined;
    }
    if ((this.#peek() | 32) === 101) {
      this.at++;
      const sign = this.#peek();
      if (sign === 43 || sign === 45) this.at++;
      if (!this.#digits()) return undefined;
    }
    return new JsonNumber(from, this.at);
  }
  #peek(): number {
    return this.at < this.#to ? this.#bytes[this.at] : 0;
  }
  #digits(): boolean {
    const from = this.at;
    while (this.#peek() >= 48 && this.#peek() <= 57) this.at++;
    return this.at > from;
  }
}
