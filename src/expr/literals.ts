/**
 * Number literals, read from the source text: the parser turns 1.50 into a double, and then the scale is gone. Invariant: a
 * decimal literal is exact, because at most 15 digits are accepted.
 */
import { INTEGER_MAX } from "../data/limits.ts";
import { type Literal, SyntaxFault } from "./syntax.ts";

/** A double holds every decimal of so many significant digits. */
export const LITERAL_DIGITS_MAX = 15;
/** The largest scale a value may have. */
export const SCALE_MAX = 15;

const NUMBER = /-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;

/** The literal that the parser took for a double, from its place in `text`. */
export function fractionLiteral(text: string, at: number): Literal {
  NUMBER.lastIndex = at;
  const written = NUMBER.exec(text)?.[0];
  if (written === undefined) throw new SyntaxFault(at, "this is not a number");
  if (/[eE]/.test(written)) {
    const value = Number(written);
    if (!Number.isFinite(value)) throw new SyntaxFault(at, `${written} is too large for a double`);
    return { kind: "double", value };
  }
  const fraction = written.slice(written.indexOf(".") + 1);
  const digits = written.replace(/[-.]/g, "").replace(/^0+/, "");
  if (digits.length > LITERAL_DIGITS_MAX || fraction.length > SCALE_MAX) {
    throw new SyntaxFault(
      at,
      `${written} has more than ${LITERAL_DIGITS_MAX} digits`,
      `write at most ${LITERAL_DIGITS_MAX} digits, or an exponent (1e-20) for a double`,
    );
  }
  const magnitude = Number(digits);
  return { kind: "decimal", value: written.startsWith("-") && magnitude !== 0 ? -magnitude : magnitude, scale: fraction.length };
}

/** The literal that the parser took for a 64-bit int. */
export function intLiteral(value: bigint, at: number): Literal {
  if (value > BigInt(INTEGER_MAX) || value < -BigInt(INTEGER_MAX)) {
    throw new SyntaxFault(at, `${value} is outside the range of int`, `an int lies within ±${INTEGER_MAX}; longer numbers are strings`);
  }
  return { kind: "int", value: Number(value) };
}
