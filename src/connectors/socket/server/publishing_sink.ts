/** Rows of epochs to all connected clients. Under `block` a delivery waits for the slowest one: that is the back-pressure. */
import { createWriter } from "../../../data/bytes.ts";
import type { Batch } from "../../../data/batch.ts";
import type { ByteWriter, Encoder } from "../../../data/codec.ts";
import { assert, MillraceError } from "../../../data/fault.ts";
import type { Marker, Sink, SinkLane } from "../../../engine/contracts.ts";
import type { World } from "../../../ports/mod.ts";
import { formatAddress } from "../address.ts";
import { GROUP_MS } from "../limits.ts";
import { PublishedStream } from "./published_stream.ts";
import { SocketServer } from "./server.ts";
import type { ServerSettings } from "./socket_server_sink.ts";

export class PublishingSink implements Sink {
  readonly guarantee = "at-least-once";
  readonly #stream: PublishedStream;
  #server: SocketServer | null = null;

  constructor(private readonly world: World, private readonly settings: ServerSettings, private readonly encode: Encoder) {
    this.#stream = new PublishedStream(settings.behindMax);
  }

  async open(): Promise<void> {
    if (this.settings.mode === "per_client") {
      throw new MillraceError("mode", `"${this.settings.name}" can give each client its own sequence only directly behind a generator`, {
        hint: 'run it with `millrace serve`, without transforms in between, or use mode = "broadcast"',
      });
    }
    const stream = this.#stream;
    this.#server = await SocketServer.open({
      ...this.settings,
      world: this.world,
      intervalMs: Infinity,
      join: (handshake) => {
        if (handshake && (handshake.number < stream.first() || handshake.number > stream.due())) {
          throw new Error(`records ${stream.first()} to ${stream.due()} can be resumed at, not ${handshake.number}`);
        }
        return { stream, from: handshake && handshake.number, sequence: 0 };
      },
    });
    const [live, resume] = this.#server.addresses.map(formatAddress);
    this.world.log.event("info", "server_listening", { server: this.settings.name, address: live, ...(resume ? { resume } : {}) });
  }

  lane(): SinkLane {
    return new PublishingLane(this.encode, (bytes, ends) => this.#publish(bytes, ends));
  }

  finish(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.#server?.stop();
    this.#server = null;
  }

  async #publish(bytes: Uint8Array, ends: Int32Array): Promise<void> {
    assert(this.#server, "a sink is opened before it is written to");
    const { slow, behindMax } = this.settings;
    const { ticker } = this.#server;
    while (slow === "block" && this.#stream.due() - this.#server.slowestAt() > behindMax && !this.world.stopping?.aborted) {
      await ticker.wait(GROUP_MS);
    }
    this.#stream.publish(bytes, ends);
    ticker.wakeAll();
  }
}

class PublishingLane implements SinkLane {
  #into: ByteWriter = createWriter(4096);
  #ends: number[] = [];
  constructor(private readonly encode: Encoder, private readonly publish: (bytes: Uint8Array, ends: Int32Array) => Promise<void>) {}

  fence(): Promise<Marker | null> {
    this.discard();
    return Promise.resolve(null);
  }
  write(batch: Batch): void {
    for (let row = 0; row < batch.rows; row++) {
      this.encode(batch, row, this.#into);
      this.#ends.push(this.#into.length);
    }
  }
  async deliver(): Promise<void> {
    if (this.#ends.length > 0) await this.publish(this.#into.bytes.slice(0, this.#into.length), Int32Array.from(this.#ends));
    this.discard();
  }
  discard(): void {
    this.#into.length = 0;
    this.#ends = [];
  }
  bytesHeld(): number {
    return this.#into.length;
  }
}
