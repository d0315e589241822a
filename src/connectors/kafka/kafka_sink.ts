/** The `kafka` sink: settings, their check, and the plan. */
import type { SinkContext, SinkPlan, SinkSpec } from "../../component/component.ts";
import { assert } from "../../data/fault.ts";
import { planRecordKey } from "../key_partitioner.ts";
import { planTopicFormat, TOPIC_FORMAT } from "../topic_format.ts";
import { checkTopicName } from "../topic_name.ts";
import type { CompressionName } from "./compression.ts";
import { connectionSettings } from "./connection_settings.ts";
import { inspectSink } from "./inspect.ts";
import { proofTopic, topicName } from "./proof.ts";
import { readTopicRecords } from "./delivered_topic.ts";
import { topicPlace } from "./kafka_source.ts";
import { TopicSink } from "./topic_sink.ts";

const GUARANTEES = {
  exactly_once: {
    guarantee: "exactly-once",
    guaranteeNote: "records and marker in one transaction, for readers of committed records",
  },
  at_least_once: {
    guarantee: "at-least-once",
    guaranteeNote: "records are sent before the checkpoint, and sent again after a crash",
    guaranteeHint: 'guarantee = "exactly_once" at the sink writes an epoch in one transaction',
  },
} as const;

export const kafkaSink: SinkSpec = {
  role: "sink",
  type: "kafka",
  connection: "kafka",
  summary: "Appends records to a Kafka topic, exactly once.",
  notes: `An epoch's records and its marker are one transaction: a reader with \`isolation.level = read_committed\` (millrace's own source
is one) sees each record once, whatever died in between. Other readers see aborted records too. Every record is acknowledged by all
replicas in sync (acks = all).

The transactional ids are \`millrace.PIPELINE.SINK.LANE\`, the markers are offsets of the groups \`millrace.epochs.PIPELINE.SINK.LANE\`; where
the cluster has access rules, the user may write the ids and read the groups. Two projects on one cluster need different names of pipeline
or sink. The cluster forgets offsets of idle groups after \`offsets.retention.minutes\` (a week): a pipeline that is away for longer in the
middle of a run stops with \`marker_mismatch\`.

With \`guarantee = "at_least_once"\` there are no transactions: what is tried again by the same process is there once (idempotent producer),
but an epoch that was sent and not yet recorded when the process died is sent again, and readers see its records twice.

A key's partition is the one Kafka's Java client chooses for the key's text; records without a key go round by \`meta.position\`. A topic keeps what it holds: a new run
appends to it, \`--rerun\` too. A bounded pipeline leaves a note for its readers' \`until = "end"\` (see the source \`kafka\`); one
bounded pipeline at a time should write a topic. Numbers of partitions are read when the pipeline starts.`,
  settings: {
    kind: "group",
    doc: "A Kafka topic.",
    fields: {
      topic: { kind: "text", doc: "The topic's name." },
      create: {
        kind: "group",
        optional: true,
        doc: "Makes the topic where it is missing; one that is there stays as it is.",
        fields: {
          partitions: { kind: "int", unit: "partitions", min: 1, max: 10_000, default: 1, doc: "Number of partitions." },
          replication: {
            kind: "int",
            unit: "replicas",
            min: 1,
            max: 100,
            optional: true,
            doc: "Brokers that hold each partition. Default: as the cluster is set up.",
          },
        },
      },
      guarantee: {
        kind: "choice",
        default: "exactly_once",
        doc: "What readers can rely on after a crash.",
        choices: {
          exactly_once: "each record once, for readers of committed records",
          at_least_once: "records of the last epoch may come again, seen at once and by all readers",
        },
      },
      transaction_timeout: {
        kind: "duration",
        default: "10s",
        doc: "How long an epoch's delivery may take, and how long readers wait for a writer that died in it. Exactly-once only.",
      },
      origin: {
        kind: "choice",
        optional: true,
        doc:
          "Where \`meta.origin\` goes, for readers that restore the order of the input. Default: header where the input ends, else none.",
        choices: { header: "into the header \`millrace-origin\` of each record, as decimal text", none: "it is not kept" },
      },
      compression: {
        kind: "choice",
        default: "none",
        doc: "How batches of records are compressed: less to send and to store, for work at both ends.",
        choices: {
          none: "not at all",
          lz4: "quick, to about a third",
          snappy: "quick, to about a third, for older readers",
          zstd: "as quick, to about a sixth; brokers and readers from Kafka 2.1 on",
          gzip: "what every reader knows",
        },
      },
      key: { kind: "cel", optional: true, doc: "The record's key, written as its text: an int, a decimal or a string." },
      format: TOPIC_FORMAT,
    },
  },
  examples: [{
    title: "A topic of four partitions",
    toml: `[connections.bus]
type    = "kafka"
brokers = "127.0.0.1:9092"

[sinks.topic]
connection = "bus"
inputs     = ["payments"]
topic      = "payments"
key        = "id"
create     = { partitions = 4 }
`,
  }],
  plan: planKafkaSink,
};

function planKafkaSink(context: SinkContext): SinkPlan | null {
  const { settings, connection, name, bounded } = context;
  assert(connection, "a kafka sink has a connection");
  const connecting = connectionSettings(connection, context);
  const configured = settings.text("topic");
  const topic = topicName(context, configured);
  const isNamed = checkTopicName(configured, settings.at("topic"), context);
  const format = planTopicFormat(context);
  const key = settings.has("key") ? planRecordKey(context, format?.keys) : undefined;
  if (!connecting || !isNamed || key === null || !format) return null;
  const create = settings.has("create") ? settings.group("create") : null;
  const promise = GUARANTEES[settings.text("guarantee") as keyof typeof GUARANTEES];
  return {
    ...promise,
    needs: new Set([...format.needs, ...key?.expression.uses ?? []]),
    place: topicPlace(topic),
    proof: proofTopic(context, connecting, topic, create ? null : configured),
    delivered: (world) => readTopicRecords(connecting, topic, world),
    inspect: (world) => inspectSink(connecting, topic, create && { partitions: create.number("partitions") }, world),
    create: (world) =>
      new TopicSink({
        world,
        connecting,
        node: name,
        topic,
        guarantee: promise.guarantee,
        transactionTimeoutMs: settings.number("transaction_timeout"),
        create: create && {
          partitions: create.number("partitions"),
          replication: create.has("replication") ? create.number("replication") : -1,
        },
        key: key ?? null,
        encoder: format.encoder,
        headers: originPlace(context) === "header" ? "origin" : "none",
        compression: settings.text("compression") as CompressionName | "none",
        ends: bounded ? "bounded" : "endless",
      }),
  };
}

/** Where nobody says, the order of an input that ends can be wanted back, that of an endless one cannot. */
function originPlace({ settings, bounded }: SinkContext): string {
  if (settings.has("origin")) return settings.text("origin");
  return bounded ? "header" : "none";
}
