/** A hash of bytes for tables in memory: never stored, so that it may change. */

/** 32 bits, signed, of bytes[from, to): four bytes a step, every bit mixed into the low ones, which choose the place in a table. */
export function hashBytes(bytes: Uint8Array, from: number, to: number): number {
  let h = 0x811c_9dc5 ^ (to - from);
  const whole = to - 3;
  let i = from;
  for (; i < whole; i += 4) {
    h = Math.imul(h ^ (bytes[i] | bytes[i + 1] << 8 | bytes[i + 2] << 16 | bytes[i + 3] << 24), 0x9e37_79b1);
    h ^= h >>> 15;
  }
  for (; i < to; i++) h = Math.imul(h ^ bytes[i], 0x0100_0193);
  h = Math.imul(h ^ h >>> 16, 0x85eb_ca6b);
  return h ^ h >>> 13;
}
