/**
 * Exact decimals: text to an integer count of 10^-scale and back, never through a binary fraction. DESIGN.md section 3.
 * Invariant: every value is an integer within ±(2^53-1) and never -0; whatever cannot be one is told by parse_failure.ts.
 */
import { INTEGER_MAX } from "./limits.ts";
import { NOT_THE_TYPE, OUT_OF_RANGE, TOO_MANY_DECIMALS } from "./parse_failure.ts";

export { failureCode, NOT_THE_TYPE, OUT_OF_RANGE, TOO_MANY_DECIMALS } from "./parse_failure.ts";
export type { RoundingMode } from "./rounding.ts";
export { divideRounded, isRoundingMode, multiplyRounded, rescale, ROUNDING_MODES, roundQuotient, roundScaled } from "./rounding.ts";
export { compareProducts, multiplyExact, POWERS_OF_TEN, SCALE_MAX } from "./exact.ts";
export { addBigToWide, addToWide, bigToNumber, wideToBig, wideToNumber } from "./wide.ts";

import { DIGITS_EXACT, POWERS_OF_TEN } from "./exact.ts";

/**
 * Which grammar a number's text has. "text": `-?digits(.digits)?`, leading zeros allowed. "json": a JSON number (RFC 8259),
 * exponents included, leading zeros refused.
 */
export type NumberForm = "text" | "json";

const ZERO = 48;
const MINUS = 45;
const PLUS = 43;
const POINT = 46;

/** The value of bytes[from, to) at `scale`, or a failure. Costs some 2 ns a digit. */
export function parseDecimalBytes(bytes: Uint8Array, from: number, to: number, scale: number, form: NumberForm): number {
  let at = from;
  const negative = at < to && bytes[at] === MINUS;
  if (negative) at++;
  const whole = at;
  let value = 0;
  while (at < to) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  const wholeDigits = at - whole;
  if (wholeDigits === 0) return NOT_THE_TYPE;
  if (form === "json" && wholeDigits > 1 && bytes[whole] === ZERO) return NOT_THE_TYPE;
  let decimals = 0;
  if (at < to && bytes[at] === POINT) {
    const fraction = ++at;
    while (at < to) {
      const digit = bytes[at] - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    decimals = at - fraction;
    if (decimals === 0) return NOT_THE_TYPE;
  }
  if (at !== to || wholeDigits + decimals > DIGITS_EXACT || decimals > scale) return parseUncommon(bytes, from, to, scale, form);
  value *= POWERS_OF_TEN[scale - decimals];
  if (value > INTEGER_MAX) return OUT_OF_RANGE;
  return negative ? 0 - value : value;
}

/** Long digit strings, surplus zeros and exponents. The start of the text is known to be a number. */
function parseUncommon(bytes: Uint8Array, from: number, to: number, scale: number, form: NumberForm): number {
  let text = "";
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at]);
  const match = (form === "json" ? JSON_NUMBER : TEXT_NUMBER).exec(text);
  if (match === null) return NOT_THE_TYPE;
  const fraction = match[3] ?? "";
  const digits = (match[2] + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return 0;
  // Exponents of any length are finite here or saturate to ±Infinity, which the comparisons below take as they should.
  const exponent = Number(match[4] ?? "0");
  const shift = exponent - fraction.length + (digits.length - significant.length) + scale;
  if (shift < 0) return TOO_MANY_DECIMALS;
  if (significant.length + shift > DIGITS_EXACT + 1) return OUT_OF_RANGE;
  const value = Number(significant + "0".repeat(shift));
  if (value > INTEGER_MAX) return OUT_OF_RANGE;
  return match[1] === "-" ? 0 - value : value;
}
const TEXT_NUMBER = /^(-?)([0-9]+)(?:\.([0-9]+))?()$/;
const JSON_NUMBER = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;

let scratch = new Uint8Array(64);

/** The value of a whole string at `scale`, or a failure. */
export function parseDecimal(text: string, scale: number, form: NumberForm = "text"): number {
  if (text.length > scratch.length) scratch = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return NOT_THE_TYPE;
    scratch[i] = code;
  }
  return parseDecimalBytes(scratch, 0, text.length, scale, form);
}

/** The text with exactly `scale` decimals, no exponent and no -0. */
export function formatDecimal(value: number, scale: number): string {
  if (scale === 0) return String(value === 0 ? 0 : value);
  const digits = String(Math.abs(value)).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return (value < 0 ? "-" : "") + digits.slice(0, point) + "." + digits.slice(point);
}

/**
 * The double written in bytes[from, to): `-?digits(.digits)?(e[+-]?digits)?`, in the "json" form without leading zeros. There
 * is no text for NaN and the infinities, and a number too large for a double is `range`.
 */
export function parseDoubleBytes(bytes: Uint8Array, from: number, to: number, form: NumberForm): number {
  let at = from < to && bytes[from] === MINUS ? from + 1 : from;
  const whole = at;
  at = skipDigits(bytes, at, to);
  if (at === whole || (form === "json" && at - whole > 1 && bytes[whole] === ZERO)) return NOT_THE_TYPE;
  if (at < to && bytes[at] === POINT) {
    const fraction = at + 1;
    at = skipDigits(bytes, fraction, to);
    if (at === fraction) return NOT_THE_TYPE;
  }
  if (at < to && (bytes[at] | 32) === 101) {
    at++;
    if (at < to && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
    const exponent = at;
    at = skipDigits(bytes, exponent, to);
    if (at === exponent) return NOT_THE_TYPE;
  }
  if (at !== to) return NOT_THE_TYPE;
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]);
  const value = Number(text);
  if (value === Infinity || value === -Infinity) return OUT_OF_RANGE;
  return value === 0 ? 0 : value;
}
function skipDigits(bytes: Uint8Array, at: number, to: number): number {
  while (at < to && bytes[at] >= ZERO && bytes[at] <= 57) at++;
  return at;
}
