/**
 * Serving: a source whose records can be made for anybody, and a sink that lets anybody read. A pipeline of kind `serve` that
 * joins the two directly needs no epochs: each reader has its own place in the stream, and nothing is kept for it.
 */
import type { ByteWriter } from "../data/codec.ts";
import type { World } from "../ports/mod.ts";

/** Records by number. Asking twice gives the same bytes. */
export interface NumberedRecords {
  /** Appends record `number` (from 0) with its line feed. */
  write(number: number, into: ByteWriter): void;
}
/** What a source offers that can be served. */
export interface FeedPlan {
  /** Records per second; Infinity: as fast as they are read. */
  readonly rate: number;
  /** For the start-up line, for example `trades, seed 7`. `seed`: the one that `open` will get. */
  describe(seed: number): string;
  /** The seed to use: the stated one, or one drawn now. */
  seed(world: World): number;
  /** When record 0 happens: the stated start, or `nowMicros`. */
  startMicros(nowMicros: number): number;
  /** Stream number `stream` (from 0) of the seed; record n happens at `startMicros` + n / rate. */
  open(from: { readonly seed: number; readonly stream: number; readonly startMicros: number; readonly rate: number }): NumberedRecords;
}
/** What the command line may put above the configuration. */
export interface ServeWishes {
  readonly listen?: string;
  readonly rate?: number;
}
/** How serving went; counted per connection, never per record. */
export interface ServeSummary {
  readonly clients: number;
  readonly records: number;
  readonly bytes: number;
  readonly dropped: number;
  readonly disconnected: number;
  readonly refused: number;
}
export interface ServeOptions {
  readonly world: World;
  readonly feed: FeedPlan;
  readonly wishes: ServeWishes;
  /** Finish the record in flight on every connection and return. */
  readonly signal: AbortSignal;
  /** A line for people: where it listens, what it serves. */
  tell(line: string): void;
  /** It listens; `soFar` may be asked at any time, for those who watch. */
  began?(soFar: () => ServeSummary): void;
}
