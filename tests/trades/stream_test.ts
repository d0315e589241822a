/** The trades stream end to end, by the statements of its specification; what is served is a test's own. */
import assert from "node:assert/strict";
import { at, Feed, freePort, inFolder, journaledIds, rows, run, send, start, trade, until, type WindowRow } from "./support.ts";

const STREAM = ["stream", "-c", "config/trades"];
const windowsOf = (folder: string): Promise<WindowRow[]> => rows<WindowRow>(`${folder}/windows`);
const short = ({ window_end, transaction_type, currency, count, sum, partial }: WindowRow): string =>
  `${window_end} ${transaction_type} ${currency} ${count} ${sum.toFixed(2)}${partial ? " partial" : ""}`;
/** Serves one text to the first client and keeps the connection open. */
const once = (text: string) => new Feed(0, async (connection, number) => number === 1 ? await send(connection, text) : undefined);

const PUBLISHED = [
  trade({ id: "1", timestamp: "2025-09-04T23:11:55.454871", type: "SELL", price: "83487.64", currency: "JPY" }),
  trade({ id: "2", timestamp: "2025-09-04T23:11:56.466", type: "BUY", price: "25791.87" }),
  trade({ id: "3", timestamp: "2025-09-04T23:11:57.477", type: "SELL", price: "31281.11" }),
  trade({ id: "4", timestamp: "2025-09-04T23:11:58.488", type: "TRANSFER", price: "6985.93", currency: "CAD" }),
  trade({ id: "5", timestamp: "2025-09-04T23:11:59.499", type: "SELL", price: "4770496.5" }),
  trade({ id: "6", timestamp: "2025-09-04T23:12:00", type: "BUY", price: "10260.3" }),
  trade({ id: "7", timestamp: "2025-09-04T23:12:01.5", type: "BUY", price: "2793390.48" }),
  trade({ id: "8", timestamp: "2025-09-04T23:12:02.5", type: "BUY", price: "281842.26" }),
  // Past the end of the second window by more than the lateness: both are closed.
  trade({ id: "9", timestamp: "2025-09-04T23:12:07.5", type: "SELL", price: "1.0" }),
].join("");

Deno.test("T-15, T-16, T-18 to T-21, T-23: published windows, exact, by type and currency, labelled by their end, the open one partial", async () => {
  await inFolder(async (folder) => {
    const feed = once(PUBLISHED);
    const { code, stdout } = await run([...STREAM, "--count", "9", "--quiet"], at(folder, feed.port));
    feed.close();
    assert.equal(code, 0);
    assert.deepEqual((await windowsOf(folder)).map(short), [
      "2025-09-04T23:12:00Z BUY USD 1 25791.87",
      "2025-09-04T23:12:00Z SELL JPY 1 83487.64",
      "2025-09-04T23:12:00Z SELL USD 2 4801777.61",
      "2025-09-04T23:12:00Z TRANSFER CAD 1 6985.93",
      "2025-09-04T23:12:05Z BUY USD 3 3085493.04",
      "2025-09-04T23:12:10Z SELL USD 1 1.00 partial",
    ]);
    const title = "=== Transaction Counts by Type (last 5s) ===";
    assert.ok(stdout.startsWith(`${title}\nBUY: 1\nSELL: 3\nTRANSFER: 1\n\n${title}\nBUY: 3\n\n${title}\nSELL: 1\n`), stdout);
    assert.ok(!stdout.includes("\x1b"), "no drawing where nobody looks");
  });
});

Deno.test("T-20, T-21: with the original's single key sums are as the author saw them, but exact", async () => {
  await inFolder(async (folder) => {
    const feed = once(
      trade({ id: "a", timestamp: "2025-09-04T22:33:03.5", type: "TRANSFER", price: "65772.3", currency: "JPY" }) +
        trade({ id: "b", timestamp: "2025-09-04T22:33:05.9", type: "TRANSFER", price: "142228.35", currency: "CAD" }),
    );
    const words = [...STREAM, "--count", "2", "--quiet", "--set", "params.single_key=true", "--set", "params.window=3s"];
    assert.equal((await run(words, at(folder, feed.port))).code, 0);
    feed.close();
    assert.deepEqual((await windowsOf(folder)).map(short), ["2025-09-04T22:33:06Z TRANSFER  2 208000.65 partial"]);
  });
});

