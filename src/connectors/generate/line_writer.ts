/**
 * Text lines under construction as bytes: generated files are written without a string per row. Invariant: everything
 * written is ASCII or was encoded before.
 */
import { encodeText } from "../../data/bytes.ts";

const CHUNK_BYTES = 1 << 16;
/** Room kept free behind the last line, so that no write within a line checks bounds. */
const LINE_BYTES_MAX = 2048;
const ZERO = 48;
const encoder = new TextEncoder();

/** Encodes a fragment once, for `LineWriter.bytes`. */
export function fragment(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Collects lines into chunks of about 64 KiB. A line must stay below 2 KiB. */
export class LineWriter {
  #chunk = new Uint8Array(CHUNK_BYTES + LINE_BYTES_MAX);
  #length = 0;

  /** True when the chunk should be taken; call between lines. */
  get full(): boolean {
    return this.#length >= CHUNK_BYTES;
  }
  /** A copy of what was written; the writer is empty afterwards. */
  take(): Uint8Array {
    const taken = this.#chunk.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
  byte(code: number): void {
    this.#chunk[this.#length++] = code;
  }
  bytes(bytes: Uint8Array): void {
    const chunk = this.#chunk;
    let to = this.#length;
    for (let from = 0; from < bytes.length; from++) chunk[to++] = bytes[from];
    this.#length = to;
  }
  text(text: string): void {
    this.#length += encodeText(text, this.#chunk.subarray(this.#length));
  }
  /** A whole number of at least 0. */
  integer(value: number): void {
    let width = 1;
    for (let rest = Math.floor(value / 10); rest > 0; rest = Math.floor(rest / 10)) width++;
    this.digits(value, width);
  }
  /** A whole number with leading zeros. */
  digits(value: number, width: number): void {
    let rest = value;
    for (let at = this.#length + width - 1; at >= this.#length; at--) {
      const next = Math.floor(rest / 10);
      this.#chunk[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.#length += width;
  }
  /** Cents with one or two decimals, as a spreadsheet would write them: 131.76, 5914.2, 100.0. */
  money(cents: number): void {
    const size = Math.abs(cents);
    if (cents < 0) this.byte(45);
    const whole = Math.floor(size / 100);
    const rest = size - whole * 100;
    this.integer(whole);
    this.byte(46);
    if (rest % 10 === 0) this.byte(ZERO + rest / 10);
    else this.digits(rest, 2);
  }
}
