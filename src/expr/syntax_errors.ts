/**
 * Turns the parser's errors into something to act on: the place, what was found, and for the mistakes that people coming
 * from SQL, Python and JavaScript make, what to write instead.
 */
import { SyntaxFault } from "./syntax.ts";

/** What we read of the library's error; its classes are not exported. */
interface ParserError {
  readonly message: string;
  readonly rawMessage?: string;
  readonly location?: { readonly start: { readonly offset: number } };
}

/** One fault from whatever the parser threw. */
export function explainSyntaxError(text: string, error: unknown): SyntaxFault {
  if (!(error instanceof Error)) throw error;
  const parserError = error as ParserError;
  const at = parserError.location?.start.offset;
  if (at === undefined) return new SyntaxFault(0, parserError.message);
  if (parserError.rawMessage === "reserved identifier") return reservedWord(text, at);
  const unclosed = unclosedString(text);
  if (unclosed !== null) {
    return new SyntaxFault(
      unclosed,
      `the string that starts here is not closed`,
      "close it with the same quote; a quote inside is written \\' or \\\"",
    );
  }
  if (text.trim() === "") return new SyntaxFault(0, "the expression is empty");
  const found = at >= text.length ? "the end" : JSON.stringify(/^(\w+|\S)/.exec(text.slice(at))?.[0] ?? text[at]);
  return new SyntaxFault(at, `unexpected ${found}`, hintFor(text, at) ?? bracketHint(text));
}

function reservedWord(text: string, at: number): SyntaxFault {
  const word = /^\w+/.exec(text.slice(at))?.[0] ?? "this";
  return new SyntaxFault(at, `"${word}" is a reserved word`, `write this.${word} to read the field of that name`);
}

const WORDS: Readonly<Record<string, string>> = {
  and: "write && for and",
  or: "write || for or",
  not: "write ! for not: !(x > 1)",
  is: "write == null, or != null",
  between: "write x >= low && x <= high",
  like: "write x.contains('...'), x.startsWith('...') or x.matches('...')",
  if: "write condition ? value : otherwise",
  then: "write condition ? value : otherwise",
  else: "write condition ? value : otherwise",
};
const SIGNS: readonly (readonly [string, string])[] = [
  ["===", "write == for equal"],
  ["!==", "write != for not equal"],
  ["=>", "write >= for at least"],
  ["=<", "write <= for at most"],
  ["==", "a comparison needs a value on both sides"],
  ["=", "write == to compare"],
  ["<>", "write != for not equal"],
  ["??", "write coalesce(x, default)"],
  ["?.", "write a plain dot: it passes null on by itself"],
  ["**", "there is no power operator"],
  ["&&", "&& needs a condition on both sides"],
  ["||", "|| needs a condition on both sides"],
  ["&", "write && for and"],
  ["|", "write || for or"],
  [";", "one expression stands alone, without a semicolon"],
  ["$", "${...} is not filled in inside expressions: read params.NAME instead"],
  ["#", "a comment starts with //"],
  ["?", "a choice has two branches: condition ? value : otherwise"],
  ["`", "write strings in single or double quotes"],
];

function hintFor(text: string, at: number): string | undefined {
  // The parser stops at the first letter it cannot go on with, which may lie before or inside the operator meant.
  const start = at > 0 && "=<>!&|?*".includes(text[at - 1]!) ? at - 1 : at;
  for (const from of new Set([start, at])) {
    const rest = text.slice(from);
    for (const [sign, hint] of SIGNS) if (rest.startsWith(sign)) return hint;
  }
  const word = /^[A-Za-z_]+/.exec(text.slice(at))?.[0].toLowerCase();
  if (word !== undefined && Object.hasOwn(WORDS, word)) return WORDS[word];
  const before = /([A-Za-z_]+)\s*$/.exec(text.slice(0, at))?.[1]?.toLowerCase();
  if (before !== undefined && Object.hasOwn(WORDS, before)) return WORDS[before];
  if (word !== undefined) return "an operator is missing before this word";
  return /[-+*/%<>=!]/.test(text[at] ?? "") ? "an operator needs a value on both sides" : undefined;
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** Names the bracket that is open at the end, or closed without having been opened. */
function bracketHint(text: string): string | undefined {
  const open: string[] = [];
  for (const { bracket } of brackets(text)) {
    if (bracket in CLOSING) open.push(bracket);
    else {
      const expected = open.pop();
      if (expected === undefined) return `"${bracket}" closes nothing`;
      if (CLOSING[expected] !== bracket) return `"${expected}" is closed by "${bracket}"`;
    }
  }
  const last = open.at(-1);
  return last === undefined ? undefined : `"${last}" is not closed: "${CLOSING[last]}" is missing`;
}

function* brackets(text: string): Iterable<{ readonly bracket: string }> {
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === "'" || c === '"') i = endOfString(text, i) - 1;
    else if ("()[]{}".includes(c)) yield { bracket: c };
    if (i < 0) return;
  }
}

function unclosedString(text: string): number | null {
  for (let i = 0; i < text.length; i++) {
    if (text.startsWith("//", i)) {
      const lineEnd = text.indexOf("\n", i);
      if (lineEnd < 0) return null;
      i = lineEnd;
    } else if (text[i] === "'" || text[i] === '"') {
      const end = endOfString(text, i);
      if (end === 0) return i;
      i = end - 1;
    }
  }
  return null;
}

/** The offset behind the string that opens at `from`; 0 when it is never closed. */
function endOfString(text: string, from: number): number {
  const quote = text[from]!;
  const raw = /(?:^|[^A-Za-z0-9_])(?:[rR]|[bB][rR]|[rR][bB])$/.test(text.slice(Math.max(0, from - 3), from));
  const mark = text.startsWith(quote.repeat(3), from) ? quote.repeat(3) : quote;
  for (let i = from + mark.length; i < text.length; i++) {
    if (!raw && text[i] === "\\") i++;
    else if (text.startsWith(mark, i)) return i + mark.length;
    else if (mark.length === 1 && (text[i] === "\n" || text[i] === "\r")) return 0;
  }
  return 0;
}
