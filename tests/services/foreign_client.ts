/** Messages from clients that are not ours: kafkajs, and kcat where Debian gives it. */
import { Kafka, logLevel } from "kafkajs";
import { aptInstall, cannotInstall, DownloadFailed, hasProgram, mustRun } from "./run_command.ts";

export interface ForeignMessage {
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
}

/** Makes a topic as somebody else would, where there is none. */
export async function makeTopic(brokers: string, topic: string, partitions: number): Promise<void> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    if ((await admin.listTopics()).includes(topic)) return;
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }], waitForLeaders: true });
  } finally {
    await admin.disconnect();
  }
}

/** Names of all topics. */
export async function topicsOf(brokers: string): Promise<readonly string[]> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    return await admin.listTopics();
  } finally {
    await admin.disconnect();
  }
}

/** Sends the messages in order. */
export async function sendWithKafkajs(brokers: string, topic: string, messages: readonly ForeignMessage[]): Promise<void> {
  const producer = client(brokers).producer();
  await producer.connect();
  try {
    await producer.send({ topic, messages: messages.map(({ partition, key, value }) => ({ partition, key, value })) });
  } finally {
    await producer.disconnect();
  }
}

/** A record as another client sees it. */
export interface SeenMessage extends ForeignMessage {
  readonly offset: number;
}

/** The first `count` messages of a topic, in the order of partition and offset; committed ones only. */
export async function readWithKafkajs(brokers: string, topic: string, count: number): Promise<readonly SeenMessage[]> {
  const consumer = client(brokers).consumer({ groupId: `reader-${crypto.randomUUID()}`, readUncommitted: false });
  const seen: SeenMessage[] = [];
  const all = Promise.withResolvers<void>();
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: ({ partition, message: { key, value, offset } }) => {
        seen.push({ partition, key: key && key.toString(), value: value && value.toString(), offset: Number(offset) });
        if (seen.length === count) all.resolve();
        return Promise.resolve();
      },
    });
    await all.promise;
  } finally {
    await consumer.disconnect();
  }
  return seen.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** How many offsets of a topic are taken, records and marks of transactions; 0 where there is none. */
export async function takenOffsets(brokers: string, topic: string): Promise<number> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    if (!(await admin.listTopics()).includes(topic)) return 0;
    return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);
  } finally {
    await admin.disconnect();
  }
}

/** How many records of a topic a consumer group has read, as its lag tools see it; all partitions together. */
export async function readByGroup(brokers: string, group: string, topic: string): Promise<number> {
  const admin = client(brokers).admin();
  await admin.connect();
  try {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    return partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  } finally {
    await admin.disconnect();
  }
}

/** Sends one message per line to one partition. */
export async function sendWithKcat(brokers: string, topic: string, partition: number, lines: readonly string[]): Promise<void> {
  await mustRun("kcat", ["-P", "-b", brokers, "-t", topic, "-p", String(partition)], { stdin: lines.map((line) => `${line}\n`).join("") });
}

/** A record's value and place. */
export interface PlacedValue {
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
}

/**
 * What readers of committed records see of a topic, by partition and offset. By librdkafka: kafkajs lets rows of aborted
 * transactions through where several of them overlap (its filter enters one of them per message).
 */
export async function readCommittedWithKcat(brokers: string, topic: string): Promise<PlacedValue[]> {
  const all = ["-X", "isolation.level=read_committed", "-o", "beginning", "-e", "-q"];
  const lines = (await mustRun("kcat", ["-C", "-b", brokers, "-t", topic, ...all, "-f", "%p %o %s\\n"])).split("\n").filter((line) =>
    line !== ""
  );
  const messages = lines.map((line) => {
    const [, partition, offset, value] = /^(\d+) (\d+) (.*)$/.exec(line)!;
    return { partition: Number(partition), offset: Number(offset), value };
  });
  return messages.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** Why there is no kcat; null when there is one, installed now if need be. */
export async function lackingKcat(): Promise<string | null> {
  if (await hasProgram("kcat")) return null;
  const reason = await cannotInstall();
  if (reason !== null) return reason;
  try {
    await aptInstall("kcat");
    return null;
  } catch (error) {
    if (error instanceof DownloadFailed) return error.message.split("\n")[0];
    throw error;
  }
}

function client(brokers: string): Kafka {
  return new Kafka({ clientId: "millrace-tests", brokers: [brokers], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50 } });
}
