/**
 * Server-sent events to any number of readers: each snapshot is encoded once. Invariant: a reader that lags FOLLOWER_LAG_MAX snapshots
 * behind is dropped; nothing is buffered beyond that.
 */
import { FOLLOWER_LAG_MAX, FOLLOWERS_MAX } from "./limits.ts";

type Reader = ReadableStreamDefaultController<Uint8Array>;

const encoder = new TextEncoder();

export class Followers {
  readonly #readers = new Set<Reader>();
  /** How many were too slow. */
  dropped = 0;

  get count(): number {
    return this.#readers.size;
  }

  /** A stream that begins with `first`; null where there are too many. */
  follow(first: string): ReadableStream<Uint8Array> | null {
    if (this.#readers.size >= FOLLOWERS_MAX) return null;
    let reader: Reader;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        reader = controller;
        this.#readers.add(reader);
        reader.enqueue(encoder.encode(first));
      },
      cancel: () => {
        this.#readers.delete(reader);
      },
    }, { highWaterMark: FOLLOWER_LAG_MAX });
  }

  /** To everybody who follows. */
  send(event: string): void {
    if (this.#readers.size === 0) return;
    const bytes = encoder.encode(event);
    for (const reader of this.#readers) {
      if ((reader.desiredSize ?? 0) > 0) reader.enqueue(bytes);
      else this.#drop(reader);
    }
  }

  /** Ends all streams. */
  close(): void {
    for (const reader of this.#readers) {
      try {
        reader.close();
      } catch {
        // Its reader has gone meanwhile.
      }
    }
    this.#readers.clear();
  }

  #drop(reader: Reader): void {
    this.#readers.delete(reader);
    this.dropped++;
    reader.error(new Error("too slow"));
  }
}

/** One event of a stream. Data without line ends. */
export const eventText = (name: string, data: string): string => `event: ${name}\ndata: ${data}\n\n`;
