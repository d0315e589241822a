/**
 * Time, for everybody else: timestamps are microseconds of UTC within ±(2^53-1) (mid 1684 to mid 2255), dates are days since
 * 1970-01-01 (0001 to 9999), durations are microseconds. Invariant: no function here reads a clock or the machine's zone.
 */
import { daysOf, packedDate } from "./calendar.ts";
import { UTC, type Zone } from "./zone.ts";

export { failureCode, NOT_THE_TYPE, OUT_OF_RANGE, TOO_MANY_DECIMALS } from "./parse_failure.ts";
export { DATE_MAX, DATE_MIN, daysOf, isDate, packedDate } from "./calendar.ts";
export { UTC, type Zone, zoneOf } from "./zone.ts";
export { dateText, timestampText, type TimeText } from "./time_text.ts";
export { formatDuration, formatDurationSeconds, parseDuration } from "./duration.ts";

const SECOND = 1e6;
const DAY_SECONDS = 86400;
const DAY = DAY_SECONDS * SECOND;

/** Seconds since 1970 of the local time, as if it were UTC. */
function localSeconds(micros: number, zone: Zone): number {
  const utcSeconds = Math.floor(micros / SECOND);
  return zone === UTC ? utcSeconds : utcSeconds + zone.offsetSeconds(utcSeconds);
}
function localDays(micros: number, zone: Zone): number {
  return Math.floor(localSeconds(micros, zone) / DAY_SECONDS);
}
function secondOfDay(micros: number, zone: Zone): number {
  const local = localSeconds(micros, zone);
  return local - Math.floor(local / DAY_SECONDS) * DAY_SECONDS;
}

/** The local date of an instant, days since 1970. */
export function dateOf(micros: number, zone: Zone = UTC): number {
  return localDays(micros, zone);
}
/** Midnight UTC of a date, µs; beyond ±(2^53-1) for dates that no timestamp covers: check it. */
export function startOfDate(days: number): number {
  return days * DAY;
}

// CEL's getters, which count as JavaScript's and Java's do, each from its own beginning.

/** The local year. */
export function getFullYear(micros: number, zone: Zone = UTC): number {
  return Math.floor(packedDate(localDays(micros, zone)) / 10000);
}
/** The local month, 0 to 11. */
export function getMonth(micros: number, zone: Zone = UTC): number {
  return Math.floor(packedDate(localDays(micros, zone)) / 100) % 100 - 1;
}
/** The local day of the month, 1 to 31. */
export function getDate(micros: number, zone: Zone = UTC): number {
  return packedDate(localDays(micros, zone)) % 100;
}
/** The local day of the month, 0 to 30. */
export function getDayOfMonth(micros: number, zone: Zone = UTC): number {
  return getDate(micros, zone) - 1;
}
/** The local day of the week, 0 (Sunday) to 6. */
export function getDayOfWeek(micros: number, zone: Zone = UTC): number {
  return (localDays(micros, zone) % 7 + 11) % 7;
}
/** The local day of the year, 0 to 365. */
export function getDayOfYear(micros: number, zone: Zone = UTC): number {
  const days = localDays(micros, zone);
  return days - daysOf(Math.floor(packedDate(days) / 10000), 1, 1);
}
/** The local hour, 0 to 23. */
export function getHours(micros: number, zone: Zone = UTC): number {
  return Math.floor(secondOfDay(micros, zone) / 3600);
}
/** The local minute, 0 to 59. */
export function getMinutes(micros: number, zone: Zone = UTC): number {
  return Math.floor(secondOfDay(micros, zone) / 60) % 60;
}
/** The local second, 0 to 59. */
export function getSeconds(micros: number, zone: Zone = UTC): number {
  return secondOfDay(micros, zone) % 60;
}
/** Of the second, 0 to 999; the same in every zone. */
export function getMilliseconds(micros: number): number {
  return Math.floor((micros - Math.floor(micros / SECOND) * SECOND) / 1000);
}
