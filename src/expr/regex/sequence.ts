/**
 * Reads the patterns that are a plain sequence: characters and classes with a repetition, anchors, word boundaries, groups
 * around parts of it. Anything else (alternatives, repeated groups, lazy repetition, flags) gives null and goes to RE2.
 */
import { type CharClass, classOf, complement, DIGIT, DOT, hasSurrogates, SPACE, WORD } from "./char_class.ts";

export type Item =
  | { readonly kind: "class"; readonly set: CharClass; readonly min: number; readonly max: number }
  | { readonly kind: "boundary" | "not_boundary" | "start" | "end" }
  | { readonly kind: "open" | "close"; readonly group: number };

/** Longer bounded repetitions are left to RE2, which limits them itself. */
const REPEAT_MAX = 200;
const PERL: Readonly<Record<string, CharClass>> = {
  d: DIGIT,
  D: complement(DIGIT),
  w: WORD,
  W: complement(WORD),
  s: SPACE,
  S: complement(SPACE),
};
const CONTROLS: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, r: 0x0d, f: 0x0c, v: 0x0b };

/** The items of a pattern, or null where it is more than a sequence. The pattern is known to be valid. */
export function readSequence(pattern: string): readonly Item[] | null {
  return new SequenceReader(pattern).read();
}

class SequenceReader {
  readonly #pattern: string;
  #at = 0;
  #groups = 0;
  /** Numbers of the open groups; 0 for one that captures nothing. */
  readonly #open: number[] = [];
  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  read(): readonly Item[] | null {
    const items: Item[] = [];
    while (this.#at < this.#pattern.length) {
      const item = this.#item();
      if (item === null) return null;
      if (item !== "nothing") items.push(item);
    }
    return items;
  }

  #item(): Item | null | "nothing" {
    const c = this.#pattern[this.#at++];
    switch (c) {
      case "(":
        return this.#group();
      case ")": {
        const group = this.#open.pop();
        if (group === undefined || this.#isRepeated()) return null;
        return group === 0 ? "nothing" : { kind: "close", group };
      }
      case "^":
        return this.#zeroWidth("start");
      case "$":
        return this.#zeroWidth("end");
      case "|":
      case "*":
      case "+":
      case "?":
      case "{":
        return null;
      case ".":
        return this.#repeated(DOT);
      case "[":
        return this.#repeated(this.#bracket());
      case "\\":
        return this.#escape();
      default:
        return this.#repeated(single(c));
    }
  }

  #group(): Item | null | "nothing" {
    if (this.#pattern[this.#at] !== "?") {
      this.#open.push(++this.#groups);
      return { kind: "open", group: this.#groups };
    }
    if (!this.#pattern.startsWith("?:", this.#at)) return null;
    this.#at += 2;
    this.#open.push(0);
    return "nothing";
  }

  #escape(): Item | null {
    const c = this.#pattern[this.#at++];
    switch (c) {
      case "b":
        return this.#zeroWidth("boundary");
      case "B":
        return this.#zeroWidth("not_boundary");
      case "A":
        return this.#zeroWidth("start");
      case "z":
        return this.#zeroWidth("end");
      default:
        return this.#repeated(escaped(c));
    }
  }
  #zeroWidth(kind: "boundary" | "not_boundary" | "start" | "end"): Item | null {
    return this.#isRepeated() ? null : { kind };
  }
  #isRepeated(): boolean {
    return "*+?{".includes(this.#pattern[this.#at] ?? "|");
  }

  /** The class with the repetition that follows it. */
  #repeated(set: CharClass | null): Item | null {
    if (set === null) return null;
    const rest = this.#pattern.slice(this.#at);
    const written = /^(?:[*+?]|\{(\d+)(,(\d*))?\})/.exec(rest);
    let [min, max] = [1, 1];
    if (written !== null) {
      this.#at += written[0].length;
      [min, max] = bounds(written);
      if (this.#isRepeated()) return null;
    } else if (rest.startsWith("{")) return null;
    if ((max === Infinity ? min : max) > REPEAT_MAX) return null;
    // One unit is one character only below the surrogates; a whole run of them never cuts one in two.
    if (hasSurrogates(set) && !(min <= 1 && max === Infinity)) return null;
    return { kind: "class", set, min, max };
  }

  #bracket(): CharClass | null {
    const negated = this.#pattern[this.#at] === "^";
    if (negated) this.#at++;
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; first || this.#pattern[this.#at] !== "]"; first = false) {
      const low = this.#bracketPart();
      if (low === null) return null;
      const isRange = this.#pattern[this.#at] === "-" && this.#pattern[this.#at + 1] !== "]";
      if (!isRange) {
        ranges.push(...low);
        continue;
      }
      this.#at++;
      const high = this.#bracketPart();
      if (high === null || !isSingle(low) || !isSingle(high) || high[0][0] < low[0][0]) return null;
      ranges.push([low[0][0], high[0][0]]);
    }
    this.#at++;
    const set = classOf(ranges);
    // All surrogates or none: a range that ends among them is left to RE2.
    const whole = !hasSurrogates(set) || set.some(([from, to]) => from < 0xd800 && to > 0xdfff);
    if (!whole) return null;
    return negated ? complement(set) : set;
  }
  #bracketPart(): CharClass | null {
    const c = this.#pattern[this.#at++];
    if (c === undefined || (c === "[" && this.#pattern[this.#at] === ":")) return null;
    return c === "\\" ? escaped(this.#pattern[this.#at++]) : single(c);
  }
}

function bounds(written: RegExpExecArray): [number, number] {
  const sign = written[0];
  if (sign === "*") return [0, Infinity];
  if (sign === "+") return [1, Infinity];
  if (sign === "?") return [0, 1];
  const min = Number(written[1]);
  if (written[2] === undefined) return [min, min];
  return [min, written[3] === "" ? Infinity : Number(written[3])];
}
function single(c: string | undefined): CharClass | null {
  const code = c?.charCodeAt(0) ?? 0xd800;
  return code >= 0xd800 && code <= 0xdfff ? null : [[code, code]];
}
function isSingle(set: CharClass): boolean {
  return set.length === 1 && set[0][0] === set[0][1];
}
function escaped(c: string | undefined): CharClass | null {
  if (c === undefined) return null;
  if (Object.hasOwn(PERL, c)) return PERL[c];
  if (Object.hasOwn(CONTROLS, c)) return [[CONTROLS[c], CONTROLS[c]]];
  // Escaped letters and digits have other meanings; escaped signs mean themselves.
  return /[A-Za-z0-9]/.test(c) ? null : single(c);
}
