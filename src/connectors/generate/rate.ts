/** Rates as text: "1/s", "0.1/s", "30/m", "max". */

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const RATE_LEAST = 1 / 3600;
const RATE_MOST = 1e6;
/** What `max` counts as where time must be given to records: one microsecond each. */
export const RATE_UNBOUND_PER_SECOND = 1e6;
export const RATE_FORMS = 'write for example "1/s", "0.1/s", "30/m", or "max" for as fast as it is taken';

/** Records per second, Infinity for "max"; null where the text says none, or one that is out of bounds. */
export function parseRate(text: string): number | null {
  if (text === "max") return Infinity;
  const match = /^(\d{1,7}(?:\.\d{1,6})?)(?:\/([smh]))?$/.exec(text);
  if (!match) return null;
  const rate = Number(match[1]) / UNIT_SECONDS[match[2] ?? "s"];
  return rate >= RATE_LEAST && rate <= RATE_MOST ? rate : null;
}

/** Time of record `number` after record 0 where all are evenly spaced, whole microseconds; exact for every rate whose interval is a whole number of them. */
export function evenOffsetMicros(number: number, rate: number): number {
  return Math.round(number * (1e6 / Math.min(rate, RATE_UNBOUND_PER_SECOND)));
}
