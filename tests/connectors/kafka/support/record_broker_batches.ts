/**
 * Records what a real broker returns, for the tests that run without one: `deno run -A tests/connectors/kafka/support/record_broker_batches.ts`
 * writes broker_batches.json. Its topics compress anew what kafkajs sent, so these are the batches of Kafka's own Java code; one topic
 * holds committed and aborted transactions with their markers.
 */
import { Buffer } from "node:buffer";
import { fetchPartition } from "../../../../src/connectors/kafka/fetch_request.ts";
import type { ConnectionSettings } from "../../../../src/connectors/kafka/connection_settings.ts";
import { Cluster } from "../../../../src/connectors/kafka/cluster.ts";
import { kafkaBroker } from "../../../services/mod.ts";
import { BATCHES, ENDS, plainValue, type RecordedFetch, sentMessages } from "./recorded_fetch.ts";
import { type Client, loggedWorld, makeTopic, newTopic, withClient } from "./kafka_world.ts";

const CODECS = ["uncompressed", "gzip", "snappy", "lz4", "zstd"];

async function recordAll(brokers: string): Promise<RecordedFetch[]> {
  const [host, port] = brokers.split(":");
  const settings: ConnectionSettings = {
    brokers: [],
    clientId: "recorder",
    tls: "off",
    caFile: null,
    sasl: null,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
  };
  const connection = await new Cluster(settings, loggedWorld()).connectData({ host, port: Number(port) });
  const fetched = async (name: string, topic: string): Promise<RecordedFetch> => {
    const { records, aborted } = await fetchPartition(connection, { topic, partition: 0, offset: 0, bytesMax: 1 << 20, waitMs: 1000 });
    return {
      name,
      records: Buffer.from(records).toString("base64"),
      aborted: aborted.map(({ producerId, firstOffset }) => ({ producerId: String(producerId), firstOffset })),
    };
  };
  const made = await withClient(brokers, async (client) => {
    const results: RecordedFetch[] = [];
    for (const codec of CODECS) {
      const topic = await topicOf(client, codec);
      for (let batch = 0; batch < BATCHES; batch++) await client.producer.send({ topic, messages: sentMessages(batch) });
      results.push(await fetched(codec, topic));
    }
    const topic = await topicOf(client, "uncompressed");
    const writer = client.kafka.producer({ transactionalId: newTopic("recorder"), maxInFlightRequests: 1, idempotent: true });
    await writer.connect();
    for (const [batch, end] of ENDS.entries()) {
      const transaction = await writer.transaction();
      await transaction.send({ topic, messages: sentMessages(batch) });
      await client.producer.send({ topic, messages: [{ key: "plain", value: plainValue(batch), partition: 0 }] });
      await (end === "commit" ? transaction.commit() : transaction.abort());
    }
    await writer.disconnect();
    results.push(await fetched("transactions", topic));
    return results;
  });
  connection.close();
  return made;
}

async function topicOf(client: Client, codec: string): Promise<string> {
  const topic = newTopic(codec);
  await makeTopic(client, topic, 1, { "compression.type": codec });
  return topic;
}

const broker = await kafkaBroker();
if ("skipped" in broker) throw new Error(broker.skipped);
const recorded = await recordAll(broker.brokers);
await Deno.writeTextFile(new URL("broker_batches.json", import.meta.url), JSON.stringify(recorded, null, 2) + "\n");
