/** Patterns known only per record: compiled once each, a bounded number of them kept. */
import { MillraceError } from "../../data/fault.ts";
import { EvaluationError } from "../contracts.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

/** Patterns kept; when full all are forgotten, which costs less than tracking their use. */
const PATTERNS_KEPT_MAX = 256;
const kept = new Map<string, Pattern>();

function patternFor(source: string): Pattern {
  let pattern = kept.get(source);
  if (pattern === undefined) {
    try {
      pattern = compilePattern(source);
    } catch (error) {
      if (error instanceof MillraceError) throw new EvaluationError("pattern", error.message);
      throw error;
    }
    if (kept.size >= PATTERNS_KEPT_MAX) kept.clear();
    kept.set(source, pattern);
  }
  return pattern;
}
/** matches with a computed pattern. */
export function matchesComputed(text: string, source: string): boolean {
  return patternFor(source).matches(text);
}
/** extract with a computed pattern or group. */
export function extractComputed(text: string, source: string, group: number): string | null {
  const pattern = patternFor(source);
  if (group < 0 || group > pattern.groups) throw new EvaluationError("index", `the pattern has no group ${group}`);
  return pattern.extractor(group)(text);
}
