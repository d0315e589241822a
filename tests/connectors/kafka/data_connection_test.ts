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

/** What stands in a piece's buffer in front of the piece. */
const BEFORE = 255;

/** Each piece has `has` bytes in front of it in its buffer, of which the request may overwrite `room`. */
async function written(lengths: readonly number[], how: { atOnce?: number; room?: number; has?: number } = {}): Promise<Silent> {
  const { atOnce = Infinity, room = 0, has = room } = how;
  const far = new Silent(atOnce);
  const connection = new PlainConnection({ connection: far, broker: far.remote, clock: denoClock, clientId: "us", timeoutMs: 10_000 });
  const pieces = lengths.map((length, i) => new Uint8Array(has + length).fill(BEFORE, 0, has).fill(i + 1, has).subarray(has));
  const answer = connection.request(0, 8, pieces, room);
  const whole = HEADER_BYTES + lengths.reduce((sum, length) => sum + length, 0);
  while (far.bytes.length < whole) await denoClock.sleep(1);
  connection.close();
  await assert.rejects(answer);
  assert.deepEqual(far.bytes.slice(HEADER_BYTES), lengths.flatMap((length, i) => Array(length).fill(i + 1)));
  for (const [i, piece] of pieces.entries()) {
    assert.ok(piece.every((byte) => byte === i + 1), "pieces stay as they are");
    assert.ok(new Uint8Array(piece.buffer, 0, has - room).every((byte) => byte === BEFORE), "so does what may not be overwritten");
  }
  return far;
}

Deno.test("a request of short pieces leaves in one write", async () => {
  assert.deepEqual((await written([20, 30, 0, 5])).writes, [HEADER_BYTES + 55]);
});

Deno.test("long pieces leave by themselves, short ones around them together and in their places", async () => {
  assert.deepEqual((await written([20, 50_000, 8, 9, 70_000, 10])).writes, [HEADER_BYTES + 20, 50_000, 17, 70_000, 10]);
});

Deno.test("where there is room in front of a long piece, what precedes it leaves in its write", async () => {
  const lengths = [20, 50_000, 8, 9, 70_000, 10];
  assert.deepEqual((await written(lengths, { room: 100, has: 120 })).writes, [HEADER_BYTES + 20 + 50_000, 17 + 70_000, 10]);
  assert.deepEqual((await written(lengths, { room: HEADER_BYTES + 20 })).writes, [HEADER_BYTES + 20 + 50_000, 17 + 70_000, 10]);
  assert.deepEqual((await written(lengths, { room: HEADER_BYTES + 19 })).writes, [HEADER_BYTES + 20, 50_000, 17 + 70_000, 10]);
  assert.deepEqual((await written([50_000, 60_000, 0], { room: 100 })).writes, [HEADER_BYTES + 50_000, 60_000]);
});

Deno.test("a kernel that takes little at once gets the rest, in order", async () => {
  assert.ok((await written([20, 9_000, 8, 9], { atOnce: 1_000 })).writes.length > 9);
  assert.ok((await written([20, 9_000, 8, 9], { atOnce: 1_000, room: 100 })).writes.length > 9);
});
