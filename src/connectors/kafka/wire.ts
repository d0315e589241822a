/**
 * The protocol's plain fields, big-endian: how requests are built and responses are taken apart.
 *
 *   STRING := INT16 length, UTF-8; NULLABLE_STRING: length -1    BYTES := INT32 length, bytes    ARRAY := INT32 count, items
 *
 * Newer versions of a request have compact fields, whose lengths are base-128 numbers one above the length (0 stands for null), and tags
 * behind every group of fields: a count, then each tag's number and its bytes (KIP-482). We write none and pass over those we meet.
 *
 * Offsets are INT64 and become numbers: 2^53 records of one partition are out of reach.
 */
import { createWriter, putText, writeBytes } from "../../data/bytes.ts";
import type { ByteWriter } from "../../data/codec.ts";

const decoder = new TextDecoder();

/** Takes a response apart. Reading past its end throws a RangeError: the response is not what its version says. */
export class WireReader {
  readonly #view: DataView;
  at = 0;
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  int16(): number {
    return this.#view.getInt16((this.at += 2) - 2);
  }
  int32(): number {
    return this.#view.getInt32((this.at += 4) - 4);
  }
  bigInt64(): bigint {
    return this.#view.getBigInt64((this.at += 8) - 8);
  }
  int64(): number {
    return Number(this.bigInt64());
  }
  string(): string {
    return this.nullableString() ?? "";
  }
  nullableString(): string | null {
    const length = this.int16();
    return length < 0 ? null : decoder.decode(this.#take(length));
  }
  /** Passes over a STRING or a NULLABLE_STRING. */
  skipString(): void {
    this.#take(Math.max(0, this.int16()));
  }
  /** A view of the response; empty for null. */
  blob(): Uint8Array {
    return this.#take(Math.max(0, this.int32()));
  }
  array<T>(item: () => T): T[] {
    return this.#items(this.int32(), item);
  }
  skip(bytes: number): void {
    this.#take(bytes);
  }
  compactString(): string {
    return this.compactNullableString() ?? "";
  }
  compactNullableString(): string | null {
    const length = this.#unsigned() - 1;
    return length < 0 ? null : decoder.decode(this.#take(length));
  }
  compactArray<T>(item: () => T): T[] {
    return this.#items(this.#unsigned() - 1, item);
  }
  /** As text, in five groups of hexadecimal digits. */
  uuid(): string {
    const digits = Array.from(this.#take(16), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
  /** The tags behind a group of fields; `known` is given those of a number and reads no further than they go. */
  tags(known?: (tag: number, bytes: Uint8Array) => void): void {
    for (let left = this.#unsigned(); left > 0; left--) {
      const tag = this.#unsigned();
      const bytes = this.#take(this.#unsigned());
      known?.(tag, bytes);
    }
  }
  /** Every item takes a byte at least: a count beyond that is no count, and is refused before memory is taken for it. */
  #items<T>(count: number, item: () => T): T[] {
    if (count > this.bytes.length - this.at) throw new RangeError("the response ends early");
    const items: T[] = [];
    for (let left = count; left > 0; left--) items.push(item());
    return items;
  }
  #unsigned(): number {
    let value = 0;
    for (let unit = 1; unit < 2 ** 35; unit *= 128) {
      const byte = this.#view.getUint8(this.at++);
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
    throw new RangeError("a number of more than five bytes");
  }
  #take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw new RangeError("the response ends early");
    return this.bytes.subarray(this.at, this.at += length);
  }
}

/** What an ARRAY of (STRING topic  ARRAY of partitions) says of its partitions, one after the other. */
export function readTopics<T>(answer: WireReader, partition: () => T): T[] {
  return answer.array(() => {
    answer.skipString();
    return answer.array(partition);
  }).flat();
}

/** Builds a request. */
export class WireWriter {
  readonly #into: ByteWriter = createWriter(256);
  int8(value: number): this {
    const at = this.#room(1);
    this.#into.bytes[at] = value;
    return this;
  }
  int16(value: number): this {
    const at = this.#room(2);
    putInt16(this.#into.bytes, at, value);
    return this;
  }
  int32(value: number): this {
    const at = this.#room(4);
    putInt32(this.#into.bytes, at, value);
    return this;
  }
  int64(value: number): this {
    const at = this.#room(8);
    putInt64(this.#into.bytes, at, value);
    return this;
  }
  /** A producer's id: the one number that may lie beyond 2^53. */
  bigInt64(value: bigint): this {
    return this.int32(Number(BigInt.asIntN(32, value >> 32n))).int32(Number(BigInt.asIntN(32, value)));
  }
  /** As they are, without a length. */
  bytes(value: Uint8Array): this {
    writeBytes(this.#into, value);
    return this;
  }
  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }
  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    this.int16(0);
    const start = this.#into.length;
    this.#into.reserve(3 * value.length);
    this.#into.length = putText(this.#into.bytes, start, value);
    putInt16(this.#into.bytes, start - 2, this.#into.length - start);
    return this;
  }
  blob(value: Uint8Array): this {
    this.int32(value.length);
    writeBytes(this.#into, value);
    return this;
  }
  array<T>(items: readonly T[], item: (value: T) => void): this {
    this.int32(items.length);
    items.forEach(item);
    return this;
  }
  compactString(value: string): this {
    const bytes = new TextEncoder().encode(value);
    this.#unsigned(bytes.length + 1);
    writeBytes(this.#into, bytes);
    return this;
  }
  compactArray<T>(items: readonly T[], item: (value: T) => void): this {
    this.#unsigned(items.length + 1);
    items.forEach(item);
    return this;
  }
  /** The end of a group of fields of which none is a tag. */
  noTags(): this {
    return this.int8(0);
  }
  done(): Uint8Array {
    return this.#into.bytes.subarray(0, this.#into.length);
  }
  #unsigned(value: number): void {
    for (; value > 127; value = Math.floor(value / 128)) this.int8(value % 128 + 128);
    this.int8(value);
  }
  #room(bytes: number): number {
    this.#into.reserve(bytes);
    return (this.#into.length += bytes) - bytes;
  }
}

/** Big-endian, as the protocol writes it. */
export function putInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}
/** Big-endian, signed or unsigned. */
export function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 24;
  bytes[at + 1] = value >> 16;
  bytes[at + 2] = value >> 8;
  bytes[at + 3] = value;
}
/** Big-endian; any safe integer. */
export function putInt64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  putInt32(bytes, at, high | 0);
  putInt32(bytes, at + 4, (value - high * 0x1_0000_0000) | 0);
}
