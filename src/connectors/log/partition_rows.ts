/** The records of one open epoch for one partition, already in the form of frame bodies. */
import { createWriter, writeBytes } from "../../data/bytes.ts";
import type { Batch } from "../../data/batch.ts";
import type { ByteWriter, Encoder } from "../../data/codec.ts";
import { FRAME_BYTES_MAX } from "../limits.ts";
import { RECORD_PREFIX_BYTES } from "./frame.ts";

export interface FrameBody {
  readonly body: Uint8Array;
  readonly records: number;
}

export class PartitionRows {
  readonly #bytes: ByteWriter = createWriter(4 << 10);
  /** Ends of complete bodies and how many records they hold. */
  readonly #cuts: { end: number; records: number }[] = [];
  #records = 0;
  #cutEnd = 0;

  constructor(private readonly encode: Encoder) {}

  get bytes(): number {
    return this.#bytes.length;
  }

  append(batch: Batch, row: number, keys: Uint8Array, from: number, to: number): void {
    const into = this.#bytes;
    const start = into.length;
    const keyBytes = from < 0 ? -1 : to - from;
    into.reserve(RECORD_PREFIX_BYTES);
    into.length += RECORD_PREFIX_BYTES;
    if (keyBytes > 0) writeBytes(into, keys, from, to);
    const valueStart = into.length;
    this.encode(batch, row, into);
    into.length--; // Encoders end a line; here the length does.
    putInt32(into.bytes, start, into.length - valueStart);
    putInt32(into.bytes, start + 4, keyBytes);
    putFloat64(into.bytes, start + 8, batch.meta.origin[row]);
    this.#records++;
    if (into.length - this.#cutEnd >= FRAME_BYTES_MAX) this.#cut();
  }

  /** Views of this object's memory, valid until the next `append` or `clear`. */
  bodies(): FrameBody[] {
    this.#cut();
    let start = 0;
    return this.#cuts.map(({ end, records }) => {
      const body = this.#bytes.bytes.subarray(start, end);
      start = end;
      return { body, records };
    });
  }

  clear(): void {
    this.#bytes.length = 0;
    this.#cuts.length = 0;
    this.#records = 0;
    this.#cutEnd = 0;
  }

  #cut(): void {
    if (this.#records === 0) return;
    this.#cuts.push({ end: this.#bytes.length, records: this.#records });
    this.#records = 0;
    this.#cutEnd = this.#bytes.length;
  }
}

function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
  bytes[at + 2] = value >> 16;
  bytes[at + 3] = value >> 24;
}

const DOUBLE = new DataView(new ArrayBuffer(8));
function putFloat64(bytes: Uint8Array, at: number, value: number): void {
  DOUBLE.setFloat64(0, value, true);
  putInt32(bytes, at, DOUBLE.getInt32(0, true));
  putInt32(bytes, at + 4, DOUBLE.getInt32(4, true));
}
