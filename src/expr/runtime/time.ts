/**
 * Time behind generated code: timestamps and durations in µs, dates in days. Zones that are known at check time are handed in
 * as zones; only computed ones are looked up per record.
 */
import {
  DATE_MAX,
  DATE_MIN,
  dateOf,
  dateText,
  formatDurationSeconds,
  parseDuration,
  startOfDate,
  timestampText,
  UTC,
  type Zone,
  zoneOf,
} from "../../data/time.ts";
import { INTEGER_MAX } from "../../data/limits.ts";
import { EvaluationError } from "../contracts.ts";
import { outOfRange, parsed } from "./failures.ts";

/** The zone of a computed name. */
export function zoneNamed(name: string): Zone {
  const zone = zoneOf(name);
  if (zone === null) throw new EvaluationError("zone", `there is no time zone ${JSON.stringify(name)}`);
  return zone;
}
/** A computed timestamp, refused outside what a timestamp holds. */
export function timestampInRange(micros: number): number {
  return Math.abs(micros) <= INTEGER_MAX ? micros : outOfRange();
}
/** timestamp(string): RFC 3339 with a zone. */
export function textToTimestamp(text: string): number {
  return parsed(timestampText().parse(text), text, "an RFC 3339 timestamp");
}
/** date(string): yyyy-MM-dd. */
export function textToDate(text: string): number {
  return parsed(dateText().parse(text), text, "a date (yyyy-MM-dd)");
}
/** duration(string): "1h30m", "100ms". */
export function textToDuration(text: string): number {
  return parsed(parseDuration(text), text, 'a duration such as "1h30m"');
}
/** timestamp(date): its first instant in UTC. */
export function dateToTimestamp(days: number): number {
  return timestampInRange(startOfDate(days));
}
/** date(timestamp, zone). */
export function timestampToDate(micros: number, zone: Zone = UTC): number {
  return dateOf(micros, zone);
}
/** date ± duration: whole days only, so that nothing is lost. */
export function addDays(days: number, micros: number): number {
  if (micros % 86_400e6 !== 0) throw new EvaluationError("range", "a date moves by whole days only");
  const moved = days + micros / 86_400e6;
  return moved >= DATE_MIN && moved <= DATE_MAX ? moved : outOfRange();
}
/** string(timestamp). */
export function timestampToText(micros: number): string {
  return timestampText().format(micros);
}
/** string(date). */
export function dateToText(days: number): string {
  return dateText().format(days);
}
/** string(duration): "5400s". */
export function durationToText(micros: number): string {
  return formatDurationSeconds(micros);
}
