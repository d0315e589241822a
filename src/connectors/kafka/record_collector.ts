/**
 * The records of a batch's body (grammar: record_batches.ts) as slices. Invariants: a record lies within its batch and its offset behind
 * that of the one before, else a RangeError is thrown; what stands between two values is overwritten.
 */
import { RECORD_BYTES_MAX, ROWS_PER_CALL } from "../../data/limits.ts";
import { COPY_SLACK, copyWords, viewOf } from "../../data/words.ts";

/** Header that carries a record's place in the producer's own source: decimal text, or eight bytes big-endian. */
export const ORIGIN_HEADER = "millrace-origin";
const ORIGIN_BYTES = new TextEncoder().encode(ORIGIN_HEADER);
/** What one store clears, and up to where stores are quicker than a call. */
const CLEARED_BYTES = 8;
const CLEARED_BY_WORDS_MAX = 128;
/** Bits of a varint's first two bytes taken together: a third one follows, or the number is negative. */
const NOT_SHORT = 0x4001;

/** Records of a partition: values in `bytes`, in order, with the offset of each; behind the last may be anything. A null value is an empty slice. */
export interface RecordSlices {
  readonly bytes: Uint8Array;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly offset: Float64Array;
  /** The same array as `offset` where no record tells another origin. */
  readonly origin: Float64Array;
  readonly rows: number;
  /** Ascending rows over the length limit. */
  readonly tooLong: readonly number[];
  /** Keys of the records without a value, by row. */
  readonly keys: ReadonlyMap<number, Uint8Array>;
  /** Everything before it is covered: one behind the last offset of the last whole batch, or the wished offset. */
  readonly nextOffset: number;
}
/** A whole record batch whose checksum is right. */
export interface RecordBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly codec: number;
  /** In the bytes of the request. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

/** Takes the bodies of record batches apart, one after the other. */
export class RecordCollector {
  #start: Int32Array;
  #end: Int32Array;
  #offset: Float64Array;
  /** The offsets themselves as long as no record tells another place. */
  #origin: Float64Array;
  readonly #tooLong: number[] = [];
  readonly #keys = new Map<number, Uint8Array>();
  #rows = 0;
  /** Where the last value ends; -1 before the first. */
  #at = -1;
  readonly #view: DataView;
  constructor(private readonly into: Uint8Array, count: number, private readonly from: number) {
    this.#view = viewOf(into);
    this.#start = new Int32Array(count);
    this.#end = new Int32Array(count);
    this.#offset = new Float64Array(count);
    this.#origin = this.#offset;
  }

  /** Takes a body apart; it may lie in the memory that the values are told in, behind those that were told. */
  add(body: Uint8Array, batch: RecordBatch): void {
    const cursor = new Varints(body, 0);
    let before = batch.baseOffset - 1;
    for (let i = 0; i < batch.count;) {
      const count = Math.min(ROWS_PER_CALL, batch.count - i);
      const plain = this.#plain(cursor, count, before, batch);
      before = plain > 0 ? this.#offset[this.#rows - 1] : this.#some(cursor, count, before, batch);
      i += plain > 0 ? plain : count;
    }
  }

