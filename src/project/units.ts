/** Sizes of settings, and how sizes and durations are written: a number with its unit, so that no reader has to guess. */

const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1_000,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/** How durations are written, for hints. */
export const DURATION_FORMS = 'a duration is a number with a unit: "100ms", "10s", "5m", "1h30m", "7d"';
/** How sizes are written, for hints. */
export const SIZE_FORMS = 'a size is a number with a unit: "64KiB", "128MiB", "10MB"';

/** "64KiB" in bytes; null when it is not a size. */
export function parseSizeBytes(text: string): number | null {
  const parts = /^(\d+)\s*([A-Za-z]+)$/.exec(text);
  if (!parts || !Object.hasOwn(BYTES, parts[2])) return null;
  const bytes = Number(parts[1]) * BYTES[parts[2]];
  return Number.isSafeInteger(bytes) ? bytes : null;
}
