/** What leaves the trades stream beside its files: the topic of windows, and the lake. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { at, Feed, inFolder, rows, run, send, trade, type WindowRow } from "./support.ts";

const READ_TOPIC = `
kind = "batch"
[connections.bus]
type = "log"
path = "\${TRADES_OUTPUT}/log"
[connections.db]
type = "sqlite"
path = "\${TRADES_OUTPUT}/windows.sqlite"
[sources.windows]
connection = "bus"
topic = "trades.windows"
until = "idle 100ms"
fields = { key = "string", window_end = "timestamp", transaction_type = "string", currency = "string", count = "int", sum = "decimal(2)" }
[transforms.placed]
type = "map"
inputs = ["windows"]
set = { partition = "meta.partition" }
[sinks.table]
connection = "db"
inputs = ["placed"]
table = "windows"
mode = "append"
create = true
`;

Deno.test("T-27, W2: the windows are in a topic too, keyed by type and currency; the records are in the lake", async () => {
  await inFolder(async (folder) => {
    const currencies = ["USD", "EUR", "JPY"];
    const records = Array.from(
      { length: 60 },
      (_, i) => trade({ id: String(i), timestamp: `2025-09-04T23:12:${String(i).padStart(2, "0")}`, currency: currencies[i % 3] }),
    ).join("");
    const feed = new Feed(0, (connection, number) => number === 1 ? send(connection, records) : Promise.resolve());
    assert.equal((await run(["stream", "-c", "config/trades", "--count", "60", "--quiet"], at(folder, feed.port))).code, 0);
    feed.close();
    await Deno.writeTextFile(`${folder}/read.toml`, READ_TOPIC);
    const read = await run(["run", `${folder}/read.toml`, "--quiet"], { TRADES_OUTPUT: folder });
    assert.equal(read.code, 0, read.stderr);
    const database = new DatabaseSync(`${folder}/windows.sqlite`);
    const found = database.prepare("select key, transaction_type, currency, count, sum, partition from windows").all();
    database.close();
    const windows = await rows<WindowRow>(`${folder}/windows`);
    assert.equal(found.length, windows.length);
    assert.equal(windows.reduce((sum, { count }) => sum + count, 0), 60);
    const placeOf = new Map<unknown, unknown>();
    for (const { key, transaction_type, currency, partition } of found) {
      assert.equal(key, `${transaction_type}/${currency}`);
      assert.equal(placeOf.get(key) ?? partition, partition, "a key has one partition");
      placeOf.set(key, partition);
    }
    const files: string[] = [];
    for await (const { name } of Deno.readDir(`${folder}/lake/date=2025-09-04/hour=23`)) files.push(name);
    assert.ok(files.some((name) => name.endsWith(".parquet")), files.join());
  });
});
