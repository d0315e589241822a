/**
 * One connected client: a place in a stream and one write under way. Invariants: its memory is bounded by one piece; what it gets
 * are whole records, in order, unless it is cut off by itself or by the end of a stop's grace; what it sends is dropped.
 */
import type { Connection } from "../../../ports/mod.ts";
import { DISCARD_BYTES, DISCARD_EVERY_MS, GROUP_MS } from "../limits.ts";
import type { Stream } from "./stream.ts";
import type { Ticker } from "./ticker.ts";

const LF = 10;

export type SlowPolicy = "block" | "drop_oldest" | "disconnect";
export interface ClientOptions {
  readonly slow: SlowPolicy;
  /** Records that a client may be behind before the policy applies. */
  readonly behindMax: number;
  readonly ticker: Ticker;
  readonly intervalMs: number;
}
/** How it ended: the client went, was too slow, or the server stops. */
export type ClientEnd = "gone" | "too_slow" | "stopped";

export class Client {
  records = 0;
  bytes = 0;
  dropped = 0;
  /** The next record it gets. */
  at: number;
  #end: ClientEnd | null = null;
  /** A client that resumed far behind is not slow before it has caught up once. */
  #caughtUp = false;

  constructor(
    private readonly connection: Connection,
    private readonly stream: Stream,
    private readonly options: ClientOptions,
    from: number | null,
  ) {
    this.at = from ?? stream.entry(options.ticker.nowMs());
    this.#caughtUp = from === null;
  }

  /** Sends until somebody ends it. Never throws. */
  async run(): Promise<ClientEnd> {
    void this.#discardInput();
    try {
      await this.#send();
      // Only what was written whole is followed by an orderly end.
      await this.connection.endWrites();
    } catch {
      this.#end ??= "gone";
    }
    this.connection.close();
    return this.#end ?? "gone";
  }

  /** Finishes the record in flight and ends. */
  stop(): void {
    this.#end ??= "stopped";
  }

  /** Ends now, whatever is under way. */
  cut(end: ClientEnd): void {
    this.#end ??= end;
    this.connection.close();
  }

  /** Records it is behind the newest. */
  behind(): number {
    return this.#caughtUp ? this.stream.head(this.options.ticker.nowMs()) - this.at : 0;
  }

  async #send(): Promise<void> {
    const { stream, options: { ticker, intervalMs } } = this;
    while (!this.#end) {
      const nowMs = ticker.nowMs();
      const due = stream.due(nowMs);
      if (this.at >= due) {
        this.#caughtUp = true;
        const waitMs = stream.waitMs(this.at, nowMs);
        await ticker.wait(intervalMs < GROUP_MS && waitMs !== Infinity ? Math.max(GROUP_MS, waitMs) : waitMs);
      } else if (this.#keepUp(nowMs)) {
        const { bytes, records } = stream.read(this.at, due);
        if (await this.#write(bytes)) {
          this.at += records;
          this.records += records;
        }
      }
    }
  }

  /** Applies the policy; false when it ends the client. */
  #keepUp(nowMs: number): boolean {
    const { slow, behindMax } = this.options;
    const behind = this.stream.head(nowMs) - this.at;
    if (behind <= behindMax) this.#caughtUp = true;
    else if (slow === "drop_oldest" && this.#caughtUp) this.#drop(behind - behindMax);
    else if (slow === "disconnect" && this.#caughtUp) {
      this.#end = "too_slow";
      return false;
    }
    // What the stream itself no longer holds is lost to any client.
    if (this.at < this.stream.first()) this.#drop(this.stream.first() - this.at);
    return true;
  }

  #drop(records: number): void {
    this.at += records;
    this.dropped += records;
  }

  /** Writes all of it, or on a stop up to the end of the record in flight; whether it was all. */
  async #write(bytes: Uint8Array): Promise<boolean> {
    let end = bytes.length;
    let done = 0;
    while (done < end) {
      done += await this.connection.write(done === 0 ? bytes : bytes.subarray(done, end));
      if (this.#end && end === bytes.length) end = bytes[done - 1] === LF ? done : bytes.indexOf(LF, done) + 1;
    }
    this.bytes += end;
    if (end === bytes.length) return true;
    for (let i = bytes.indexOf(LF); i >= 0 && i < end; i = bytes.indexOf(LF, i + 1)) this.records++;
    return false;
  }

  /** Unread input would turn the close into a reset, which takes records in flight with it. */
  async #discardInput(): Promise<void> {
    const into = new Uint8Array(DISCARD_BYTES);
    try {
      // Its end says only that the client will not write any more.
      while (await this.connection.read(into) > 0) await this.options.ticker.wait(DISCARD_EVERY_MS);
    } catch {
      this.cut("gone");
    }
  }
}
