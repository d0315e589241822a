/**
 * The broker's own reading and writing of protocol fields, big-endian; imports nothing from src/, so that a misunderstanding there cannot
 * agree with itself here. Compact fields have base-128 lengths, one above the length; behind groups of them stand tags, of which none is used.
 */
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export class FieldReader {
  readonly #view: DataView;
  #at = 0;
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  int8(): number {
    return this.#view.getInt8(this.#at++);
  }
  int16(): number {
    return this.#view.getInt16((this.#at += 2) - 2);
  }
  int32(): number {
    return this.#view.getInt32((this.#at += 4) - 4);
  }
  int64(): bigint {
    return this.#view.getBigInt64((this.#at += 8) - 8);
  }
  text(): string | null {
    const length = this.int16();
    return length < 0 ? null : decoder.decode(this.take(length));
  }
  list<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item);
  }
  compactText(): string {
    return decoder.decode(this.take(this.unsigned() - 1));
  }
  compactList<T>(item: () => T): T[] {
    return Array.from({ length: this.unsigned() - 1 }, item);
  }
  noTags(): void {
    if (this.unsigned() !== 0) throw new Error("a request has tags that the broker does not know");
  }
  unsigned(): number {
    for (let value = 0, shift = 0;; shift += 7) {
      const byte = this.int8();
      value |= (byte & 127) << shift;
      if (byte >= 0) return value;
    }
  }
  /** Zigzag. */
  signed(): number {
    const value = this.unsigned();
    return value >>> 1 ^ -(value & 1);
  }
  take(length: number): Uint8Array {
    if (length < 0 || this.#at + length > this.bytes.length) throw new RangeError("a request ends early");
    return this.bytes.subarray(this.#at, this.#at += length);
  }
}

export class FieldWriter {
  readonly #bytes: number[] = [];
  int8(value: number): this {
    this.#bytes.push(value & 255);
    return this;
  }
  int16(value: number): this {
    return this.int8(value >> 8).int8(value);
  }
  int32(value: number): this {
    return this.int16(value >> 16).int16(value);
  }
  int64(value: bigint): this {
    return this.int32(Number(BigInt.asIntN(32, value >> 32n))).int32(Number(BigInt.asIntN(32, value)));
  }
  text(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = encoder.encode(value);
    return this.int16(bytes.length).raw(bytes);
  }
  list<T>(items: readonly T[], item: (value: T) => void): this {
    this.int32(items.length);
    items.forEach(item);
    return this;
  }
  compactText(value: string | null): this {
    if (value === null) return this.unsigned(0);
    const bytes = encoder.encode(value);
    return this.unsigned(bytes.length + 1).raw(bytes);
  }
  compactList<T>(items: readonly T[], item: (value: T) => void): this {
    this.unsigned(items.length + 1);
    items.forEach(item);
    return this;
  }
  noTags(): this {
    return this.unsigned(0);
  }
  unsigned(value: number): this {
    for (; value > 127; value >>>= 7) this.int8(value | 128);
    return this.int8(value);
  }
  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }
  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
