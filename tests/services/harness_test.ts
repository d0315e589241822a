/** The servers of the tests themselves: they start, keep their data over a stop, and are reached by independent clients. */
import assert from "node:assert/strict";
import { withServers } from "./mod.ts";

await withServers("a stopped MySQL server has its rows when it is started again", ["mysql"], async ({ mysql }) => {
  await mysql.admin("CREATE OR REPLACE TABLE millrace.kept (id INT PRIMARY KEY); INSERT INTO millrace.kept VALUES (1), (2)");
  await mysql.stop();
  await assert.rejects(mysql.admin("SELECT 1"));
  await mysql.start();
  assert.deepEqual(await mysql.rows("SELECT id FROM millrace.kept ORDER BY id"), [["1"], ["2"]]);
  await mysql.admin("DROP TABLE millrace.kept");
});

await withServers("a stopped PostgreSQL server has its rows when it is started again", ["postgres"], async ({ postgres }) => {
  await postgres.admin("CREATE TABLE kept (id INT PRIMARY KEY); INSERT INTO kept VALUES (1), (2)");
  await postgres.stop();
  await assert.rejects(postgres.admin("SELECT 1"));
  await postgres.start();
  assert.deepEqual(await postgres.rows("SELECT id FROM kept ORDER BY id"), [["1"], ["2"]]);
  await postgres.admin("DROP TABLE kept");
});

await withServers("a stopped Kafka broker answers at the same address when it is started again", ["kafka"], async ({ kafka }) => {
  const [hostname, port] = kafka.brokers.split(":");
  const connect = async () => (await Deno.connect({ hostname, port: Number(port) })).close();
  await connect();
  await kafka.stop();
  await assert.rejects(connect());
  await kafka.start();
  await connect();
});

await withServers(
  "a stopped ClickHouse server has its rows when it is started again, and knows who asks",
  ["clickhouse"],
  async ({ clickhouse }) => {
    await clickhouse.admin("CREATE TABLE kept (id Int32) ENGINE = MergeTree ORDER BY id");
    await clickhouse.admin("INSERT INTO kept VALUES (1), (2)");
    await clickhouse.stop();
    await assert.rejects(clickhouse.admin("SELECT 1"));
    await clickhouse.start();
    assert.deepEqual(await clickhouse.rows("SELECT id FROM kept ORDER BY id"), [["1"], ["2"]]);
    await clickhouse.admin("DROP TABLE kept");
    const stranger = await fetch(clickhouse.url, { method: "POST", body: "SELECT 1", headers: { "X-ClickHouse-User": "millrace" } });
    assert.equal(stranger.headers.get("x-clickhouse-exception-code"), "516");
    assert.match(await stranger.text(), /Authentication failed/);
  },
);
