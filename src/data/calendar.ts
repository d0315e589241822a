/**
 * The proleptic Gregorian calendar on days since 1970-01-01, after Howard Hinnant's "chrono-compatible low-level date
 * algorithms". Invariant: everything is integer arithmetic, so no time zone of the machine takes part.
 */

/** Days since 1970-01-01 of a valid date; month from 1. */
export function daysOf(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = ((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 | 0) + day - 1;
  const dayOfEra = yearOfEra * 365 + (yearOfEra / 4 | 0) - (yearOfEra / 100 | 0) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}
/** The date as year × 10000 + month × 100 + day, so that no object is made. */
export function packedDate(days: number): number {
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = (dayOfEra - (dayOfEra / 1460 | 0) + (dayOfEra / 36524 | 0) - (dayOfEra / 146096 | 0)) / 365 | 0;
  const dayOfYear = dayOfEra - (365 * yearOfEra + (yearOfEra / 4 | 0) - (yearOfEra / 100 | 0));
  const shiftedMonth = (5 * dayOfYear + 2) / 153 | 0;
  const day = dayOfYear - ((153 * shiftedMonth + 2) / 5 | 0) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return year * 10000 + month * 100 + day;
}
/** Whether the date exists; month from 1. */
export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}
/** 0001-01-01 and 9999-12-31: the dates a `date` covers. */
export const DATE_MIN = daysOf(1, 1, 1);
export const DATE_MAX = daysOf(9999, 12, 31);
