/** The `socket` source on real connections: what is received is given out once, whatever happens to either side. */
import assert from "node:assert/strict";
import type { Source, SourceReader } from "../../../src/engine/contracts.ts";
import type { World } from "../../../src/ports/mod.ts";
import { Backoff } from "../../../src/connectors/socket/source/backoff.ts";
import { Machine } from "../support/memory_world.ts";
import { faultsOf, plan } from "../support/project.ts";
import { batchOf, readAll, rowTexts } from "../support/rows.ts";
import { netWorld, readLines, until } from "./support/world.ts";

const pipeline = (port: number, settings = ""): string => `
[sources.feed]
type = "socket"
address = "127.0.0.1:${port}"
reconnect = { first = "20ms", most = "100ms" }
fields = { n = "int" }
${settings}
[sinks.out]
type = "console"
inputs = ["feed"]
`;
async function sourceOn(world: World, port: number, settings?: string): Promise<Source> {
  const [{ plan: source }] = (await plan(pipeline(port, settings))).sources;
  return source.create(world, new Set(["n"]));
}
const ALL = () => ({ rowsMax: 8192, bytesMax: 1 << 20 });
const line = (n: number): string => `{"n":${n}}\n`;
const numbers = (rows: readonly string[]): number[] => rows.map((row) => JSON.parse(row.split(" ")[2])[0]);

/** Everything that comes until there are `count` records, read as the engine does. */
async function take(
  reader: SourceReader,
  from: string,
  count: number,
): Promise<{ numbers: number[]; reasons: string[]; position: string }> {
  const found: number[] = [];
  const reasons: string[] = [];
  let position = from;
  await until(`${count} records`, async () => {
    const read = await readAll(reader, position, ALL);
    found.push(...numbers(read.rows));
    reasons.push(...read.rejects.map((reject) => reject.split(" ")[3]));
    position = read.places.at(-1)!.position;
    return found.length + reasons.length >= count;
  });
  return { numbers: found, reasons, position };
}
function listen(serve: (connection: Deno.TcpConn, number: number) => Promise<void>) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let connections = 0;
  const open: Deno.TcpConn[] = [];
  void (async () => {
    for await (const connection of listener) {
      open.push(connection);
      void serve(connection, ++connections).catch(() => {});
    }
  })().catch(() => {});
  return {
    port: listener.addr.port,
    close: () => {
      listener.close();
      for (const connection of open) {
        try {
          connection.close();
        } catch {
          // Closed by its own serving.
        }
      }
    },
  };
}
const write = async (connection: Deno.TcpConn, text: string): Promise<void> => {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
};