Deno.test("T-1, T-9, D4 and the malformed table: each bad line leaves with its reason and its bytes, the stream goes on", async () => {
  await inFolder(async (folder) => {
    const good = trade({ id: "g", timestamp: "2025-09-04T23:12:00" }).trim();
    const change = (from: string, to: string, id: string): string => good.replace(from, to).replace('"g"', `"${id}"`);
    const cases: readonly [line: string, reason: string | null][] = [
      [good, null],
      ["not JSON", "json"],
      ["", "json"],
      ["[1, 2]", "json"],
      [good.replace('"transaction_type": "BUY", ', ""), "missing:transaction_type"],
      [good.replace('"total_amount": 10.0, ', ""), "missing:total_amount"],
      [change('"BUY"', '"HOLD"', "1"), "one_of:transaction_type"],
      [change('"total_amount": 10.0', '"total_amount": "10.0"', "2"), "type:total_amount"],
      [change('"total_amount": 10.0', '"total_amount": 10.01', "3"), "mismatch:total_amount"],
      [change('"price": 10.0', '"price": 10.005', "4"), "scale:price"],
      [change('"price": 10.0', '"price": NaN', "5"), "json"],
      [change('"timestamp": "2025-09-04T23:12:00"', '"timestamp": "2025-09-31T23:12:00"', "6"), "type:timestamp"],
      [change('"exchange": "NYSE"', '"exchange": "NYSE", "note": "more"', "7"), null],
      [change('"price": 10.0, "total_amount": 10.0', '"price": 1e1, "total_amount": 10.00', "8"), null],
      [change('"price": 10.0, "total_amount": 10.0', '"price": 10, "total_amount": 10', "9"), null],
      [good.replace("}", ` , "pad": "${"x".repeat(70_000)}"}`), "too-long"],
    ];
    const feed = new Feed(0, async (connection, number) => {
      if (number > 1) return;
      await send(connection, cases.map(([line]) => line + "\n").join("") + '{"transaction_id": "t');
      connection.close();
    });
    const { code, stderr } = await run([...STREAM, "--count", String(cases.length + 1), "--quiet"], at(folder, feed.port));
    feed.close();
    assert.equal(code, 0, stderr);
    const rejects = await rows<{ received_at: string; source: string; reason: string; raw: string }>(`${folder}/rejects`);
    const expected = cases.filter(([, reason]) => reason !== null).map(([line, reason]) => ({ reason, raw: line.slice(0, 64 << 10) }));
    expected.push({ reason: "truncated_tail", raw: '{"transaction_id": "t' });
    const byText = (a: { raw: string }, b: { raw: string }): number => a.raw < b.raw ? -1 : 1;
    // What the schema's `require` refuses is refused one step later than what cannot be read.
    assert.deepEqual(rejects.map(({ reason, raw }) => ({ reason, raw })).sort(byText), expected.sort(byText));
    for (const { received_at, source } of rejects) {
      assert.equal(source, "feed");
      assert.ok(Math.abs(Date.parse(received_at) - Date.now()) < 120_000, received_at);
    }
    // "1.0", "1e1", "10" and "10.00" are one amount; the first record, the one with a field more and these two.
    assert.deepEqual((await windowsOf(folder)).map(short), ["2025-09-04T23:12:05Z BUY USD 4 40.00 partial"]);
  });
});

