/** Pieces of the rows of several tables, as change data capture writes them. None checks for room: whoever writes a row has made enough. */
import { putDecimal } from "../../../data/bytes.ts";
import { fragment } from "../line_writer.ts";
import { copy, putInteger } from "../record_bytes.ts";
import { UINT32, type Xoshiro } from "../xoshiro.ts";
import { CITIES, COUNTRIES } from "./words.ts";

const ZERO = 48;
const QUOTE = 34;
const POINT = 46;
const HEX = fragment("0123456789abcdef");
const UPPER_HEX = fragment("0123456789ABCDEF");
const MICRO_DEGREES = 1e6;

/** Text that stands in a JSON string: quotes of JSON in it are escaped. */
export const held = (text: string): Uint8Array => fragment(JSON.stringify(text).slice(1, -1));
/** By word: the word in quotes. */
export const quoted = (words: readonly string[]): readonly Uint8Array[] => words.map((word) => fragment(JSON.stringify(word)));
/** Members that are null where others have a value. */
export const NULL = fragment("null");
export const KEPT = fragment(',"__deleted":"false"}\n');
export const GONE = fragment(',"__deleted":"true"}\n');

/** A number with leading zeros. */
export function putDigits(bytes: Uint8Array, at: number, value: number, width: number): number {
  for (let i = at + width - 1, rest = value | 0; i >= at; i--) {
    const next = (rest / 10) | 0;
    bytes[i] = ZERO + rest - next * 10;
    rest = next;
  }
  return at + width;
}
/** Hundredths as a text with two decimals, quotes included. */
export function putMoney(bytes: Uint8Array, at: number, hundredths: number): number {
  bytes[at] = QUOTE;
  const end = putDecimal(bytes, at + 1, hundredths, 2);
  bytes[end] = QUOTE;
  return end + 1;
}
/** The lowest `digits` hexadecimal digits of a word. */
export function putHex(bytes: Uint8Array, at: number, value: number, digits: number, letters: "lower" | "upper" = "lower"): number {
  const hex = letters === "lower" ? HEX : UPPER_HEX;
  for (let i = at + digits - 1, rest = value; i >= at; i--, rest >>>= 4) bytes[i] = hex[rest & 15];
  return at + digits;
}
/** An address of version 4, quotes included. */
export function putIp(bytes: Uint8Array, at: number, address: number): number {
  bytes[at++] = QUOTE;
  for (let shift = 24; shift >= 0; shift -= 8) {
    at = putInteger(bytes, at, address >>> shift & 255);
    bytes[at++] = shift === 0 ? QUOTE : POINT;
  }
  return at;
}
/** A UUID that stands elsewhere already, quotes included. */
export function putId(bytes: Uint8Array, at: number, ids: Uint8Array, number: number, length: number): number {
  bytes[at++] = QUOTE;
  const from = number * length;
  for (let i = 0; i < length; i++) bytes[at + i] = ids[from + i];
  bytes[at + length] = QUOTE;
  return at + length + 1;
}

const LATITUDE = held('{"latitude": ');
const LONGITUDE = held(', "longitude": ');
/** By country * cities + city. */
const PLACES = COUNTRIES.flatMap((country) => CITIES.map((city) => held(`, "city": "${city}", "country": "${country}"}`)));

/** A place anywhere on Earth, as JSON in a text; only its country is one of the first so many. */
export function putPlace(bytes: Uint8Array, at: number, draws: Xoshiro, countries: number): number {
  bytes[at++] = QUOTE;
  at = copy(bytes, at, LATITUDE);
  at = putDegrees(bytes, at, draws, 90);
  at = copy(bytes, at, LONGITUDE);
  at = putDegrees(bytes, at, draws, 180);
  const country = countries === 1 ? 0 : draws.below(countries);
  at = copy(bytes, at, PLACES[country * CITIES.length + draws.below(CITIES.length)]);
  bytes[at++] = QUOTE;
  return at;
}
function putDegrees(bytes: Uint8Array, at: number, draws: Xoshiro, most: number): number {
  return putDecimal(bytes, at, uniform(draws, 2 * most * MICRO_DEGREES + 1) - most * MICRO_DEGREES, 6);
}

/** A uniform whole number in [0, bound), bound at most 2^53. */
export function uniform(draws: Xoshiro, bound: number): number {
  const high = draws.next() >>> 11;
  return Math.min(bound - 1, Math.floor((high * UINT32 + draws.next()) * (bound / 2 ** 53)));
}
/** A uniform real number between two whole ones, rounded: the first and the last have half of the others' chance. */
export function rounded(draws: Xoshiro, least: number, most: number): number {
  return least + Math.floor((uniform(draws, 2 * (most - least)) + 1) / 2);
}
