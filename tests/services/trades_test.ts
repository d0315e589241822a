/** config/trades with its windows on a real Kafka, read by a client that is not ours. */
import assert from "node:assert/strict";
import { at, Feed, inFolder, rows, run, send, trade, type WindowRow } from "../trades/support.ts";
import { readWithKafkajs } from "./foreign_client.ts";
import { withServers } from "./mod.ts";

await withServers(
  "T-27: windows leave for Kafka exactly once, keyed by type and currency, a stop and a restart between them",
  ["kafka"],
  async ({ kafka }) => {
    await inFolder(async (folder) => {
      const topic = `trades.windows.${crypto.randomUUID()}`;
      const currencies = ["USD", "EUR", "JPY"];
      const records = (from: number): string =>
        Array.from({ length: 60 }, (_, i) => {
          const timestamp = new Date(Date.UTC(2025, 8, 4, 23) + (from + i) * 1000).toISOString().slice(0, 19);
          return trade({ id: String(from + i), timestamp, currency: currencies[i % 3] });
        }).join("");
      const feed = new Feed(0, async (connection, number) => await send(connection, records((number - 1) * 60)));
      const env = { ...at(folder, feed.port), TRADES_BACKEND: "servers", KAFKA_BROKERS: kafka.brokers, TRADES_TOPIC: topic };
      for (let part = 0; part < 2; part++) {
        const { code, stderr } = await run(["stream", "-c", "config/trades", "--count", "60", "--quiet"], env);
        assert.equal(code, 0, stderr);
      }
      feed.close();
      const windows = await rows<WindowRow>(`${folder}/windows`);
      const messages = await readWithKafkajs(kafka.brokers, topic, windows.length);
      assert.equal(messages.length, windows.length);
      const partitionOf = new Map<string, number>();
      const told = messages.map(({ key, value, partition }) => {
        const { key: field, ...row } = JSON.parse(value!) as WindowRow & { key: string };
        assert.equal(key, `${row.transaction_type}/${row.currency}`);
        assert.equal(field, key);
        assert.equal(partitionOf.get(key) ?? partition, partition, "a key has one partition");
        partitionOf.set(key, partition);
        return JSON.stringify(row);
      });
      assert.deepEqual(told.sort(), windows.map((row) => JSON.stringify(row)).sort());
      assert.equal(windows.reduce((sum, { count }) => sum + count, 0), 120);
    });
  },
);
