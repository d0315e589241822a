/**
 * Durations as text: whole microseconds, written as a sum of units ("1h30m", "100ms", "-1.5s", "7d"). Invariant: parsing is
 * exact; what is finer than a microsecond is refused, never rounded.
 */
import { INTEGER_MAX } from "./limits.ts";
import { NOT_THE_TYPE, OUT_OF_RANGE, TOO_MANY_DECIMALS } from "./parse_failure.ts";

/** Nanoseconds, so that "1500ns" and "1.5us" are refused alike. */
const UNITS: Readonly<Record<string, bigint>> = {
  d: 86_400_000_000_000n,
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  "µs": 1_000n,
  ns: 1n,
};
const WHOLE = /^([+-]?)((?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|s|m|h|d))+)$/;
const TERM = /([0-9]+)(?:\.([0-9]+))?(ns|us|µs|ms|s|m|h|d)/g;

/** Microseconds, or a failure of parse_failure.ts. "0" needs no unit. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  const match = text.length <= 200 ? WHOLE.exec(text) : null;
  if (match === null) return NOT_THE_TYPE;
  let nanos = 0n;
  for (const [, whole, fraction = "", unit] of match[2].matchAll(TERM)) {
    const scaled = BigInt(whole + fraction) * UNITS[unit];
    const divisor = 10n ** BigInt(fraction.length);
    if (scaled % divisor !== 0n) return TOO_MANY_DECIMALS;
    nanos += scaled / divisor;
  }
  if (nanos % 1000n !== 0n) return TOO_MANY_DECIMALS;
  const micros = Number(nanos / 1000n);
  if (micros > INTEGER_MAX) return OUT_OF_RANGE;
  return match[1] === "-" ? 0 - micros : micros;
}

const WRITTEN: readonly (readonly [string, number])[] = [["d", 86_400e6], ["h", 3_600e6], ["m", 60e6], ["s", 1e6], ["ms", 1e3], ["us", 1]];

/** "1h30m", "-250ms", "0s": the fewest whole units, largest first. */
export function formatDuration(micros: number): string {
  if (micros === 0) return "0s";
  let rest = Math.abs(micros);
  let text = micros < 0 ? "-" : "";
  for (const [unit, size] of WRITTEN) {
    const count = Math.floor(rest / size);
    if (count > 0) text += count + unit;
    rest -= count * size;
  }
  return text;
}
/** "5400s", "-0.25s": the form of CEL's string(duration) and of Protobuf's JSON. */
export function formatDurationSeconds(micros: number): string {
  const size = Math.abs(micros);
  const whole = Math.floor(size / 1e6);
  const fraction = String(size - whole * 1e6).padStart(6, "0").replace(/0+$/, "");
  return (micros < 0 ? "-" : "") + whole + (fraction === "" ? "" : "." + fraction) + "s";
}
