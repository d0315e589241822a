/**
 * The oracle's own numbers: money as BigInt hundredths, divided only with HALF_UP. Deliberately slow and obvious, and sharing nothing
 * with `src/`, so that a mistake there cannot repeat itself here.
 */

/** Text or a JSON number to hundredths; null where it is no number with at most two decimals. */
export function hundredths(value: unknown): bigint | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value));
  if (found === null) return null;
  const fraction = (found[3] ?? "").replace(/0+$/, "");
  if (fraction.length > 2) return null;
  const size = BigInt(found[2]) * 100n + BigInt(fraction.padEnd(2, "0"));
  return found[1] === "-" ? -size : size;
}

/** Hundredths as text with exactly two decimals. */
export function amountText(value: bigint): string {
  const size = value < 0n ? -value : value;
  return `${value < 0n ? "-" : ""}${size / 100n}.${String(size % 100n).padStart(2, "0")}`;
}

/** The double that is nearest to so many hundredths. */
export const asDouble = (value: bigint): number => Number(amountText(value));

/** total / count, to the nearest, ties away from zero. */
export function halfUp(total: bigint, count: bigint): bigint {
  const size = total < 0n ? -total : total;
  const rounded = (2n * size + count) / (2n * count);
  return total < 0n ? -rounded : rounded;
}

export const sum = (values: Iterable<bigint>): bigint => {
  let total = 0n;
  for (const value of values) total += value;
  return total;
};

const DAY_MICROS = 86_400_000_000;

/** RFC 3339 text in UTC with 0 to 6 digits of a second to microseconds; null where it is none. */
export function micros(value: unknown): number | null {
  if (typeof value !== "string") return null;
  const found = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(?:Z|\+00:00)$/.exec(value);
  if (found === null) return null;
  const seconds = Date.parse(`${found[1]}Z`);
  return Number.isNaN(seconds) ? null : seconds * 1000 + Number((found[2] ?? "").padEnd(6, "0"));
}
/** As the topics carry it: milliseconds, and the offset of UTC. */
export const timeText = (at: number): string => new Date(Math.floor(at / 1000)).toISOString().replace("Z", "+00:00");
export const wholeMilliseconds = (at: number): number => Math.floor(at / 1000) * 1000;
export const dayNumber = (at: number): number => Math.floor(at / DAY_MICROS);
export const hourNumber = (at: number): number => Math.floor(at / 3_600_000_000);
export const hourOfDay = (at: number): number => hourNumber(at) - 24 * dayNumber(at);
export const HOUR_MICROS = 3_600_000_000;
export { DAY_MICROS };
