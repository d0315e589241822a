/**
 * What slow_reader_test.ts runs in a process of its own, since it measures the process's memory: serves snapshots to one who reads them and to
 * one who never does, until that one is dropped. Prints what it saw as JSON.
 */
import { accessOf } from "../../src/observe/access.ts";
import { Board } from "../../src/observe/board.ts";
import { Dashboard } from "../../src/observe/dashboard.ts";
import { EVENTS_KEPT_MAX, FOLLOWER_LAG_MAX } from "../../src/observe/limits.ts";
import { prometheusText } from "../../src/observe/prometheus.ts";
import { denoHttp } from "../../src/platform/http.ts";
import { denoClock } from "../../src/platform/clock.ts";

const EVENT_BYTES = 10_000;
/** What the system holds for one connection on its own account, both ends together, is less than this. */
export const SYSTEM_BYTES_MAX = 64 << 20;
export const SNAPSHOT_BYTES = EVENT_BYTES * EVENTS_KEPT_MAX;
const SNAPSHOTS_MAX = SYSTEM_BYTES_MAX / SNAPSHOT_BYTES + FOLLOWER_LAG_MAX;

/** What became of the two. */
export interface Seen {
  readonly sent: number;
  readonly dropped: number;
  readonly metrics: string;
  /** The most that was held beyond what was at first, bytes. */
  readonly heldMax: number;
  /** Followers once the reader has got one more snapshot. */
  readonly followers: number;
}

async function serveBoth(): Promise<Seen> {
  const board = new Board("1", 0, (text) => text);
  const dashboard = new Dashboard(board, denoClock);
  const server = await denoHttp.serve({ host: "127.0.0.1", port: 0 }, dashboard.handler(accessOf("127.0.0.1", null)));
  const { port } = server.place as { readonly port: number };
  const deaf = await Deno.connect({ hostname: "127.0.0.1", port });
  await deaf.write(new TextEncoder().encode(`GET /events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`));
  const reading = new AbortController();
  const reader = new SnapshotReader(await fetch(`http://127.0.0.1:${port}/events`, { signal: reading.signal }));
  try {
    dashboard.tick();
    await reader.until(1);
    const before = Deno.memoryUsage();
    let sent = 1;
    let heldMax = 0;
    for (; board.followersDropped === 0 && sent < SNAPSHOTS_MAX; sent++) {
      for (let i = 0; i < EVENTS_KEPT_MAX; i++) {
        board.noteEvent({ atMs: sent, level: "info", name: "filled", fields: { text: "x".repeat(EVENT_BYTES) } });
      }
      dashboard.tick();
      await reader.until(sent + 1);
      const { external, rss } = Deno.memoryUsage();
      heldMax = Math.max(heldMax, external - before.external, rss - before.rss);
    }
    const dropped = board.followersDropped;
    dashboard.tick();
    await reader.until(sent + 1);
    return { sent, dropped, metrics: prometheusText(board, 0), heldMax, followers: board.followers };
  } finally {
    deaf.close();
    reading.abort();
    await reader.ended;
    dashboard.close();
    await server.close();
  }
}

/** Counts the snapshots of a stream as they come. */
class SnapshotReader {
  #count = 0;
  #wanted = 0;
  #reached = Promise.withResolvers<void>();
  readonly ended: Promise<void>;

  constructor(response: Response) {
    this.ended = this.#read(response.body!.pipeThrough(new TextDecoderStream())).catch((error) => this.#reached.reject(error));
  }

  async until(count: number): Promise<void> {
    this.#wanted = count;
    this.#reached = Promise.withResolvers<void>();
    this.#reached.promise.catch(() => {}); // Told to who waits.
    if (this.#count >= count) return;
    await this.#reached.promise;
  }

  async #read(text: ReadableStream<string>): Promise<void> {
    let tail = "";
    for await (const chunk of text) {
      tail += chunk;
      const parts = tail.split("event: snapshot\n");
      this.#count += parts.length - 1;
      tail = parts.at(-1)!.slice(-20);
      if (this.#count >= this.#wanted) this.#reached.resolve();
    }
  }
}

if (import.meta.main) console.log(JSON.stringify(await serveBoth()));
