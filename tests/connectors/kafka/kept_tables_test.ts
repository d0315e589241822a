/** Tables kept from topics of a real broker: read to their end before records look into them, and followed while they do. */
import assert from "node:assert/strict";
import { withServers } from "../../services/mod.ts";
import { type Clone, freshClone, runMillrace, startMillrace } from "../../support/clone.ts";
import { type Client, makeTopic, newTopic, withClient } from "./support/kafka_world.ts";

const KAFKA = ["kafka"] as const;

interface Topics {
  readonly accounts: string;
  readonly payments: string;
}
const pipeline = (brokers: string, { accounts, payments }: Topics, until: string, missing: string): string => `
[epoch]
every = "20ms"

[connections.bus]
type    = "kafka"
brokers = "${brokers}"

[sources.payments]
connection = "bus"
topic      = "${payments}"
fields     = { id = "int", account = "string" }
until      = "${until}"

[tables.accounts]
connection = "bus"
topic      = "${accounts}"
key        = "id"
missing    = "${missing}"
format     = "debezium"
fields     = { id = "string", name = "string" }

[transforms.seen]
type   = "lookup"
inputs = ["payments"]
lookup = { row = "accounts[account]" }
set    = { name = "coalesce(row.name, '?')" }

[sinks.out]
type   = "ndjson"
inputs = ["seen"]
path   = "out"
roll   = { every = "100ms" }
`;

async function withTopics(brokers: string, body: (client: Client, topics: Topics, clone: Clone) => Promise<void>): Promise<void> {
  const topics = { accounts: newTopic("accounts"), payments: newTopic("payments") };
  const clone = await freshClone();
  try {
    await withClient(brokers, async (client) => {
      await makeTopic(client, topics.accounts, 2);
      await makeTopic(client, topics.payments, 2);
      await body(client, topics, clone);
    });
  } finally {
    await clone.remove();
  }
}
const account = (id: string, name: string | null, partition: number) => ({
  key: id,
  value: JSON.stringify(name === null ? { id, name: null, __deleted: "true" } : { id, name, __deleted: "false" }),
  partition,
});
const payment = (id: number, account: string) => ({ key: String(id), value: JSON.stringify({ id, account }), partition: id % 2 });

/** What is in files that are closed, "id name", by id. */
async function written(folder: string): Promise<string[]> {
  const lines: string[] = [];
  const files = await Array.fromAsync(Deno.readDir(`${folder}/out`)).catch(() => []);
  for (const { name, isFile } of files) {
    if (!isFile || !name.endsWith(".ndjson")) continue;
    lines.push(...(await Deno.readTextFile(`${folder}/out/${name}`)).trim().split("\n").filter((line) => line !== ""));
  }
  return lines.map((line) => JSON.parse(line)).sort((a, b) => a.id - b.id || (a.name < b.name ? -1 : 1)).map(({ id, name }) =>
    `${id} ${name}`
  );
}

await withServers("kafka: records look into a table that has been read to its end, one behind aborted rows", KAFKA, async ({ kafka }) => {
  await withTopics(kafka.brokers, async (client, topics, { folder }) => {
    const { producer } = client;
    await producer.send({ topic: topics.payments, messages: Array.from({ length: 40 }, (_, id) => payment(id, `a${id % 4}`)) });
    await producer.send({ topic: topics.accounts, messages: [account("a0", "old", 0), account("a1", "one", 1), account("a2", "two", 0)] });
    await producer.send({ topic: topics.accounts, messages: [account("a0", "zero", 0), account("a2", null, 0)] });
    // The end of a partition lies behind its last committed row.
    const aborting = client.kafka.producer({ transactionalId: `${topics.accounts}-aborts`, idempotent: true, maxInFlightRequests: 1 });
    await aborting.connect();
    const transaction = await aborting.transaction();
    await transaction.send({ topic: topics.accounts, messages: [account("a0", "never", 0), account("a1", "never", 1)] });
    await transaction.abort();
    await aborting.disconnect();
    await Deno.writeTextFile(`${folder}/p.toml`, pipeline(kafka.brokers, topics, "end", "null"));
    const { code, output } = await runMillrace(["run", "p.toml", "-q"], folder);
    assert.equal(code, 0, output);
    const names = ["zero", "one", "?", "?"];
    assert.deepEqual(await written(folder), Array.from({ length: 40 }, (_, id) => `${id} ${names[id % 4]}`));
  });
});

await withServers("kafka: a stream killed between them lets records come out again when rows come", KAFKA, async ({ kafka }) => {
  await withTopics(kafka.brokers, async ({ producer }, topics, { folder }) => {
    await Deno.writeTextFile(`${folder}/p.toml`, pipeline(kafka.brokers, topics, "never", "emit_again"));
    await producer.send({ topic: topics.accounts, messages: [account("a0", "zero", 0)] });
    const until = async (wished: readonly string[]): Promise<void> => {
      let seen: string[] = [];
      for (let tries = 0; tries < 400; tries++) {
        seen = await written(folder);
        if (seen.length >= wished.length) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.deepEqual(seen, wished);
    };
    const first = startMillrace(["run", "p.toml", "-q"], folder);
    await producer.send({ topic: topics.payments, messages: [payment(0, "a0"), payment(1, "a1"), payment(2, "a2")] });
    await until(["0 zero", "1 ?", "2 ?"]);
    first.kill("SIGKILL");
    await Promise.all([first.status, first.stdout.cancel(), first.stderr.cancel()]);
    await producer.send({ topic: topics.accounts, messages: [account("a1", "one", 1)] });
    const second = startMillrace(["run", "p.toml", "-q"], folder);
    await until(["0 zero", "1 ?", "1 one", "2 ?"]);
    await producer.send({ topic: topics.accounts, messages: [account("a2", "two", 0), account("a0", "null", 0)] });
    await until(["0 zero", "1 ?", "1 one", "2 ?", "2 two"]);
    second.kill("SIGTERM");
    const [{ code }] = await Promise.all([second.status, second.stdout.cancel(), second.stderr.cancel()]);
    assert.equal(code, 0);
  });
});
