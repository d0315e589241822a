/**
 * The partition of a key as Kafka's Java client chooses it: murmur2 of the key's bytes, sign bit cleared, modulo partitions.
 * So a key keeps its partition when a pipeline moves from the embedded log to Kafka.
 */
const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;

/** 32-bit signed, of bytes [from, to). */
export function murmur2(bytes: DataView, from: number, to: number): number {
  const length = to - from;
  let h = SEED ^ length;
  const whole = from + (length & ~3);
  for (let i = from; i < whole; i += 4) {
    let k = Math.imul(bytes.getInt32(i, true), M);
    k ^= k >>> 24;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = to - whole;
  if (rest === 3) h ^= bytes.getUint8(whole + 2) << 16;
  if (rest >= 2) h ^= bytes.getUint8(whole + 1) << 8;
  if (rest >= 1) h = Math.imul(h ^ bytes.getUint8(whole), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ h >>> 15;
}

export const partitionOfKey = (bytes: DataView, from: number, to: number, partitions: number): number =>
  (murmur2(bytes, from, to) & 0x7fffffff) % partitions;
