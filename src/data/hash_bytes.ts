/**
 * Texts as keys, four bytes a step: hashes for tables in memory (never stored, so that they may change) and comparisons. Where the
 * length is no multiple of four, the last step reads the last four bytes, some of them again.
 */

const SEED = 0x811c_9dc5 | 0;

/** 32 bits, signed, of bytes [from, to); every bit is mixed into the low ones, which choose the place in a table. */
export function hashBytes(bytes: DataView, from: number, to: number): number {
  let h = SEED ^ to - from;
  if (to - from >= 4) {
    const last = to - 4;
    for (let at = from; at < last; at += 4) {
      h = Math.imul(h ^ bytes.getInt32(at, true), 0x9e37_79b1);
      h ^= h >>> 15;
    }
    h = Math.imul(h ^ bytes.getInt32(last, true), 0x9e37_79b1);
  } else for (let at = from; at < to; at++) h = Math.imul(h ^ bytes.getUint8(at), 0x0100_0193);
  h = Math.imul(h ^ h >>> 16, 0x85eb_ca6b);
  return h ^ h >>> 13;
}

/** Whether `length` bytes of both are the same. */
export function equalBytes(a: DataView, atA: number, b: DataView, atB: number, length: number): boolean {
  if (length < 4) {
    for (let i = 0; i < length; i++) if (a.getUint8(atA + i) !== b.getUint8(atB + i)) return false;
    return true;
  }
  const last = length - 4;
  for (let i = 0; i < last; i += 4) if (a.getInt32(atA + i, true) !== b.getInt32(atB + i, true)) return false;
  return a.getInt32(atA + last, true) === b.getInt32(atB + last, true);
}

/** Whether all bytes [from, to) are below 128. */
export function isAscii(bytes: DataView, from: number, to: number): boolean {
  if (to - from < 4) {
    for (let at = from; at < to; at++) if (bytes.getUint8(at) > 127) return false;
    return true;
  }
  const last = to - 4;
  let all = bytes.getInt32(last, true);
  for (let at = from; at < last; at += 4) all |= bytes.getInt32(at, true);
  return (all & 0x8080_8080) === 0;
}
