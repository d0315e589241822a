/**
 * Cuts what one connection gives into whole lines. Invariant: every byte received belongs to exactly one line, one refused line or
 * the tail; of a line that is too long the beginning is kept and the rest skipped.
 */
import { FRAME_LINES_BYTES_MAX, RECEIVE_BYTES } from "../limits.ts";
import type { FrameKind } from "../journal/frame.ts";

const LF = 10;

/** What goes into one frame. The bytes are valid until the next `take`. */
export interface Cut {
  readonly kind: FrameKind;
  readonly records: number;
  readonly body: Uint8Array;
}

export class LineCutter {
  #buffer: Uint8Array;
  /** Bytes of the unfinished line at the beginning of the buffer. */
  #carried = 0;
  /** The rest of a line that is too long is being skipped. */
  #skipping = false;
  readonly #lineBytesMax: number;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
    this.#buffer = new Uint8Array(lineBytesMax + RECEIVE_BYTES);
  }

  /** Where the next bytes are to be received. */
  get room(): Uint8Array {
    return this.#buffer.subarray(this.#carried);
  }

  /** Takes `count` bytes that were received into `room`. Copies what it gives, so receiving may go on at once. */
  take(count: number): Cut[] {
    const buffer = this.#buffer;
    const end = this.#carried + count;
    const cuts: Cut[] = [];
    let from = 0;
    if (this.#skipping) {
      const lineEnd = buffer.subarray(0, end).indexOf(LF);
      if (lineEnd < 0) {
        this.#carried = 0;
        return cuts;
      }
      this.#skipping = false;
      from = lineEnd + 1;
    }
    from = this.#cutLines(from, end, cuts);
    if (end - from > this.#lineBytesMax) {
      cuts.push({ kind: "too_long", records: 1, body: buffer.slice(from, from + this.#lineBytesMax) });
      this.#skipping = true;
      from = end;
    }
    buffer.copyWithin(0, from, end);
    this.#carried = end - from;
    return cuts;
  }

  /** The connection has ended: what is left is no record. Afterwards the cutter is as new. */
  tail(): Cut | null {
    const body = this.#buffer.slice(0, this.#carried);
    this.#carried = 0;
    this.#skipping = false;
    return body.length > 0 ? { kind: "truncated_tail", records: 1, body } : null;
  }

  /** Gives the whole lines of [from, end) and returns where they end. */
  #cutLines(from: number, end: number, cuts: Cut[]): number {
    const buffer = this.#buffer;
    let start = from;
    let records = 0;
    let at = from;
    const flush = (): void => {
      if (records > 0) cuts.push({ kind: "lines", records, body: buffer.slice(start, at) });
      start = at;
      records = 0;
    };
    for (let lineEnd = buffer.indexOf(LF, at); lineEnd >= 0 && lineEnd < end; lineEnd = buffer.indexOf(LF, at)) {
      if (lineEnd - at > this.#lineBytesMax) {
        flush();
        cuts.push({ kind: "too_long", records: 1, body: buffer.slice(at, at + this.#lineBytesMax) });
        start = lineEnd + 1;
      } else records++;
      at = lineEnd + 1;
      if (at - start >= FRAME_LINES_BYTES_MAX) flush();
    }
    flush();
    return at;
  }
}
