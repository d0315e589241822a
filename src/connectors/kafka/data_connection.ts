/**
 * Connections to brokers that want neither TLS nor a login: long pieces of requests are not copied, and a large response arrives in the
 * memory that it is read from. A write costs as much as some hundred records, here and at the broker, so there are few. Other brokers are
 * reached by the library (library_connection.ts).
 *
 *   request  := INT32 length of what follows  INT16 api  INT16 version  INT32 correlation id  STRING client id  body
 *   response := INT32 length of what follows  INT32 correlation id  body
 *
 * Invariant: a broker answers the requests of a connection in their order; whatever breaks that ends the connection and every request
 * on it.
 */
import { assert } from "../../data/fault.ts";
import type { Clock, Connection } from "../../ports/mod.ts";
import type { Broker } from "./connection_settings.ts";
import { unreachable, WantsTls } from "./errors.ts";
import { RESPONSE_BYTES_MAX } from "./limits.ts";
import { putInt32, WireWriter } from "./wire.ts";

/** One connection to one broker. */
export interface DataConnection {
  readonly isOpen: boolean;
  /**
   * The body of the response to a request of a version without tagged fields. The pieces must not change before it is there. `room`: so
   * many bytes in front of each long piece, in its buffer, may be overwritten; absent: none.
   */
  request(api: number, version: number, pieces: readonly Uint8Array[], room?: number): Promise<Uint8Array>;
  /** A response that nobody reads any more: its memory serves the next one. Absent: it is not kept. */
  recycle?(response: Uint8Array): void;
  close(): void;
}

export interface PlainOptions {
  readonly connection: Connection;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly clientId: string;
  /** A request that is not answered for this long ends the connection. */
  readonly timeoutMs: number;
}
interface Asked {
  readonly correlation: number;
  readonly deadlineMs: number;
  readonly answer: PromiseWithResolvers<Uint8Array>;
}

/** What a broker that wants TLS says to anything else: an alert record, its version and the upper half of its length. */
const TLS_ALERT = 0x15_03_03;
const LENGTH_BYTES = 4;
const CORRELATION_BYTES = 4;
/** Memory of larger responses is kept, so many of them: what arrives ten times a second should not be the collector's work. */
const KEPT_BYTES_MIN = 64 << 10;
const KEPT_MAX = 4;
/** Longer pieces of a request are written from where they lie. */
const JOINED_BYTES_MAX = 4 << 10;
/** What is read at once while it is not known how much comes: most answers to a produce fit. */
const READ_BYTES = 16 << 10;

export class PlainConnection implements DataConnection {
  #fault: Error | null = null;
  #correlation = 0;
  readonly #asked: Asked[] = [];
  #writing: Promise<void> = Promise.resolve();
  #watching = false;
  readonly #kept: ArrayBufferLike[] = [];

  constructor(private readonly options: PlainOptions) {
    this.#receive().catch((error) => this.#fail(error));
  }

  get isOpen(): boolean {
    return this.#fault === null;
  }

  close(): void {
    this.#fail(new Error("closed"));
  }

  request(api: number, version: number, pieces: readonly Uint8Array[], room = 0): Promise<Uint8Array> {
    const { clock, timeoutMs, broker } = this.options;
    if (this.#fault) return Promise.reject(unreachable(this.#fault, broker));
    const correlation = this.#correlation = this.#correlation + 1 & 0x7fff_ffff;
    const answer = Promise.withResolvers<Uint8Array>();
    this.#asked.push({ correlation, deadlineMs: clock.monotonicMs() + timeoutMs, answer });
    const header = formatHeader(api, version, correlation, this.options.clientId, pieces);
    this.#writing = this.#writing.then(() => this.#send(joined([header, ...pieces], room))).catch((error) => this.#fail(error));
    if (!this.#watching) void this.#watch();
    return answer.promise;
  }

  async #send(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) at += await this.options.connection.write(at === 0 ? piece : piece.subarray(at));
    }
  }