Deno.test("T-17 and the order of checks: late records go to a side output, repeated ones are counted once, lateness first", async () => {
  await inFolder(async (folder) => {
    const feed = once([
      trade({ id: "1", timestamp: "2025-09-04T23:12:01" }),
      trade({ id: "2", timestamp: "2025-09-04T23:12:09" }),
      trade({ id: "1", timestamp: "2025-09-04T23:12:01" }), // Late and repeated: late.
      trade({ id: "3", timestamp: "2025-09-04T23:12:04" }), // Late: its window was closed at 23:12:07.
      trade({ id: "2", timestamp: "2025-09-04T23:12:09" }), // Repeated.
      trade({ id: "4", timestamp: "2025-09-04T23:12:07" }), // On the watermark: not late.
    ].join(""));
    assert.equal((await run([...STREAM, "--count", "6", "--quiet"], at(folder, feed.port))).code, 0);
    feed.close();
    assert.deepEqual((await windowsOf(folder)).map(short), [
      "2025-09-04T23:12:05Z BUY USD 1 10.00",
      "2025-09-04T23:12:10Z BUY USD 2 20.00 partial",
    ]);
    assert.deepEqual((await rows<{ transaction_id: string }>(`${folder}/late`)).map((row) => row.transaction_id), ["1", "3"]);
  });
});

Deno.test("D7: a time without zone is of the configured zone; one that the zone skips is refused", async () => {
  await inFolder(async (folder) => {
    const feed = once(
      trade({ id: "1", timestamp: "2025-03-30T01:59:59" }) + trade({ id: "2", timestamp: "2025-03-30T02:30:00" }) +
        trade({ id: "3", timestamp: "2025-03-30T03:00:00" }),
    );
    const env = { ...at(folder, feed.port), TRADES_ZONE: "Europe/Berlin" };
    assert.equal((await run([...STREAM, "--count", "3", "--quiet"], env)).code, 0);
    feed.close();
    assert.deepEqual((await windowsOf(folder)).map(({ window_start, count }) => `${window_start} ${count}`), [
      "2025-03-30T00:59:55Z 1",
      "2025-03-30T01:00:00Z 1",
    ]);
    assert.deepEqual((await rows<{ reason: string }>(`${folder}/rejects`)).map((row) => row.reason), ["type:timestamp"]);
  });
});

Deno.test("options: arrival time, unknown fields refused, sums unchecked", async () => {
  await inFolder(async (folder) => {
    const feed = once(
      trade({ id: "1", timestamp: "2025-09-04T23:12:01", total: "11.0" }) +
        trade({ id: "2", timestamp: "1999-01-01T00:00:00" }).replace("}", ', "x": 1}'),
    );
    const words = [...STREAM, "--count", "2", "--quiet", "--set", "params.check_sum=false", "--set", "params.clock=arrival"];
    assert.equal((await run(words, { ...at(folder, feed.port), TRADES_UNKNOWN_FIELDS: "reject" })).code, 0);
    feed.close();
    const [window, ...more] = await windowsOf(folder);
    assert.equal(more.length, 0);
    assert.ok(Math.abs(Date.parse(window.window_start) - Date.now()) < 120_000, "windows of arrival");
    assert.deepEqual((await rows<{ reason: string }>(`${folder}/rejects`)).map((row) => row.reason), ["unknown:x"]);
  });
});

Deno.test("T-25: the feed goes away and comes back: the gap is logged, open windows survive it", async () => {
  await inFolder(async (folder) => {
    const port = freePort();
    const records = (from: number): string =>
      Array.from({ length: 10 }, (_, i) => trade({ id: String(from + i), timestamp: "2025-09-04T23:12:01" })).join("");
    const first = new Feed(port, async (connection) => {
      await send(connection, records(0).slice(0, -20));
      await new Promise((resolve) => setTimeout(resolve, 300));
      await send(connection, records(0).slice(-20));
      await new Promise((resolve) => setTimeout(resolve, 300));
      connection.close();
    });
    const stream = start([...STREAM, "--count", "20", "--quiet"], at(folder, port));
    await until("the feed is lost", () => stream.stderr().includes("feed_lost"));
    first.close();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const second = new Feed(port, (connection) => send(connection, records(10)));
    const { code, stderr } = await stream.ended;
    second.close();
    assert.equal(code, 0, stderr);
    const gap = /feed_gap .*start=(\S+) end=(\S+) seconds=([\d.]+) missedAbout=(\d+)/.exec(stderr);
    assert.ok(gap, stderr);
    assert.ok(Number(gap[3]) > 1 && Date.parse(gap[2]) > Date.parse(gap[1]), gap[0]);
    // Ten in about 0.3 s before it: the guess follows from that rate.
    assert.ok(Number(gap[4]) > 5, gap[0]);
    assert.match(stderr, /feed_unreachable/);
    assert.deepEqual((await windowsOf(folder)).map(short), ["2025-09-04T23:12:05Z BUY USD 20 200.00 partial"]);
  });
});

