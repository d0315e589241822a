/**
 * Bytes of the engine's own KV values. A sealed value is
 *
 *   magic u32 | version u32 | length u32 (of the body) | crc32 u32 (of the body) | body
 *
 * little-endian. Invariant: `unseal` either returns exactly what `seal` was given or throws; a torn, foreign or newer value
 * is never misread.
 */
import { crc32 } from "node:zlib";
import { putText } from "../data/bytes.ts";
import { assert, MillraceError } from "../data/fault.ts";

const HEADER_BYTES = 16;
assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, "columns are stored in the machine's order, which must be little-endian");

/** Appends numbers and strings; grows by doubling. */
export class BinaryWriter {
  bytes: Uint8Array;
  length = 0;
  /** Of all of `bytes`. */
  view: DataView;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `more` bytes behind `length`. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  f64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** A typed array's memory, as it is. */
  raw(values: Uint8Array | Int32Array | Float64Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** UTF-8 with its length in front. */
  string(value: string): void {
    this.reserve(4 + value.length * 3);
    const from = this.length + 4;
    const to = putText(this.bytes, from, value);
    this.u32(to - from);
    this.length = to;
  }

  /** What was written so far; valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }
}
const DECODER = new TextDecoder("utf-8", { fatal: true });

/** Reads what BinaryWriter wrote; reading past the end throws. */
export class BinaryReader {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.at >= this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.at++);
  }

  u32(): number {
    const value = this.#view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  f64(): number {
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  string(): string {
    const length = this.u32();
    return DECODER.decode(this.take(length));
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    assert(this.at + length <= this.#bytes.length, "a stored value ends where its length says");
    const taken = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  int32s(count: number): Int32Array {
    return new Int32Array(this.take(count * 4).slice().buffer);
  }

  float64s(count: number): Float64Array {
    return new Float64Array(this.take(count * 8).slice().buffer);
  }
}

/** Names a kind of stored value. */
export interface Seal {
  readonly magic: number;
  readonly version: number;
  /** For messages: "lane head", "state". */
  readonly what: string;
}

/** The body with its header; a copy. */
export function seal(kind: Seal, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(sealed.buffer);
  view.setUint32(0, kind.magic, true);
  view.setUint32(4, kind.version, true);
  view.setUint32(8, body.length, true);
  view.setUint32(12, crc32(body), true);
  sealed.set(body, HEADER_BYTES);
  return sealed;
}

/** The body of a sealed value. Bytes behind the body are ignored: they are leftovers of a longer attempt at the same key. */
export function unseal(kind: Seal, sealed: Uint8Array): Uint8Array {
  if (sealed.length < HEADER_BYTES) throw corrupt(kind, `it has ${sealed.length} bytes`);
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (view.getUint32(0, true) !== kind.magic) throw corrupt(kind, "it does not begin as one");
  const version = view.getUint32(4, true);
  if (version !== kind.version) {
    throw new MillraceError("checkpoint_version", `the stored ${kind.what} has format ${version}; this program reads ${kind.version}`, {
      hint: "run the version of millrace that wrote it, or start over with --rerun",
    });
  }
  const length = view.getUint32(8, true);
  if (HEADER_BYTES + length > sealed.length) {
    throw corrupt(kind, `it should have ${length} bytes, ${sealed.length - HEADER_BYTES} are there`);
  }
  const body = sealed.subarray(HEADER_BYTES, HEADER_BYTES + length);
  if (crc32(body) !== view.getUint32(12, true)) throw corrupt(kind, "its checksum does not match");
  return body;
}

function corrupt(kind: Seal, why: string): MillraceError {
  return new MillraceError("checkpoint_corrupt", `the stored ${kind.what} cannot be read: ${why}`, {
    hint: "restore the state folder together with the outputs, or start over with --rerun",
  });
}
