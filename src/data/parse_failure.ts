/**
 * How text that is not a value is told without an object per value: a parser of numbers or times gives a finite number, or one
 * of three numbers that are never a value. Invariant: `parsed - parsed === 0` holds exactly for values.
 */

/** The text does not have the form of its type: reject code `type`. */
export const NOT_THE_TYPE = NaN;
/** More decimals than the type keeps: reject code `scale`. */
export const TOO_MANY_DECIMALS = -Infinity;
/** Beyond what the type can hold: reject code `range`. */
export const OUT_OF_RANGE = Infinity;

/** The first part of the reject code of a number that a parser gave instead of a value. */
export function failureCode(parsed: number): "type" | "scale" | "range" {
  if (parsed === OUT_OF_RANGE) return "range";
  return parsed === TOO_MANY_DECIMALS ? "scale" : "type";
}
