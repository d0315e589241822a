/**
 * Text of timestamps and dates: RFC 3339 and user patterns, read from and written to bytes. Invariant: what `parseBytes` takes
 * is a time that exists, and `write` gives text that reads back as the same value as far as the pattern tells it.
 */
import { epochScale, epochText } from "./epoch_format.ts";
import { DATE_MAX, DATE_MIN, daysOf, isDate, packedDate } from "./calendar.ts";
import { putDigits } from "./bytes.ts";
import { MillraceError } from "./fault.ts";
import { INTEGER_MAX } from "./limits.ts";
import { NOT_THE_TYPE, OUT_OF_RANGE, TOO_MANY_DECIMALS } from "./parse_failure.ts";
import { compilePattern, type PatternParts } from "./time_pattern.ts";
import { UTC, type Zone, zoneOf } from "./zone.ts";

/** Reads and writes one kind of time. Values: µs of UTC for timestamps, days since 1970 for dates. */
export interface TimeText {
  /** The value of bytes[from, to), or a failure of parse_failure.ts. */
  parseBytes(bytes: Uint8Array, from: number, to: number): number;
  parse(text: string): number;
  /** Writes at `at`, into at least `bytesMax` bytes of room; gives the position behind. */
  write(value: number, bytes: Uint8Array, at: number): number;
  format(value: number): string;
  readonly bytesMax: number;
  /** The length of every text, where all have the same; else null. */
  readonly fixedBytes: number | null;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Timestamps in `format` (absent: RFC 3339 with a fraction of up to six digits). Text without an offset is local time of `zone`;
 * without a zone it is refused. Written in RFC 3339 it is UTC with "Z"; in a pattern it is local time of `zone`, default UTC.
 * Throws MillraceError `time_pattern` and `time_zone`.
 */
export function timestampText(format?: string, zone?: string): TimeText {
  const key = `${format ?? ""}\0${zone ?? ""}`;
  return timestampTexts.get(key) ?? remember(timestampTexts, key, makeTimestampText(format, zone));
}
/** Dates in `format` (absent: yyyy-MM-dd). Throws MillraceError `time_pattern`. */
export function dateText(format = "yyyy-MM-dd"): TimeText {
  return dateTexts.get(format) ?? remember(dateTexts, format, makeDateText(format));
}
const timestampTexts = new Map<string, TimeText>();
const dateTexts = new Map<string, TimeText>();
const TEXTS_KEPT_MAX = 256;
function remember(texts: Map<string, TimeText>, key: string, made: TimeText): TimeText {
  if (texts.size < TEXTS_KEPT_MAX) texts.set(key, made);
  return made;
}

function makeTimestampText(format: string | undefined, zoneName: string | undefined): TimeText {
  const scale = epochScale(format);
  if (scale !== null) return epochText(scale);
  const zone = zoneName === undefined ? null : zoneOf(zoneName);
  if (zoneName !== undefined && zone === null) {
    throw new MillraceError("time_zone", `There is no time zone ${JSON.stringify(zoneName)}.`, {
      hint: 'Use an IANA name such as "Europe/Berlin", "UTC", or an offset such as "+02:00".',
    });
  }
  if (format === undefined) {
    return withStrings((bytes, from, to) => parseRfc3339(bytes, from, to, zone), writeRfc3339, RFC3339_BYTES_MAX, null);
  }
  const pattern = compilePattern(format, "timestamp");
  const at = (p: PatternParts) => instantOf(p.year, p.month, p.day, p.hour, p.minute, p.second, p.micros, p.offset, zone);
  // Records of one day come together.
  let lastDays = NaN;
  let lastDate = 0;
  return withStrings(
    (bytes, from, to) => pattern.parse(bytes, from, to, at),
    (value, bytes, to) => {
      const utcSeconds = Math.floor(value / 1e6);
      const offset = zone === null ? 0 : zone.offsetSeconds(utcSeconds);
      const local = utcSeconds + offset;
      const days = Math.floor(local / 86400);
      if (days !== lastDays) {
        lastDate = packedDate(days);
        lastDays = days;
      }
      return pattern.write(bytes, to, lastDate, local - days * 86400, value - utcSeconds * 1e6, offset);
    },
    pattern.bytesMax,
    pattern.hasOffset ? null : pattern.bytesMax,
  );
}

function makeDateText(format: string): TimeText {
  const pattern = compilePattern(format, "date");
  const at = (p: PatternParts) => {
    if (!isDate(p.year, p.month, p.day)) return NOT_THE_TYPE;
    const days = daysOf(p.year, p.month, p.day);
    return days < DATE_MIN || days > DATE_MAX ? OUT_OF_RANGE : days;
  };
  return withStrings(
    (bytes, from, to) => pattern.parse(bytes, from, to, at),
    (value, bytes, to) => pattern.write(bytes, to, packedDate(value), 0, 0, 0),
    pattern.bytesMax,
    pattern.hasOffset ? null : pattern.bytesMax,
  );
}

function withStrings(
  parseBytes: TimeText["parseBytes"],
  write: TimeText["write"],
  bytesMax: number,
  fixedBytes: number | null,
): TimeText {
  const scratch = new Uint8Array(bytesMax);
  return {
    parseBytes,
    parse(text) {
      const bytes = encoder.encode(text);
      return parseBytes(bytes, 0, bytes.length);
    },
    write,
    format: (value) => decoder.decode(scratch.subarray(0, write(value, scratch, 0))),
    bytesMax,
    fixedBytes,
  };
}

/**
 * The instant, µs, of parts read from text. `offset` in seconds, NaN where the text had none: then they are local time of
 * `zone`, and refused when there is none. Leap seconds (60) are refused.
 */
function instantOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  micros: number,
  offset: number,
  zone: Zone | null,
): number {
  if (!isDate(year, month, day) || hour > 23 || minute > 59 || second > 59) return NOT_THE_TYPE;
  let seconds = daysOf(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  if (offset === offset) seconds -= offset;
  else if (zone === null) return NOT_THE_TYPE;
  else if (zone !== UTC) {
    if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX) return OUT_OF_RANGE;
    seconds = zone.utcSeconds(seconds);
  }
  if (seconds - seconds !== 0) return NOT_THE_TYPE;
  const value = seconds * 1e6 + micros;
  return value > INTEGER_MAX || value < -INTEGER_MAX ? OUT_OF_RANGE : value;
}
/** A day beyond what fits in µs: far enough not to ask a zone. */
const SECONDS_MAX = INTEGER_MAX / 1e6 + 86400;

