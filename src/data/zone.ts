/**
 * Time zones: the offset of local time from UTC, from the runtime's IANA data through Intl, or fixed ("+05:30"). Invariant:
 * a local time that the zone skips or repeats has no instant here; guessing one would move money between days.
 */

/** Seconds only: no zone has ever had a fraction of one. */
export interface Zone {
  readonly name: string;
  /** Local time minus UTC at an instant. */
  offsetSeconds(utcSeconds: number): number;
  /** The instant of a local time (written as if it were UTC); NaN when it does not exist or exists twice. */
  utcSeconds(localSeconds: number): number;
}

const DAY = 86400;
/** No local time has been further from UTC (Manila and Alaska, 15 h 14 min, before they changed sides of the date line). */
const OFFSET_MAX = 16 * 3600;
/** Days remembered per zone before forgetting all: a stream touches few. */
const DAYS_KEPT_MAX = 4096;

class FixedZone implements Zone {
  readonly name: string;
  readonly #offset: number;
  constructor(name: string, offset: number) {
    this.name = name;
    this.#offset = offset;
  }
  offsetSeconds(): number {
    return this.#offset;
  }
  utcSeconds(localSeconds: number): number {
    return localSeconds - this.#offset;
  }
}

/** One UTC day: `before` holds up to the change at `change`, `after` from there. */
interface DayOffsets {
  readonly before: number;
  readonly change: number;
  readonly after: number;
}

class NamedZone implements Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, DayOffsets>();
  #lastDay = NaN;
  #last: DayOffsets = { before: 0, change: Infinity, after: 0 };

  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  offsetSeconds(utcSeconds: number): number {
    const day = Math.floor(utcSeconds / DAY);
    if (day !== this.#lastDay) {
      this.#last = this.#days.get(day) ?? this.#explore(day);
      this.#lastDay = day;
    }
    return utcSeconds < this.#last.change ? this.#last.before : this.#last.after;
  }

  utcSeconds(localSeconds: number): number {
    const early = this.offsetSeconds(localSeconds - OFFSET_MAX);
    const late = this.offsetSeconds(localSeconds + OFFSET_MAX);
    const first = localSeconds - early;
    const firstFits = this.offsetSeconds(first) === early;
    if (early === late) return firstFits ? first : NaN;
    const second = localSeconds - late;
    if (this.offsetSeconds(second) !== late) return firstFits ? first : NaN;
    return firstFits ? NaN : second;
  }

  /** Asks Intl at both ends of the day and, where they differ, finds the second of the change by halving. */
  #explore(day: number): DayOffsets {
    let low = day * DAY;
    let high = low + DAY;
    const before = this.#ask(low);
    const after = this.#ask(high);
    if (before === after) high = Infinity;
    else {
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (this.#ask(middle) === before) low = middle;
        else high = middle;
      }
    }
    const found = { before, change: high, after };
    if (this.#days.size >= DAYS_KEPT_MAX) this.#days.clear();
    this.#days.set(day, found);
    return found;
  }

  #ask(utcSeconds: number): number {
    const parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of this.#format.formatToParts(utcSeconds * 1000)) {
      if (type in parts) parts[type as keyof typeof parts] = Number(value);
    }
    return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) / 1000 - utcSeconds;
  }
}

/** Coordinated universal time. */
export const UTC: Zone = new FixedZone("UTC", 0);
const zones = new Map<string, Zone | null>([["UTC", UTC], ["Z", UTC], ["", UTC]]);
const ZONES_KEPT_MAX = 1024;

/** The zone of an IANA name ("Europe/Berlin") or a fixed offset ("+05:30", "-08:00", "02:00"); null when there is none. */
export function zoneOf(name: string): Zone | null {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = fixedZone(name) ?? namedZone(name);
  if (zones.size < ZONES_KEPT_MAX) zones.set(name, zone);
  return zone;
}
function fixedZone(name: string): Zone | null {
  const match = /^([+-]?)([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(name);
  if (match === null) return null;
  const offset = Number(match[2]) * 3600 + Number(match[3]) * 60;
  return new FixedZone(name, match[1] === "-" ? 0 - offset : offset);
}
function namedZone(name: string): Zone | null {
  // Intl also takes offsets in forms of its own; only names are wanted here.
  if (!/^[A-Za-z]/.test(name)) return null;
  try {
    return new NamedZone(name);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