Deno.test("T-23: a signal in the middle of a fast feed: every record received is in exactly one window", async () => {
  for (const [signal, wished] of [["SIGTERM", 0], ["SIGINT", 130]] as const) {
    await inFolder(async (folder) => {
      const feed = new Feed(0, async (connection) => {
        const second = (number: number): string => new Date(Date.UTC(2025, 8, 4) + number * 10).toISOString().slice(0, 23);
        for (let number = 0;; number += 100) {
          const some = Array.from({ length: 100 }, (_, i) => trade({ id: String(number + i), timestamp: second(number + i) }));
          await send(connection, some.join(""));
        }
      });
      const stream = start([...STREAM, "--quiet"], at(folder, feed.port));
      await until("windows close", async () => (await journaledIds(`${folder}/journal`).catch(() => [])).length > 5000);
      stream.child.kill(signal);
      const { code, stderr } = await stream.ended;
      feed.close();
      assert.equal(code, wished, stderr);
      const windows = await windowsOf(folder);
      const ids = await journaledIds(`${folder}/journal`);
      assert.equal(windows.reduce((sum, { count }) => sum + count, 0), new Set(ids).size, signal);
      // Open are the last one and, with a lateness of two seconds, perhaps the one before.
      const open = windows.filter(({ partial }) => partial).length;
      assert.ok(open === 1 || open === 2, `${open} partial`);
      assert.ok(windows.slice(-open).every(({ partial }) => partial), "the last ones");
    });
  }
});

Deno.test("T-24, D1, W1: stopped and started again 20 times against one running server, records come within 2 s of each start", async () => {
  await inFolder(async (folder) => {
    const server = start(["serve", "-c", "config/trades", "--listen", "127.0.0.1:0", "--rate", "50"], { TRADES_OUTPUT: folder });
    await until("it listens", () => server.stderr().includes("listening on"));
    const port = Number(/listening on 127\.0\.0\.1:(\d+)/.exec(server.stderr())![1]);
    // What starting alone costs on this machine just now.
    const startedMs = performance.now();
    await run(["check", "config/trades"], at(folder, port));
    const startMs = performance.now() - startedMs;
    for (let time = 0; time < 20; time++) {
      const before = performance.now();
      const { code, stderr } = await run([...STREAM, "--count", "3", "--quiet"], at(folder, port));
      const tookMs = performance.now() - before;
      assert.equal(code, 0, stderr);
      assert.ok(tookMs < 2000 + 2 * startMs, `start ${time + 1}: ${Math.round(tookMs)} ms, of which starting takes ${Math.round(startMs)}`);
    }
    server.child.kill("SIGTERM");
    assert.equal((await server.ended).code, 0);
    assert.match(server.stderr(), /stopped: [\d,]+ records to 20 clients/);
    const counted = (await windowsOf(folder)).reduce((sum, { count }) => sum + count, 0);
    assert.equal(counted, (await journaledIds(`${folder}/journal`)).length, "every record received is in exactly one window");
  });
});

Deno.test("a whole project runs in one process: the feed and the stream that reads it", async () => {
  await inFolder(async (folder) => {
    const port = freePort();
    const env = { ...at(folder, port), TRADES_LISTEN: `127.0.0.1:${port}`, TRADES_RATE: "200/s" };
    const { code, stderr } = await run(["run", "config/trades", "--count", "300"], env);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /serve +listening on 127\.0\.0\.1/);
    const counted = (await windowsOf(folder)).reduce((sum, { count }) => sum + count, 0);
    assert.ok(counted >= 300, `${counted} records`);
  });
});
