/**
 * How compiled expressions fail. The codes are the reject reasons that users see. Invariant: nothing else but EvaluationError
 * is thrown for a record; any other error is our mistake and stops the run.
 */
import { EvaluationError } from "../contracts.ts";
import { failureCode } from "../../data/decimal.ts";
import { STRING_LENGTH_MAX } from "../../data/limits.ts";

/** A result past ±(2^53-1). */
export function overflow(): never {
  throw new EvaluationError("overflow", "the result is outside ±(2^53-1)");
}
/** A divisor of zero. */
export function divisorZero(): never {
  throw new EvaluationError("divisor_zero", "the divisor is zero");
}
/** No such element, key or place in a text. */
export function noSuchIndex(what: string): never {
  throw new EvaluationError("index", what);
}
/** A time outside what a timestamp holds. */
export function outOfRange(): never {
  throw new EvaluationError("range", "the time is outside the years 1684 to 2255");
}
/** Text that is not a value of the wished type. */
export function notConvertible(code: string, text: string, wished: string): never {
  throw new EvaluationError(code, `${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)} is not ${wished}`);
}
/** The value a parser or rounding of data/decimal.ts gave; its failures become ours. */
export function parsed(value: number, text: string, wished: string): number {
  return value - value === 0 ? value : notConvertible(failureCode(value), text, wished);
}
/** A computed text, refused when longer than a text may be. */
export function boundedText(text: string): string {
  if (text.length > STRING_LENGTH_MAX) throw new EvaluationError("too-long", `the text is longer than ${STRING_LENGTH_MAX} characters`);
  return text;
}
/** Runs the right side of && or || although the left one failed: only the value that decides may hide the failure. */
export function absorb(left: () => boolean, right: () => boolean, deciding: boolean): boolean {
  let value: boolean;
  try {
    value = left();
  } catch (error) {
    if (error instanceof EvaluationError && right() === deciding) return deciding;
    throw error;
  }
  return value === deciding ? deciding : right();
}
