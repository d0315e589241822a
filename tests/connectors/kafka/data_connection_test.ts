/** How requests leave on a connection of our own. The other end only notes what arrives. */
import assert from "node:assert/strict";
import { PlainConnection } from "../../../src/connectors/kafka/data_connection.ts";
import { denoClock } from "../../../src/platform/clock.ts";
import type { Connection } from "../../../src/ports/mod.ts";

/** Takes whatever is written, in pieces of at most `atOnce` bytes, and never answers. */
class Silent implements Connection {
  readonly remote = { host: "127.0.0.1", port: 1 };
  readonly writes: number[] = [];
  readonly bytes: number[] = [];
  readonly #closed = Promise.withResolvers<number>();
  constructor(private readonly atOnce: number) {}
  read(): Promise<number> {
    return this.#closed.promise;
  }
  write(bytes: Uint8Array): Promise<number> {
    const taken = bytes.subarray(0, this.atOnce);
    this.writes.push(taken.length);
    for (const byte of taken) this.bytes.push(byte);
    return Promise.resolve(taken.length);
  }
  endWrites(): Promise<void> {
    return Promise.resolve();
  }
  close(): void {
    this.#closed.resolve(0);
  }
}

const HEADER_BYTES = 4 + 2 + 2 + 4 + 2 + "us".length;

async function written(lengths: readonly number[], atOnce = Infinity): Promise<Silent> {
  const far = new Silent(atOnce);
  const connection = new PlainConnection({ connection: far, broker: far.remote, clock: denoClock, clientId: "us", timeoutMs: 10_000 });
  const answer = connection.request(0, 8, lengths.map((length, i) => new Uint8Array(length).fill(i + 1)));
  const whole = HEADER_BYTES + lengths.reduce((sum, length) => sum + length, 0);
  while (far.bytes.length < whole) await denoClock.sleep(1);
  connection.close();
  await assert.rejects(answer);
  assert.deepEqual(far.bytes.slice(HEADER_BYTES), lengths.flatMap((length, i) => Array(length).fill(i + 1)));
  return far;
}

Deno.test("a request of short pieces leaves in one write", async () => {
  assert.deepEqual((await written([20, 30, 0, 5])).writes, [HEADER_BYTES + 55]);
});

Deno.test("long pieces leave by themselves, short ones around them together and in their places", async () => {
  assert.deepEqual((await written([20, 50_000, 8, 9, 70_000, 10])).writes, [HEADER_BYTES + 20, 50_000, 17, 70_000, 10]);
});

Deno.test("a kernel that takes little at once gets the rest, in order", async () => {
  assert.ok((await written([20, 9_000, 8, 9], 1_000)).writes.length > 9);
});