Deno.test("T-9, T-25: bytes split anywhere, connections lost anywhere: each whole line once, each tail refused, every gap logged", async () => {
  const feed = listen(async (connection, number) => {
    const text = line(number * 10) + line(number * 10 + 1) + '{"n":99';
    for (let at = 0; at < text.length; at += 5) {
      await write(connection, text.slice(at, at + 5));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    connection.close();
  });
  const { world, logged } = netWorld();
  const reader = await (await sourceOn(world, feed.port)).reader(0);
  const { numbers, reasons } = await take(reader, reader.start, 9);
  assert.deepEqual([numbers.slice(0, 6), reasons.slice(0, 3)], [[10, 11, 20, 21, 30, 31], Array(3).fill("truncated_tail")]);
  reader.close();
  feed.close();
  const gaps = logged.filter(({ name }) => name === "feed_gap");
  assert.ok(gaps.length >= 2 && gaps.every(({ fields }) => fields.end > fields.start), JSON.stringify(gaps));
});

Deno.test("T-25: waits between attempts double from the first to the most, drawn from their upper half", () => {
  const settings = { firstMs: 500, mostMs: 30_000, jitter: true };
  const least = new Backoff(settings, { uint32: () => 0 });
  assert.deepEqual(Array.from({ length: 9 }, () => least.next()), [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  const most = new Backoff(settings, { uint32: () => 2 ** 32 - 1 });
  const waits = Array.from({ length: 8 }, () => Math.round(most.next()));
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  most.reset();
  assert.equal(Math.round(most.next()), 500);
  assert.equal(new Backoff({ ...settings, jitter: false }, { uint32: () => 0 }).next(), 500);
});

Deno.test("a new process goes on behind what the last one kept, and reads again what no checkpoint covered", async () => {
  const machine = new Machine();
  const feed = listen((connection, number) => write(connection, line(number * 10) + line(number * 10 + 1)));
  const first = netWorld(machine);
  const source = await sourceOn(first.world, feed.port);
  const reader = await source.reader(0);
  const { numbers: before, position } = await take(reader, reader.start, 2);
  assert.deepEqual(before, [10, 11]);
  reader.close();
  // The same source again, as after a lane was dropped: it waits until the first reader's journal is let go.
  const again = await source.reader(0);
  assert.deepEqual((await take(again, position, 2)).numbers, [20, 21]);
  again.close();
  await until("the journal is free", () => machine.locked.size === 0);
  const other = await (await sourceOn(netWorld(machine).world, feed.port)).reader(0);
  assert.deepEqual((await take(other, position, 4)).numbers, [20, 21, 30, 31]);
  assert.deepEqual((await take(other, other.start, 6)).numbers, [10, 11, 20, 21, 30, 31]);
  other.close();
  feed.close();
});

Deno.test("a stop takes nothing more in and still gives out all it has", async () => {
  let sent = 0;
  const feed = listen(async (connection) => {
    for (;; sent++) await write(connection, line(sent));
  });
  const { world, logged } = netWorld();
  const reader = await (await sourceOn(world, feed.port)).reader(0);
  const { position } = await take(reader, reader.start, 10);
  await reader.stopIntake!();
  const rest = await readAll(reader, position, ALL);
  assert.equal(rest.last, "idle");
  const received = logged.find(({ name }) => name === "feed_lost")!.fields.records;
  const all = await readAll(reader, reader.start, ALL);
  assert.equal(all.rows.length, received);
  assert.deepEqual(numbers(all.rows), all.rows.map((_, i) => i));
  assert.equal((await readAll(reader, all.places.at(-1)!.position, ALL)).read, 0, "and nothing comes behind it");
  reader.close();
  feed.close();
});

Deno.test("a full journal: the socket is not read, the feed has to wait, nothing is dropped", async () => {
  let sent = 0;
  const filler = "x".repeat(1000);
  const feed = listen(async (connection) => {
    for (;; sent++) await write(connection, `{"n":${sent},"filler":"${filler}"}\n`);
  });
  const { world, logged } = netWorld();
  const reader = await (await sourceOn(world, feed.port, 'journal = { most = "4MiB" }')).reader(0);
  await until("the journal is full", () => logged.some(({ name }) => name === "journal_full"));
  // Beyond it there are only the kernel's buffers; then the feed stands still.
  let before = -1;
  await until("the feed waits", async () => {
    const stood = sent === before;
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return stood;
  });
  const stoodAt = sent;
  let { position, numbers: found } = await take(reader, reader.start, 2000);
  assert.ok(found.length < stoodAt, "not all of it was taken in");
  while (found.length <= stoodAt) {
    reader.released!(position);
    const more = await take(reader, position, 1);
    found = [...found, ...more.numbers];
    position = more.position;
  }
  assert.deepEqual(found, found.map((_, i) => i), "all of it, in order");
  reader.close();
  feed.close();
});

Deno.test("rows of epochs are served too: to all, from the newest held, and under block a delivery waits for the slowest", async () => {
  const { world } = netWorld();
  const blueprint = await plan(`
[sources.in]
type = "ndjson"
path = "x"
fields = { n = "int" }
[sinks.feed]
type = "socket_server"
inputs = ["in"]
listen = "127.0.0.1:0"
resume_listen = "127.0.0.1:0"
behind_max = 4`);
  const { plan: sinkPlan, input } = blueprint.sinks.find(({ name }) => name === "feed")!;
  const { world: serving, logged } = netWorld();
  const sink = sinkPlan.create({ ...world, log: serving.log });
  await sink.open({ pipeline: "p", run: "r", lanes: 1, fresh: true });
  const lane = sink.lane(0);
  await lane.fence(1);
  const deliver = async (epoch: number, ...rows: number[]): Promise<void> => {
    lane.write(batchOf(input, rows.map((n) => [n])));
    await lane.deliver({ pipeline: "p", run: "r", lane: 0, epoch, owner: 1, digest: "d", timeMicros: 0 });
  };
  await deliver(1, 0, 1, 2);
  const addresses = logged.find(({ name }) => name === "server_listening")!.fields;
  const port = Number(String(addresses.address).split(":")[1]);
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  assert.deepEqual(await readLines(client, 1), ['{"n":2}'], "the newest at once");
  await deliver(2, 3, 4);
  assert.deepEqual(await readLines(client, 2), ['{"n":3}', '{"n":4}']);
  const resumed = await Deno.connect({ hostname: "127.0.0.1", port: Number(String(addresses.resume).split(":")[1]) });
  await resumed.write(new TextEncoder().encode("resume 3\n"));
  assert.deepEqual(await readLines(resumed, 2), ['{"n":3}', '{"n":4}']);
  await sink.close();
  assert.deepEqual(await readLines(client, 1), [], "an orderly end");
  client.close();
  resumed.close();
});

Deno.test("faults of a socket's settings point at them", async () => {
  assert.match(await faultsOf(pipeline(0)), /"127\.0\.0\.1:0" is not the address of a server/);
  assert.match(await faultsOf(pipeline(9, 'framing = { max = "2MiB" }')), /from 1 byte to 1MiB/);
  assert.match(await faultsOf(pipeline(9, 'journal = { most = "1KiB" }')), /the journal is too small/);
});

Deno.test("batches carry the time that each record came in", async () => {
  const feed = listen((connection) => write(connection, line(1)));
  const { world } = netWorld();
  const reader = await (await sourceOn(world, feed.port)).reader(0);
  await until("a record", async () => (await reader.poll(reader.start, ALL())).kind === "batch");
  const polled = await reader.poll(reader.start, ALL());
  assert.ok(polled.kind === "batch");
  assert.equal(rowTexts(polled.batch).length, 1);
  assert.ok(Math.abs(polled.batch.meta.received![0] / 1000 - Date.now()) < 60_000);
  reader.close();
  feed.close();
});