  /**
   * Takes records as most are, at most so many: not compressed, lengths of one or two bytes, no headers. Leaves any other, and what is
   * damaged, to `#some`; gives how many it took.
   */
  #plain(cursor: Varints, count: number, last: number, { baseOffset, lastOffset }: RecordBatch): number {
    const body = cursor.bytes;
    const bytes = this.into;
    if (body.buffer !== bytes.buffer || this.#rows + count > this.#start.length) return 0;
    const shift = body.byteOffset - bytes.byteOffset;
    const bodyEnd = shift + body.length;
    const view = this.#view;
    const start = this.#start;
    const end = this.#end;
    const offset = this.#offset;
    const first = this.#rows;
    const leastDelta = this.from - baseOffset;
    const mostDelta = lastOffset - baseOffset;
    let row = first;
    let deltaBefore = last - baseOffset;
    let valueEnd = this.#at;
    let at = shift + cursor.at;
    for (const to = first + count; row < to; row++) {
      let p = at;
      let length = bytes[p++];
      if (length > 127) length = length & 127 | bytes[p++] << 7;
      const recordEnd = p + (length >> 1);
      if ((length & NOT_SHORT) !== 0 || recordEnd > bodyEnd) break;
      p++; // attributes
      while (bytes[p++] > 127); // timestamp
      let delta = bytes[p++];
      if (delta > 127) delta = delta & 127 | bytes[p++] << 7;
      if ((delta & NOT_SHORT) !== 0) break;
      delta >>= 1;
      if (delta <= deltaBefore || delta > mostDelta || delta < leastDelta) break;
      const keyBytes = bytes[p++];
      if (keyBytes > 127 || (keyBytes & 1) !== 0 && keyBytes !== 1) break;
      p += keyBytes >> 1;
      let valueBytes = bytes[p++];
      if (valueBytes > 127) valueBytes = valueBytes & 127 | bytes[p++] << 7;
      if ((valueBytes & NOT_SHORT) !== 0 || valueBytes === 0) break;
      const value = p;
      p += valueBytes >> 1;
      // Behind it stands how many headers there are.
      if (p >= recordEnd || bytes[p] !== 0) break;
      if (valueEnd >= 0) clear(bytes, view, valueEnd, value);
      start[row] = value;
      end[row] = valueEnd = p;
      offset[row] = baseOffset + delta;
      deltaBefore = delta;
      at = recordEnd;
    }
    if (this.#origin !== offset) this.#origin.set(offset.subarray(first, row), first);
    this.#rows = row;
    this.#at = valueEnd;
    cursor.at = at - shift;
    return row - first;
  }

  /** Takes so many records; gives the offset of the last one. */
  #some(cursor: Varints, count: number, last: number, { baseOffset, lastOffset }: RecordBatch): number {
    const body = cursor.bytes;
    const view = viewOf(body);
    const shift = body.buffer === this.into.buffer ? body.byteOffset - this.into.byteOffset : -1;
    let before = last;
    for (let i = 0; i < count; i++) {
      const length = cursor.next();
      const end = cursor.at + length;
      if (length < 0 || end > body.length) throw new RangeError("record length");
      cursor.at++;
      cursor.skip();
      const offset = baseOffset + cursor.next();
      // Positions count on it: a record out of order would be passed over, or read twice, by who goes on from one.
      if (offset <= before || offset > lastOffset) throw new RangeError("record offset");
      before = offset;
      const keyBytes = cursor.next();
      const key = cursor.at;
      cursor.at += Math.max(0, keyBytes);
      const valueBytes = Math.max(0, cursor.next());
      const value = cursor.at;
      if (value + valueBytes > end) throw new RangeError("value length");
      if (offset >= this.from) {
        const row = this.#rows++;
        cursor.at = value + valueBytes;
        const origin = cursor.at < end && body[cursor.at] === 0 ? offset : readOrigin(body, cursor, end) ?? offset;
        if (valueBytes === 0 && keyBytes >= 0) this.#keys.set(row, body.slice(key, key + keyBytes));
        if (valueBytes > RECORD_BYTES_MAX) this.#tooLong.push(row);
        if (shift >= 0 && this.#at >= 0) clear(this.into, this.#view, this.#at, shift + value);
        const start = shift >= 0 ? shift + value : this.#copy(view, value, valueBytes);
        this.#start[row] = start;
        this.#end[row] = this.#at = start + valueBytes;
        this.#offset[row] = offset;
        if (origin !== offset || this.#origin !== this.#offset) this.#putOrigin(row, origin);
      }
      cursor.at = end;
    }
    return before;
  }

  #putOrigin(row: number, origin: number): void {
    if (this.#origin === this.#offset) this.#origin = this.#offset.slice();
    this.#origin[row] = origin;
  }

  done(nextOffset: number): RecordSlices {
    const rows = this.#rows;
    const offset = this.#offset.subarray(0, rows);
    return {
      bytes: this.into,
      start: this.#start.subarray(0, rows),
      end: this.#end.subarray(0, rows),
      offset,
      origin: this.#origin === this.#offset ? offset : this.#origin.subarray(0, rows),
      rows,
      tooLong: this.#tooLong,
      keys: this.#keys,
      nextOffset,
    };
  }

  /** Behind the value before; gives where. */
  #copy(body: DataView, value: number, valueBytes: number): number {
    const start = Math.max(0, this.#at);
    const hasSlack = start + valueBytes + COPY_SLACK <= this.into.length && value + valueBytes + COPY_SLACK <= body.byteLength;
    if (hasSlack) copyWords(this.#view, start, body, value, value + valueBytes);
    else this.into.set(new Uint8Array(body.buffer, body.byteOffset + value, valueBytes), start);
    return start;
  }
}

/**
 * Overwrites what stands between two values, which is read by now: texts of many records are decoded at once where all is ASCII, and
 * lengths hardly ever are.
 */
function clear(bytes: Uint8Array, view: DataView, from: number, to: number): void {
  const last = to - CLEARED_BYTES;
  if (last < from || last > from + CLEARED_BY_WORDS_MAX) bytes.fill(0, from, to);
  else {
    for (let at = from; at < last; at += CLEARED_BYTES) view.setFloat64(at, 0);
    view.setFloat64(last, 0);
  }
}

/** The origin header's number; null where there is none that makes sense. */
function readOrigin(body: Uint8Array, cursor: Varints, end: number): number | null {
  const headers = cursor.next();
  for (let i = 0; i < headers; i++) {
    const keyBytes = cursor.next();
    const key = cursor.at;
    cursor.at += Math.max(0, keyBytes);
    const valueBytes = Math.max(0, cursor.next());
    const value = cursor.at;
    cursor.at += valueBytes;
    if (cursor.at > end) throw new RangeError("header length");
    if (keyBytes === ORIGIN_BYTES.length && isOriginKey(body, key)) return parseOrigin(body, value, value + valueBytes);
  }
  return null;
}

function isOriginKey(body: Uint8Array, at: number): boolean {
  for (let i = 0; i < ORIGIN_BYTES.length; i++) if (body[at + i] !== ORIGIN_BYTES[i]) return false;
  return true;
}

function parseOrigin(bytes: Uint8Array, from: number, to: number): number | null {
  let value = 0;
  let isText = to > from && to - from <= 16;
  for (let i = from; i < to && isText; i++) {
    const digit = bytes[i] - 48;
    if (digit < 0 || digit > 9) isText = false;
    value = value * 10 + digit;
  }
  if (!isText) {
    if (to - from !== 8) return null;
    value = Number(new DataView(bytes.buffer, bytes.byteOffset + from, 8).getBigInt64(0));
  }
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** Reads zigzag varints of up to 32 bits; past the end of the bytes it throws a RangeError. */
export class Varints {
  constructor(readonly bytes: Uint8Array, public at: number) {}
  next(): number {
    const { bytes } = this;
    let value = bytes[this.at++];
    if (value > 127) {
      const second = bytes[this.at++];
      value = second > 127 ? this.#long() : value & 127 | second << 7;
    }
    if (this.at > bytes.length) throw new RangeError("varint");
    return value >>> 1 ^ -(value & 1);
  }
  /** One of more than two bytes, which were passed. Not in the way of the others, whose code is short. */
  #long(): number {
    let value = 0;
    this.at -= 2;
    for (let shift = 0;; shift += 7) {
      if (shift > 28) throw new RangeError("varint");
      const byte = this.bytes[this.at++];
      value |= (byte & 127) << shift;
      if (!(byte > 127)) return value;
    }
  }
  /** A varint of up to 64 bits that nobody wants to know. */
  skip(): void {
    while (this.bytes[this.at++] > 127);
  }
}