/** `yyyy-MM-dd(T|t| )HH:mm:ss[.digits][Z|z|±HH:mm]`; a seventh decimal that is not 0 is TOO_MANY_DECIMALS. */
function parseRfc3339(bytes: Uint8Array, from: number, to: number, zone: Zone | null): number {
  if (to - from < 19) return NOT_THE_TYPE;
  const separator = bytes[from + 10];
  if (bytes[from + 4] !== 45 || bytes[from + 7] !== 45 || bytes[from + 13] !== 58 || bytes[from + 16] !== 58) return NOT_THE_TYPE;
  if (separator !== 84 && separator !== 116 && separator !== 32) return NOT_THE_TYPE;
  const year = two(bytes, from) * 100 + two(bytes, from + 2);
  const month = two(bytes, from + 5);
  const day = two(bytes, from + 8);
  const hour = two(bytes, from + 11);
  const minute = two(bytes, from + 14);
  const second = two(bytes, from + 17);
  if ((year + month + day + hour + minute + second) !== (year + month + day + hour + minute + second)) return NOT_THE_TYPE;
  let at = from + 19;
  let micros = 0;
  let surplus = false;
  if (at < to && bytes[at] === 46) {
    const fraction = ++at;
    let unit = 100000;
    for (; at < to; at++) {
      const digit = bytes[at] - 48;
      if (digit < 0 || digit > 9) break;
      if (unit >= 1) micros += digit * unit;
      else if (digit !== 0) surplus = true;
      unit = unit / 10;
      if (unit < 1) unit = 0;
    }
    if (at === fraction) return NOT_THE_TYPE;
  }
  const value = instantOf(year, month, day, hour, minute, second, micros, parseOffset(bytes, at, to), zone);
  return surplus && value === value ? TOO_MANY_DECIMALS : value;
}
/** Seconds; NaN for no offset; an offset that is none gives Infinity, which no instant survives. */
function parseOffset(bytes: Uint8Array, at: number, to: number): number {
  if (at === to) return NaN;
  if (to - at === 1) return (bytes[at] | 32) === 122 ? 0 : BAD_OFFSET;
  const sign = bytes[at];
  if (to - at !== 6 || (sign !== 43 && sign !== 45) || bytes[at + 3] !== 58) return BAD_OFFSET;
  const hours = two(bytes, at + 1);
  const minutes = two(bytes, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return BAD_OFFSET;
  const seconds = hours * 3600 + minutes * 60;
  return sign === 45 ? 0 - seconds : seconds;
}
const BAD_OFFSET = Infinity;
/** Two digits, or NaN. */
function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - 48;
  const ones = bytes[at + 1] - 48;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? NaN : tens * 10 + ones;
}

const RFC3339_BYTES_MAX = 27;
/** UTC with "Z", and as many decimals as the value has. */
function writeRfc3339(value: number, bytes: Uint8Array, at: number): number {
  const utcSeconds = Math.floor(value / 1e6);
  const days = Math.floor(utcSeconds / 86400);
  const ofDay = utcSeconds - days * 86400;
  const date = packedDate(days);
  at = putDigits(bytes, at, date / 10000 | 0, 4);
  bytes[at++] = 45;
  at = putDigits(bytes, at, (date / 100 | 0) % 100, 2);
  bytes[at++] = 45;
  at = putDigits(bytes, at, date % 100, 2);
  bytes[at++] = 84;
  at = putDigits(bytes, at, ofDay / 3600 | 0, 2);
  bytes[at++] = 58;
  at = putDigits(bytes, at, (ofDay / 60 | 0) % 60, 2);
  bytes[at++] = 58;
  at = putDigits(bytes, at, ofDay % 60, 2);
  const micros = value - utcSeconds * 1e6;
  if (micros !== 0) {
    bytes[at++] = 46;
    at = putDigits(bytes, at, micros, 6);
    while (bytes[at - 1] === 48) at--;
  }
  bytes[at++] = 90;
  return at;
}