  async #receive(): Promise<void> {
    const { connection } = this.options;
    const ahead = new Uint8Array(READ_BYTES);
    let have = 0;
    for (;;) {
      while (have < LENGTH_BYTES) have += await this.#read(connection, ahead.subarray(have));
      const length = new DataView(ahead.buffer).getInt32(0);
      if (length >>> 8 === TLS_ALERT) throw new WantsTls();
      if (length < CORRELATION_BYTES || length > RESPONSE_BYTES_MAX) throw new Error(`a response of ${length} bytes`);
      const end = LENGTH_BYTES + length;
      const response = this.#memory(length);
      response.set(ahead.subarray(LENGTH_BYTES, Math.min(have, end)));
      for (let at = have - LENGTH_BYTES; at < length;) at += await this.#read(connection, response.subarray(at));
      const rest = Math.max(0, have - end);
      if (rest > 0) ahead.copyWithin(0, end, have);
      have = rest;
      this.#answer(response);
    }
  }

  recycle({ buffer }: Uint8Array): void {
    if (buffer.byteLength >= KEPT_BYTES_MIN && this.#kept.length < KEPT_MAX) this.#kept.push(buffer);
  }

  #memory(length: number): Uint8Array {
    if (length < KEPT_BYTES_MIN) return new Uint8Array(length);
    const kept = this.#kept.pop();
    // Rounded up, because no two answers have the same length.
    const buffer = kept && kept.byteLength >= length ? kept : new ArrayBuffer(Math.ceil(length * 1.25 / KEPT_BYTES_MIN) * KEPT_BYTES_MIN);
    return new Uint8Array(buffer, 0, length);
  }

  async #read(connection: Connection, into: Uint8Array): Promise<number> {
    const bytes = await connection.read(into);
    if (bytes === 0) throw new Error("the broker closed the connection");
    return bytes;
  }

  #answer(response: Uint8Array): void {
    const correlation = new DataView(response.buffer).getInt32(0);
    const asked = this.#asked.shift();
    if (asked?.correlation !== correlation) throw new Error(`a response to request ${correlation}, which was not next`);
    asked.answer.resolve(response.subarray(CORRELATION_BYTES));
  }

  /** Looks once in a while whether the oldest request is overdue, for as long as there is one. */
  async #watch(): Promise<void> {
    const { clock, timeoutMs } = this.options;
    this.#watching = true;
    while (this.#asked.length > 0) {
      const leftMs = this.#asked[0].deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) this.#fail(new Error(`no answer within ${timeoutMs} ms`));
      else await clock.sleep(leftMs, this.#closing.signal);
    }
    this.#watching = false;
  }
  readonly #closing = new AbortController();

  #fail(error: Error): void {
    if (this.#fault) return;
    this.#fault = error;
    this.#closing.abort();
    this.options.connection.close();
    for (const { answer } of this.#asked.splice(0)) answer.reject(unreachable(error, this.options.broker));
  }
}

/** What is to be written at once. Short pieces are copied together, and where there is room, in front of the long one behind them. */
function joined(pieces: readonly Uint8Array[], room: number): readonly Uint8Array[] {
  const whole: Uint8Array[] = [];
  for (let at = 0; at < pieces.length;) {
    let end = at;
    let bytes = 0;
    while (end < pieces.length && pieces[end].length < JOINED_BYTES_MAX) bytes += pieces[end++].length;
    const short = pieces.slice(at, end);
    const long = end < pieces.length ? pieces[end] : null;
    if (long && bytes <= room) whole.push(filled(new Uint8Array(long.buffer, long.byteOffset - bytes, bytes + long.length), short));
    else {
      if (bytes > 0) whole.push(filled(new Uint8Array(bytes), short));
      if (long) whole.push(long);
    }
    at = end + 1;
  }
  return whole;
}

function filled(into: Uint8Array, pieces: readonly Uint8Array[]): Uint8Array {
  let at = 0;
  for (const piece of pieces) {
    into.set(piece, at);
    at += piece.length;
  }
  return into;
}

function formatHeader(api: number, version: number, correlation: number, clientId: string, pieces: readonly Uint8Array[]): Uint8Array {
  const header = new WireWriter().int32(0).int16(api).int16(version).int32(correlation).string(clientId).done();
  let bytes = header.length - LENGTH_BYTES;
  for (const piece of pieces) bytes += piece.length;
  assert(bytes <= 0x7fff_ffff, "a request's length is an INT32");
  putInt32(header, 0, bytes);
  return header;
}
