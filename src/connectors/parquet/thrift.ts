/**
 * Thrift's compact protocol, as far as Parquet's metadata needs it (apache/thrift, doc/specs/thrift-compact-protocol.md).
 * Invariant: fields of a struct are written in the order of their ids, all of them small.
 */
import { createWriter, written } from "../../data/bytes.ts";
import type { ByteWriter } from "../../data/codec.ts";

const TYPE = { true: 1, false: 2, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;
type ElementType = "i32" | "binary" | "struct";

export class ThriftWriter {
  readonly #into: ByteWriter = createWriter(256);
  /** Ids of the newest field of each open struct. */
  readonly #fields: number[] = [];

  struct(body: () => void): void {
    this.#fields.push(0);
    body();
    this.#fields.pop();
    this.#byte(0);
  }
  i32(id: number, value: number): void {
    this.#field(id, TYPE.i32);
    this.#zigzag(value);
  }
  /** Within ±(2^53-1). */
  i64(id: number, value: number): void {
    this.#field(id, TYPE.i64);
    this.#zigzag(value);
  }
  bool(id: number, value: boolean): void {
    this.#field(id, value ? TYPE.true : TYPE.false);
  }
  binary(id: number, bytes: Uint8Array): void {
    this.#field(id, TYPE.binary);
    this.#bytes(bytes);
  }
  text(id: number, text: string): void {
    this.binary(id, new TextEncoder().encode(text));
  }
  field(id: number, body: () => void): void {
    this.#field(id, TYPE.struct);
    this.struct(body);
  }
  list<T>(id: number, type: ElementType, items: readonly T[], each: (item: T) => void): void {
    this.#field(id, TYPE.list);
    if (items.length < 15) this.#byte(items.length << 4 | TYPE[type]);
    else {
      this.#byte(0xf0 | TYPE[type]);
      this.#varint(items.length);
    }
    for (const item of items) each(item);
  }
  /** Elements of lists. */
  i32Element(value: number): void {
    this.#zigzag(value);
  }
  textElement(text: string): void {
    this.#bytes(new TextEncoder().encode(text));
  }

  finish(): Uint8Array {
    return written(this.#into).slice();
  }

  #field(id: number, type: number): void {
    const last = this.#fields.length - 1;
    this.#byte((id - this.#fields[last]) << 4 | type);
    this.#fields[last] = id;
  }
  #bytes(bytes: Uint8Array): void {
    this.#varint(bytes.length);
    this.#into.reserve(bytes.length);
    this.#into.bytes.set(bytes, this.#into.length);
    this.#into.length += bytes.length;
  }
  #zigzag(value: number): void {
    this.#varint(value < 0 ? -2 * value - 1 : 2 * value);
  }
  #varint(value: number): void {
    while (value > 127) {
      this.#byte(value % 128 | 128);
      value = Math.floor(value / 128);
    }
    this.#byte(value);
  }
  #byte(value: number): void {
    this.#into.reserve(1);
    this.#into.bytes[this.#into.length++] = value;
  }
}
