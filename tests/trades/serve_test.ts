/** `millrace serve` as a program: start-up lines, signals, a taken port. */
import assert from "node:assert/strict";
import { freePort, inFolder, run, start, until } from "./support.ts";

const SERVE = ["serve", "-c", "config/trades", "--listen", "127.0.0.1:0"];

Deno.test("T-11, T-13: it says where it listens, keeps standard output for data, and a signal ends it with 0 within 2 s", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const server = start([...SERVE, "--rate", "max"]);
    await until("it listens", () => server.stderr().includes("listening on"));
    assert.match(server.stderr(), /serving trades, seed \d+, as fast as it is read, a sequence for each client/);
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(server.stderr())![1]);
    const reading = await Deno.connect({ hostname: "127.0.0.1", port });
    const standing = await Deno.connect({ hostname: "127.0.0.1", port });
    let text = "";
    const read = (async () => {
      for await (const chunk of reading.readable.pipeThrough(new TextDecoderStream())) text = (text + chunk).slice(-1000);
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const started = performance.now();
    server.child.kill(signal);
    const { code, stdout } = await server.ended;
    assert.ok(performance.now() - started < 2000, `${signal}: ${performance.now() - started} ms`);
    assert.deepEqual([code, stdout], [0, ""], signal);
    await read;
    assert.ok(text.endsWith("}\n"), `${signal}: the last record is whole`);
    standing.close();
  }
});

Deno.test("T-13: a taken port is told in one line with its number, and the exit code is not 0", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await run(["serve", "-c", "config/trades", "--listen", `127.0.0.1:${taken.addr.port}`]);
  taken.close();
  assert.equal(code, 1);
  assert.equal(stderr.split("\n")[0], `error[address_taken]: port ${taken.addr.port} on 127.0.0.1 is taken by another process`);
});

Deno.test("the same seed and start give the same bytes on the wire, whoever serves", async () => {
  const bytes = async (): Promise<string> => {
    const server = start([...SERVE, "--rate", "max"], { TRADES_SEED: "7", TRADES_START: "2025-09-04T23:11:55Z" });
    await until("it listens", () => server.stderr().includes("listening on"));
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(server.stderr())![1]);
    const { stdout } = await run(["client", `127.0.0.1:${port}`, "--count", "500"]);
    server.child.kill("SIGTERM");
    await server.ended;
    return stdout;
  };
  const first = await bytes();
  assert.equal(first.split("\n").length, 501);
  assert.equal(await bytes(), first);
});

Deno.test("what is made of a generator's records is served too, by epochs; --listen is for a generator alone", async () => {
  await inFolder(async (folder) => {
    const port = freePort();
    await Deno.writeTextFile(
      `${folder}/big.toml`,
      `
kind = "serve"
state = "${folder}/state"
[epoch]
every = "20ms"
[sources.orders]
type = "generate"
what = "trades"
seed = 7
rate = "500/s"
fields = { symbol = "string", quantity = "int" }
[transforms.big]
type = "filter"
inputs = ["orders"]
where = "quantity > 1000"
[sinks.feed]
type = "socket_server"
inputs = ["big"]
listen = "127.0.0.1:${port}"
`,
    );
    const server = start(["serve", "-c", `${folder}/big.toml`, "--quiet"]);
    await until("it serves", async () => (await run(["client", `127.0.0.1:${port}`, "--check"])).code === 0);
    const { stdout } = await run(["client", `127.0.0.1:${port}`, "--count", "50"]);
    server.child.kill("SIGTERM");
    assert.equal((await server.ended).code, 0, server.stderr());
    const rows = stdout.trim().split("\n").map((line) => JSON.parse(line) as { symbol: string; quantity: number });
    assert.equal(rows.length, 50);
    assert.ok(rows.every(({ quantity }) => quantity > 1000));
    const refused = await run(["serve", "-c", `${folder}/big.toml`, "--listen", "127.0.0.1:0"]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /--listen is for one generator behind one server; chosen are: big/);
  });
});
