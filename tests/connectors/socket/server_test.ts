/** The socket server, by T-7 to T-13 and what else a feed must withstand. Real connections on this machine. */
import assert from "node:assert/strict";
import type { ServeSummary } from "../../../src/component/serving.ts";
import { plan } from "../support/project.ts";
import { netWorld, readLines, until } from "./support/world.ts";

interface Running {
  readonly port: number;
  readonly resumePort: number;
  readonly told: readonly string[];
  readonly logged: readonly { name: string; fields: Readonly<Record<string, unknown>> }[];
  stop(): Promise<ServeSummary>;
}

async function serve(settings: string, { rate = "1000/s", seed = 7 } = {}): Promise<Running> {
  const { world, logged } = netWorld();
  const blueprint = await plan(`
[sources.in]
type = "generate"
what = "trades"
seed = ${seed}
start = "2025-09-04T23:11:55Z"
rate = "${rate}"
fields = { transaction_id = "string" }
[sinks.feed]
type = "socket_server"
inputs = ["in"]
listen = "127.0.0.1:0"
resume_listen = "127.0.0.1:0"
${settings}`);
  const told: string[] = [];
  const stop = new AbortController();
  const feed = blueprint.sources[0].plan.feed!;
  const sink = blueprint.sinks.find(({ name }) => name === "feed")!;
  const running = sink.plan.serve!({ world, feed, wishes: {}, signal: stop.signal, tell: (line) => told.push(line) });
  await until("it listens", () => told.length === 2);
  const [port, resumePort] = [...told[1].matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) => Number(match[1]));
  return { port, resumePort, told, logged, stop: () => (stop.abort(), running) };
}

const connect = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
async function take(port: number, count: number, hello = ""): Promise<string[]> {
  const connection = await connect(port);
  if (hello !== "") await connection.write(new TextEncoder().encode(hello));
  const lines = await readLines(connection, count);
  connection.close();
  return lines;
}

Deno.test("T-13: port 0 takes a free one and prints it; a taken one is told with its number", async () => {
  const server = await serve("");
  assert.match(server.told[1], /^listening on 127\.0\.0\.1:\d+, to resume on 127\.0\.0\.1:\d+/);
  await assert.rejects(
    async () => await netWorld().world.net!.listen({ host: "127.0.0.1", port: server.port }),
    (error: Error & { code?: string }) => error.code === "address_taken" && error.message.includes(`port ${server.port} `),
  );
  await server.stop();
});

Deno.test("T-7: the first record comes at once, whenever a client connects", async () => {
  for (const mode of ["per_client", "broadcast"]) {
    const server = await serve(`mode = "${mode}"`, { rate: "1/m" });
    for (let client = 0; client < 3; client++) {
      const started = performance.now();
      assert.equal((await take(server.port, 1)).length, 1);
      assert.ok(performance.now() - started < 500, `${mode}: after ${performance.now() - started} ms`);
    }
    await server.stop();
  }
});

Deno.test("T-8: each client its own sequence, the same for the same seed; or one sequence, the same bytes for all", async () => {
  const own = await serve('mode = "per_client"');
  const [a, b] = [await take(own.port, 5), await take(own.port, 5)];
  assert.equal(new Set([...a, ...b]).size, 10);
  await own.stop();
  const again = await serve('mode = "per_client"');
  assert.deepEqual([await take(again.port, 5), await take(again.port, 5)], [a, b]);
  await again.stop();
  const shared = await serve('mode = "broadcast"', { rate: "200/s" });
  const all = await Promise.all(Array.from({ length: 20 }, () => take(shared.port, 40)));
  const numbered = new Map((await take(shared.resumePort, 200, "resume 0\n")).map((line, number) => [line, number]));
  for (const lines of all) {
    const numbers = lines.map((line) => numbered.get(line)!);
    assert.deepEqual(numbers, numbers.map((_, i) => numbers[0] + i), "a client gets the sequence without a gap");
  }
  await shared.stop();
});

Deno.test("a client resumes at any number, in its own sequence or the one for all; a wrong line is turned away", async () => {
  const shared = await serve('mode = "broadcast"', { rate: "max" });
  const whole = await take(shared.port, 1000);
  for (const from of [0, 1, 255, 256, 257, 700]) {
    assert.deepEqual(await take(shared.resumePort, 1000 - from, `resume ${from}\n`), whole.slice(from), `from ${from}`);
  }
  assert.deepEqual(await take(shared.resumePort, 1, "resume x\n"), []);
  assert.deepEqual(await take(shared.resumePort, 1, "GET / HTTP/1.1\r\n\r\n"), []);
  assert.deepEqual(await take(shared.resumePort, 1, "y".repeat(1000)), []);
  assert.equal((await shared.stop()).refused, 3);
  const own = await serve('mode = "per_client"', { rate: "max" });
  const [first, second] = [await take(own.port, 300), await take(own.port, 300)];
  assert.deepEqual(await take(own.resumePort, 100, "resume 200 sequence 0\r\n"), first.slice(200));
  assert.deepEqual(await take(own.resumePort, 100, "resume 200 sequence 1\n"), second.slice(200));
  assert.deepEqual(await take(own.resumePort, 1, "resume 200\n"), [], "whose sequence?");
  await own.stop();
});

