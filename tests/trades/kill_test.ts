/**
 * T-26: the stream is killed by SIGKILL while records come in, and started again, many times. What was received (the journal, read as
 * text) must be in the windows exactly once; no window may leave twice.
 *
 *   TRADES_KILLS=60 deno test -A --unstable-kv tests/trades/kill_test.ts      the long run
 */
import assert from "node:assert/strict";
import { at, Feed, inFolder, journaledIds, rows, send, start, trade, type WindowRow } from "./support.ts";

const KILLS = Number(Deno.env.get("TRADES_KILLS") ?? 6);
const SEED = 20264;
const TYPES = ["BUY", "SELL", "TRANSFER"];
const CURRENCIES = ["USD", "EUR", "JPY"];
const WINDOW_MS = 5_000;
/** Event time goes forward by this much with each record, so that windows close all the time. */
const STEP_MS = 40;
const START_MS = Date.UTC(2025, 8, 4, 12);

/** Everything about a record follows from its number, which is its id. */
const typeOf = (number: number): string => TYPES[number % 3];
const currencyOf = (number: number): string => CURRENCIES[Math.floor(number / 3) % 3];
const centsOf = (number: number): number => 1000 + number % 977;
const timeOf = (number: number): number => START_MS + number * STEP_MS;
const record = (number: number): string =>
  trade({
    id: String(number),
    timestamp: new Date(timeOf(number)).toISOString().slice(0, 23),
    type: typeOf(number),
    currency: currencyOf(number),
    price: (centsOf(number) / 100).toFixed(2),
  });

function random(): () => number {
  let state = SEED;
  return () => (state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5 | 0, (state >>> 0) / 2 ** 32);
}

Deno.test("T-26, D3: killed at any moment, nothing received is lost, no window leaves twice with different values", async () => {
  await inFolder(async (folder) => {
    let next = 0;
    // Goes on where it was with every client: what a client did not take is lost, as from any feed.
    const feed = new Feed(0, async (connection) => {
      for (;;) {
        await send(connection, record(next) + record(next + 1));
        next += 2;
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    });
    const words = ["stream", "-c", "config/trades", "--quiet", "--set", "epoch.every=20ms"];
    const draw = random();
    let killed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const steps = 5 + Math.floor(draw() * 160);
      const { code, killed: died, stderr } = await start(words, { ...at(folder, feed.port), MILLRACE_KILL_AFTER_STEPS: String(steps) })
        .ended;
      assert.ok(died, `kill ${kill} at step ${steps}: ended with ${code}\n${stderr}`);
      killed++;
    }
    const last = await start([...words, "--count", "200"], at(folder, feed.port)).ended;
    feed.close();
    assert.equal(last.code, 0, last.stderr);

    const numbers = (await journaledIds(`${folder}/journal`)).map(Number);
    assert.ok(numbers.length > 200, `${numbers.length} records`);
    assert.equal(new Set(numbers).size, numbers.length, "the feed gave no record twice");
    const expected = new Map<string, { count: number; cents: number }>();
    for (const number of numbers) {
      const end = (Math.floor(timeOf(number) / WINDOW_MS) + 1) * WINDOW_MS;
      const key = `${new Date(end).toISOString().replace(".000", "")} ${typeOf(number)} ${currencyOf(number)}`;
      const sum = expected.get(key) ?? { count: 0, cents: 0 };
      expected.set(key, { count: sum.count + 1, cents: sum.cents + centsOf(number) });
    }
    const windows = await rows<WindowRow>(`${folder}/windows`);
    const seen = new Map(windows.map((row) => [`${row.window_end} ${row.transaction_type} ${row.currency}`, row]));
    assert.equal(seen.size, windows.length, "a window left twice");
    for (const [key, { count, cents }] of expected) {
      const row = seen.get(key);
      assert.ok(row, `${key} is missing`);
      assert.deepEqual([row.count, Math.round(row.sum * 100)], [count, cents], key);
    }
    assert.equal(seen.size, expected.size, "windows of what was never received");
    const kept = await rows<{ reason: string }>(`${folder}/rejects`);
    // A line that a kill cut off was never whole: it is the next connection's feed that counts.
    assert.ok(kept.every(({ reason }) => reason === "truncated_tail"), JSON.stringify(kept.slice(0, 3)));
    console.log(`      ${killed} kills, ${numbers.length} records received of ${next} sent, ${windows.length} windows`);
  });
});
