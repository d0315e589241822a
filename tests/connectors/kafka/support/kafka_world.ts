/** The real clock and network with a log that is kept, and kafkajs as the client that knows nothing of ours. */
import { type Admin, Kafka, logLevel, type Producer } from "kafkajs";
import { denoClock } from "../../../../src/platform/clock.ts";
import { denoNet } from "../../../../src/platform/net.ts";
import type { World } from "../../../../src/ports/mod.ts";
import type { Source } from "../../../../src/engine/contracts.ts";
import { Machine, Process } from "../../support/memory_world.ts";
import { plan } from "../../support/project.ts";

export interface LoggedWorld extends World {
  readonly events: { readonly name: string; readonly text: string }[];
}

/** Files in memory, everything else real. */
export function loggedWorld(machine = new Machine()): LoggedWorld {
  const events: { name: string; text: string }[] = [];
  return {
    ...new Process(machine).world(),
    clock: denoClock,
    net: denoNet,
    random: { uint32: () => crypto.getRandomValues(new Uint32Array(1))[0] },
    log: { event: (level, name, fields) => void events.push({ name, text: `${level} ${name} ${JSON.stringify(fields)}` }) },
    events,
  };
}

let topics = 0;
/** A name no other test uses. */
export const newTopic = (what: string): string => `${what}-${Date.now().toString(36)}-${topics++}`;

export interface Client {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
}

/** kafkajs, connected for the time of `body`. */
export async function withClient<T>(brokers: string, body: (client: Client) => Promise<T>): Promise<T> {
  const kafka = new Kafka({
    clientId: "test",
    brokers: brokers.split(","),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 20 },
  });
  const admin = kafka.admin();
  const producer = kafka.producer({ createPartitioner: () => ({ message }) => message.partition ?? 0 });
  await Promise.all([admin.connect(), producer.connect()]);
  try {
    return await body({ kafka, admin, producer });
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  }
}

/** `settings`: the topic's own, by name. */
export async function makeTopic(
  { admin }: Client,
  topic: string,
  partitions = 1,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }], waitForLeaders: true });
}

export interface Message {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a topic holds that holds `count` messages, aborted ones only where all are asked for, by partition and offset. */
export async function readTopic(
  { kafka }: Client,
  topic: string,
  count: number,
  which: "committed" | "all" = "committed",
): Promise<Message[]> {
  const groupId = `reader-${topic}-${topics++}`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, readUncommitted: which === "all" });
  const messages: Message[] = [];
  const done = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ partition, message: { key, value, offset, headers } }) => {
      const texts = Object.entries(headers ?? {}).map(([name, header]) => [name, String(header)]);
      const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
      messages.push({ partition, offset: Number(offset), key: text(key), value: text(value), headers: Object.fromEntries(texts) });
      if (messages.length === count) done.resolve();
      return Promise.resolve();
    },
  });
  await Promise.race([done.promise, denoClock.sleep(20_000)]);
  await denoClock.sleep(200); // More than was expected would come now.
  await consumer.disconnect();
  return messages.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

export interface SourceText {
  readonly brokers: string;
  readonly topic: string;
  /** More lines of the source. */
  readonly more?: string;
  /** More lines of the connection. */
  readonly connection?: string;
}
export const connectionToml = (brokers: string, more = "", requestTimeout = "10s"): string =>
  `[connections.bus]\ntype = "kafka"\nbrokers = "${brokers}"\nconnect_timeout = "2s"\nrequest_timeout = "${requestTimeout}"\n${more}\n`;

/** A source of { id: int, amount: decimal(2), name: string? }. */
export async function kafkaSource({ brokers, topic, more = "", connection = "" }: SourceText, world: World): Promise<Source> {
  const blueprint = await plan(`${connectionToml(brokers, connection)}
[sources.in]
connection = "bus"
topic = "${topic}"
fields = { id = "int", amount = "decimal(2)", name = "string?" }
${more}
[sinks.out]
type = "console"
inputs = ["in"]`);
  const [{ plan: source, schema }] = blueprint.sources;
  return source.create(world, new Set(schema.type.fields.map((field) => field.name)));
}

export const recordJson = (id: number): string => `{"id":${id},"amount":${(id / 4).toFixed(2)},"name":"näme ${id}"}`;
