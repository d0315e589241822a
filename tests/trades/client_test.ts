/** `millrace client`, T-14: what it prints, what it finds, how it exits. */
import assert from "node:assert/strict";
import { Feed, run, send, trade } from "./support.ts";

const good = (id: number): string => trade({ id: String(id), timestamp: "2025-09-04T23:12:00" });
const serve = (text: string) =>
  new Feed(0, async (connection) => {
    await send(connection, text);
    connection.close();
  });

Deno.test("T-14: raw lines as they came, so many as wished, and a report beside them", async () => {
  const feed = serve(good(1) + good(2) + good(3));
  const { code, stdout, stderr } = await run(["client", `127.0.0.1:${feed.port}`, "--count", "2", "-c", "config/trades"]);
  feed.close();
  assert.equal(code, 0, stderr);
  assert.equal(stdout, good(1) + good(2));
  assert.match(stderr, /^2 records, \d+ bytes in [\d.]+ s/);
  assert.match(stderr, /every record is right \(schema "trade"\)/);
});

Deno.test("T-14: a line that is no valid record is told with its reason, and the exit code is 1", async () => {
  const wrong: readonly [line: string, reason: string][] = [
    ["nonsense\n", "json"],
    [good(1).replace('"total_amount": 10.0', '"total_amount": 10.5'), "mismatch:total_amount"],
    [good(1).replace('"BUY"', '"LEND"'), "one_of:transaction_type"],
    [good(1).slice(0, -1), "truncated_tail"],
    ["x".repeat(100_000) + "\n", "too-long"],
  ];
  for (const [line, reason] of wrong) {
    const feed = serve(good(1) + line);
    const { code, stdout, stderr } = await run(["client", `127.0.0.1:${feed.port}`, "--json", "-c", "config/trades"]);
    feed.close();
    assert.equal(code, 1, `${reason}: ${stderr}`);
    assert.deepEqual(JSON.parse(stdout).faults, { [reason]: 1 });
  }
});

Deno.test("T-14: as a health check it prints no record, needs one, and tells a feed that is silent, ended or not there", async () => {
  const well = serve(good(1));
  const healthy = await run(["client", `127.0.0.1:${well.port}`, "--check", "-c", "config/trades"]);
  well.close();
  assert.deepEqual([healthy.code, healthy.stdout], [0, ""]);
  const silent = new Feed(0, () => new Promise(() => {}));
  const quiet = await run(["client", `127.0.0.1:${silent.port}`, "--check", "--seconds", "1"]);
  silent.close();
  assert.equal(quiet.code, 1);
  assert.match(quiet.stderr, /nothing came/);
  const ended = serve("");
  assert.equal((await run(["client", `127.0.0.1:${ended.port}`, "--check"])).code, 1);
  ended.close();
  const gone = await run(["client", "127.0.0.1:1", "--check"]);
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /error\[unreachable\]: cannot connect to 127\.0\.0\.1:1/);
  assert.equal((await run(["client", "nowhere"])).code, 2);
});
