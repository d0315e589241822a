/**
 * Regular expressions in RE2's language: linear in the text, whatever the pattern. Patterns that are plainly linear run as
 * generated scanning code; the rest on re2js, which is right for all of them and slower. Invariant: both give the same.
 */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { MillraceError } from "../../data/fault.ts";
import { compileScanner, type Scanner } from "./scanner.ts";

/** A compiled pattern. Functions stand alone, so that generated code can close over them. */
export interface Pattern {
  readonly groups: number;
  /** "scan": generated code; "re2": the general engine. */
  readonly engine: "scan" | "re2";
  /** Whether the pattern matches somewhere in the text. */
  readonly matches: (text: string) => boolean;
  /** A function giving a group of the first match, null without one. Group 0 is the whole match. */
  extractor(group: number): (text: string) => string | null;
}

/** Compiles a pattern; throws MillraceError `pattern` for one that RE2 does not accept. */
export function compilePattern(source: string): Pattern {
  const general = compileGeneral(source);
  const scanner = compileScanner(source);
  return scanner === null ? general : scanning(scanner, general.groups);
}

/** The pattern on the general engine alone; the scanners are compared with it. */
export function compileGeneral(source: string): Pattern {
  const compiled = compileRe2(source);
  return {
    groups: compiled.groupCount(),
    engine: "re2",
    matches: (text) => compiled.test(text),
    extractor: (group) => (text) => {
      const matcher = compiled.matcher(text);
      return matcher.find() ? matcher.group(group) ?? null : null;
    },
  };
}

function compileRe2(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const hint = /\(\?[<=!]|\\[1-9]/.test(source)
      ? "RE2 has no look-around and no back-references: they cannot run in linear time"
      : "patterns are written as for RE2, in a raw string: r'\\d+'";
    throw new MillraceError("pattern", error.message.replace("error parsing regexp", "the pattern is wrong"), { hint, cause: error });
  }
}

function scanning(scanner: Scanner, groups: number): Pattern {
  return { groups, engine: "scan", matches: scanner.matches, extractor: (group) => scanner.extractor(group) };
}
