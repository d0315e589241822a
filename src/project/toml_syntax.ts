/** The TOML parser's errors in our words: what was found, and what to write instead. */
import type { Fault } from "../data/fault.ts";
import type { SourceText } from "./positions.ts";

interface Advice {
  readonly message: string;
  readonly hint?: string;
}

/** By the parser's own message, which is all it tells. */
const ADVICE: Readonly<Record<string, Advice>> = {
  "Unterminated string constant": { message: "the text does not end", hint: "close it with the quote it began with: \"...\" or '...'" },
  "Unterminated table-key": { message: "the table header does not end", hint: "write [name], or [[name]] for one more entry of a list" },
  "Unterminated array": { message: "the list does not end", hint: "close it with ]" },
  "Unterminated inline table": { message: "the inline table does not end", hint: "close it with }" },
  "Empty bare keys are not allowed": { message: "the key is missing" },
  "Must be a newline": { message: "something follows the value", hint: "one key = value per line; texts stand in quotes" },
  "Expected equal (=) token": { message: "the = behind the key is missing", hint: "a key with blanks stands in quotes" },
  "Unspecified values are invalid": { message: "the value is missing" },
  "Expected comma (,) token": { message: "a comma is missing" },
  "No newlines are allowed between the curly braces unless they are valid within a value": {
    message: "an inline table { ... } must stand on one line",
    hint: "write it as a table of its own, under a [header]",
  },
  "The key, equals sign, and value must be on the same line": { message: "key, = and value must stand on one line" },
  "Unexpected character": { message: "this is no value", hint: "texts stand in quotes; true and false are lower case" },
  "Leading zeros are not allowed": { message: "a number must not begin with 0", hint: "as text it stands in quotes" },
  "Trailing comma is not permitted in an inline table": { message: "an inline table must not end with a comma" },
  "Invalid character in escape sequence": {
    message: "there is no such escape",
    hint: "in '...' backslashes stand for themselves: 'C:\\data', '\\d+'",
  },
  "Unexpected invalid date": { message: "there is no such date" },
  "Unexpected invalid time": { message: "there is no such time" },
};

/** Where the parser noticed that something is missing is often a line below. */
const isAboutTheEnd = (message: string): boolean => message.startsWith("Unspecified") || message.startsWith("Unterminated");

/** A fault of code `toml_syntax` for what the parser threw; anything else is thrown on. */
export function syntaxFault(error: unknown, source: SourceText): Fault {
  // The parser calls itself for each line of a long text and each level of nesting, until the stack is full.
  if (error instanceof RangeError) {
    return { code: "toml_syntax", message: "the file has a text or a nesting too long to be read", span: source.span(0, 0) };
  }
  if (!(error instanceof SyntaxError) || !("index" in error) || typeof error.index !== "number") throw error;
  const at = isAboutTheEnd(error.message) ? source.text.slice(0, error.index).trimEnd().length : error.index;
  const span = source.span(at, at);
  if (error.message === "Defining a key multiple times is invalid") {
    const key = /^[\w-]+|^"[^"\n]*"|^'[^'\n]*'/.exec(source.text.slice(error.index))?.[0] ?? "the key";
    return {
      code: "toml_syntax",
      message: `${key} is defined twice`,
      span,
      hint: "keep one of the two; a list of tables is written [[name]]",
    };
  }
  const advice = ADVICE[error.message];
  return advice
    ? { code: "toml_syntax", span, ...advice }
    : { code: "toml_syntax", span, message: `not TOML: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}` };
}