Deno.test("T-12: pacing follows the schedule; work and late timers do not add up", async () => {
  const server = await serve('mode = "per_client"', { rate: "20/s" });
  const connection = await connect(server.port);
  const cameMs: number[] = [];
  for (let i = 0; i < 60; i++) {
    await readLines(connection, 1);
    cameMs.push(performance.now());
  }
  connection.close();
  await server.stop();
  // The least lateness of a stretch is the schedule's; a busy machine only adds to it, record by record.
  const latenessMs = cameMs.map((ms, i) => ms - cameMs[0] - i * 50);
  const driftMs = Math.min(...latenessMs.slice(-20)) - Math.min(...latenessMs.slice(0, 20));
  assert.ok(Math.abs(driftMs) < 50, `${driftMs} ms of drift over 60 records`);
});

Deno.test("T-11: a stop finishes the record in flight on every connection, within 2 s, readers that stand still included", async () => {
  const server = await serve('mode = "broadcast"', { rate: "max" });
  const reading = await Promise.all(Array.from({ length: 10 }, () => connect(server.port)));
  const ends = reading.map((connection) => readLines(connection, Infinity));
  const still = await Promise.all(Array.from({ length: 3 }, () => connect(server.port)));
  await new Promise((resolve) => setTimeout(resolve, 200));
  const started = performance.now();
  const summary = await server.stop();
  assert.ok(performance.now() - started < 2000, `${performance.now() - started} ms`);
  for (const end of ends) {
    const lines = await end;
    assert.ok(lines.length > 100 && lines.at(-1)!.endsWith("}"), `the last record is whole: ${lines.at(-1)}`);
  }
  assert.equal(summary.clients, 13);
  for (const connection of [...reading, ...still]) connection.close();
});

Deno.test("T-10: a slow client waits, misses the oldest, or is disconnected, as stated and counted; the others notice nothing", async () => {
  await Promise.all(["block", "drop_oldest", "disconnect"].map(async (policy) => {
    const server = await serve(`mode = "broadcast"\nslow_client = "${policy}"\nbehind_max = 15000`, { rate: "20000/s" });
    const slow = await connect(server.port);
    const fast = await connect(server.port);
    let fastLines = 0;
    const fastEnd = (async () => {
      for (let got = await readLines(fast, 1000); got.length === 1000; got = await readLines(fast, 1000)) fastLines += 1000;
    })();
    // More than the kernel's buffers hold, some 10 MB of about 310 bytes a record, and `behind_max` records more.
    await until(`${policy}: the slow one is behind`, () => fastLines > 80_000, 30_000);
    if (policy === "disconnect") await until("it is disconnected", () => server.logged.some(({ fields }) => fields.end === "too_slow"));
    const lines = policy === "disconnect" ? [] : await readLines(slow, 70_000);
    slow.close();
    const { dropped, disconnected } = await server.stop();
    await fastEnd;
    fast.close();
    assert.equal(disconnected, policy === "disconnect" ? 1 : 0);
    if (policy === "drop_oldest") assert.ok(dropped > 1000, `${dropped} dropped`);
    else assert.equal(dropped, 0);
    const times = lines.slice(0, -1).map((line) => Date.parse(JSON.parse(line).timestamp));
    assert.ok(times.every((time, i) => i === 0 || time >= times[i - 1]), "in order");
    // At 20,000 a second a record is 50 µs behind the one before: a jump is longer than any rounding to milliseconds.
    const jumps = times.filter((time, i) => i > 0 && time - times[i - 1] > 2).length;
    assert.equal(jumps > 0, policy === "drop_oldest", `${jumps} jumps under ${policy}`);
  }));
});

Deno.test("churn, garbage, resets and silent clients: afterwards a new client is served at once", async () => {
  const server = await serve('mode = "broadcast"', { rate: "100/s" });
  const silent = await Promise.all(Array.from({ length: 50 }, () => connect(server.port)));
  const noise = crypto.getRandomValues(new Uint8Array(4096));
  for (let round = 0; round < 40; round++) {
    await Promise.all(Array.from({ length: 25 }, async (_, i) => {
      const connection = await connect(i % 5 === 4 ? server.resumePort : server.port);
      if (i % 3 === 0) await connection.write(noise).catch(() => {});
      if (i % 5 < 2) await readLines(connection, 1);
      connection.close();
    }));
  }
  const started = performance.now();
  assert.equal((await take(server.port, 3)).length, 3);
  assert.ok(performance.now() - started < 500, `${performance.now() - started} ms`);
  for (const connection of silent) connection.close();
  const summary = await server.stop();
  assert.equal(summary.clients, 50 + 40 * 20 + 1);
});

Deno.test("a bound on clients turns further ones away, and lets new ones in when some have gone", async () => {
  const server = await serve('mode = "broadcast"\nclients_max = 3', { rate: "100/s" });
  const first = await Promise.all(Array.from({ length: 3 }, () => connect(server.port)));
  for (const connection of first) await readLines(connection, 1);
  assert.deepEqual(await take(server.port, 1), []);
  first[0].close();
  await until("there is room again", async () => (await take(server.port, 1)).length === 1);
  for (const connection of first.slice(1)) connection.close();
  assert.ok((await server.stop()).refused >= 1);
});
