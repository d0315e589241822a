/**
 * A Kafka topic between two stages of a pipeline. A new run of the first stage empties it, for it belongs to the pipeline alone; its
 * lanes' transactions hold rows and marker, and the second stage reads what is committed.
 */
import type { ExchangeContext, ExchangePlan } from "../../component/exchange.ts";
import { assert } from "../../data/fault.ts";
import { EXCHANGE_NOTE, planExchangeEnds } from "../exchange/plan_exchange.ts";
import { connectionSettings } from "./connection_settings.ts";
import { inspectSink } from "./inspect.ts";
import { KafkaSource, topicPlace } from "./kafka_source.ts";
import { EXCHANGE_SESSION_TIMEOUT_MS, EXCHANGE_TRANSACTION_TIMEOUT_MS } from "./limits.ts";
import { proofTopic, readTopic, topicName } from "./proof.ts";
import { TopicSink } from "./topic_sink.ts";

/** null when faults were reported. */
export function planKafkaExchange(context: ExchangeContext): ExchangePlan | null {
  const { connection, name, lanes, timed, bounded, reader } = context;
  assert(connection, "an exchange has a connection");
  const connecting = connectionSettings(connection, context);
  const ends = planExchangeEnds(context);
  const topic = topicName(context, context.topic);
  if (!connecting || ends === null) return null;
  return {
    sink: {
      guarantee: "exactly-once",
      guaranteeNote: EXCHANGE_NOTE,
      needs: ends.needs,
      place: topicPlace(topic),
      proof: proofTopic(context, connecting, topic, null),
      inspect: (world) => inspectSink(connecting, topic, { partitions: lanes }, world),
      create: (world) =>
        new TopicSink({
          world,
          connecting,
          node: name,
          topic,
          guarantee: "exactly-once",
          transactionTimeoutMs: EXCHANGE_TRANSACTION_TIMEOUT_MS,
          create: { partitions: lanes, replication: -1 },
          key: ends.key,
          encoder: ends.encoder(),
          headers: "none",
          compression: "none",
          ends: bounded ? "bounded" : "endless",
          exchange: { nullKeys: "together", carriesTime: timed },
        }),
    },
    source: {
      bounded,
      partitionedBy: null,
      partitioned: true,
      isShared: context.replicas === "several" && !bounded,
      place: topicPlace(topic),
      proof: readTopic(context),
      create: (world) =>
        new KafkaSource({
          world,
          connecting,
          node: name,
          topic,
          start: "earliest",
          until: { kind: bounded ? "end" : "never" },
          rows: () => ends.rows(),
          group: { group: `millrace.${reader}.${name}`, member: null, sessionTimeoutMs: EXCHANGE_SESSION_TIMEOUT_MS },
        }),
    },
  };
}
