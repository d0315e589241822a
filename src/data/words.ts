/**
 * Bytes by words: the tests and copies that the codecs make four and eight bytes at a time. Views are little-endian; the
 * positions need no alignment.
 */

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The bytes and up to `more` of the memory behind them, whose content means nothing. */
export function withSpare({ buffer, byteOffset, length }: Uint8Array, more: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset, Math.min(length + more, buffer.byteLength - byteOffset));
}

/** Bytes that `copyWords` may read and write behind the last one asked for. */
export const COPY_SLACK = 16;

/**
 * Copies bytes[from, to) to `at`; both sides have COPY_SLACK bytes more. A turn reads all its bytes before it writes: a processor that is
 * asked to read just behind a write waits until it knows that the two do not meet.
 */
export function copyWords(target: DataView, at: number, bytes: DataView, from: number, to: number): void {
  for (let i = from; i < to; i += 16) {
    const first = bytes.getBigUint64(i, true);
    const second = bytes.getBigUint64(i + 8, true);
    target.setBigUint64(at, first, true);
    target.setBigUint64(at + 8, second, true);
    at += 16;
  }
}

/** Copies `length` bytes by four, touching no others: for short texts, of which `set` of a subarray would make an object each. */
export function copyBytes(target: DataView, at: number, bytes: DataView, from: number, length: number): void {
  if (length < 4) {
    for (let i = 0; i < length; i++) target.setUint8(at + i, bytes.getUint8(from + i));
    return;
  }
  const last = length - 4;
  for (let i = 0; i < last; i += 4) target.setInt32(at + i, bytes.getInt32(from + i, true), true);
  target.setInt32(at + last, bytes.getInt32(from + last, true), true);
}
