/**
 * Parquet's run length and bit packing hybrid (apache/parquet-format, Encodings.md): a run is a varint, its lowest bit telling the
 * kind. One run is written: repeated where all values are equal, else bit-packed in groups of eight.
 */

/** Bits that values below `count` take. */
export const bitWidthOf = (count: number): number => count <= 1 ? 0 : 32 - Math.clz32(count - 1);

/** Small integers, packed from the lowest bit on. */
export function encodeHybrid(values: Int32Array | Uint8Array, bitWidth: number): Uint8Array {
  if (values.every((value) => value === values[0])) return repeated(values[0] ?? 0, values.length, bitWidth);
  const groups = values.length + 7 >> 3;
  const front = varint(groups * 2 + 1);
  const packed = new Uint8Array(front.length + groups * bitWidth);
  packed.set(front);
  let at = front.length;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < values.length; i++) {
    held |= values[i] << bits;
    bits += bitWidth;
    while (bits >= 8) {
      packed[at++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) packed[at] = held;
  return packed;
}

function repeated(value: number, count: number, bitWidth: number): Uint8Array {
  const bytes = [...varint(count * 2)];
  for (let bits = 0; bits < bitWidth; bits += 8) bytes.push(value >>> bits & 255);
  return Uint8Array.from(bytes);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  bytes.push(value);
  return Uint8Array.from(bytes);
}
